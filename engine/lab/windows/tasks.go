package windows

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// task is a scheduled task. It runs detached from the one who started it, as SYSTEM, and dies with the guest;
// the task itself survives a boot.
type task struct {
	name, command string
	running       bool
	last          uint32
	kill          context.CancelFunc
}

// Results of tasks that the scheduler itself gives.
const (
	taskRunning  = 0x41301
	taskNeverRan = 0x41303
	taskStopped  = 0x41306
	taskNoFile   = 0x80070002
	longestTask  = 261 // characters that /tr may have
)

func taskName(name string) string { return strings.Trim(name, `\`) }

// schtasks is "schtasks /create|/run|/query|/delete|/end". A schedule is kept for show: nothing runs without /run.
func (g *Guest) schtasks(ctx context.Context, p *cmdexe.Process) uint32 {
	options := map[string]string{}
	for i, arg := range p.Argv {
		if strings.HasPrefix(arg, "/") {
			next := at(p.Argv, i+1)
			if strings.HasPrefix(next, "/") {
				next = ""
			}
			options[strings.ToLower(arg)] = next
		}
	}
	has := func(flag string) bool { _, ok := options[flag]; return ok }
	name := taskName(options["/tn"])
	if has("/query") {
		return g.taskQuery(p, options)
	}
	touch.Mark(ctx)
	switch {
	case name == "":
		return g.fail(p, 1, "ERROR: Invalid syntax. Mandatory option '/TN' is missing.\r\nType \"SCHTASKS /?\" for usage.")
	case !g.administrator(p.User):
		return g.fail(p, 1, "ERROR: Access is denied.")
	case has("/create"):
		return g.taskCreate(p, name, options)
	}
	g.mu.Lock()
	t := g.tasks[strings.ToLower(name)]
	g.mu.Unlock()
	switch {
	case t == nil:
		return g.fail(p, 1, "ERROR: The system cannot find the file specified.")
	case has("/run"):
		g.taskRun(ctx, t)
		return line(p, g.say("SUCCESS: Attempted to run the scheduled task \"%s\"."), options["/tn"])
	case has("/end"):
		g.taskEnd(t)
		return line(p, "SUCCESS: The scheduled task \"%s\" has been terminated successfully.", options["/tn"])
	case has("/delete"):
		return g.taskDelete(p, t, has("/f"), options["/tn"])
	}
	return g.fail(p, 1, "ERROR: Invalid syntax.\r\nType \"SCHTASKS /?\" for usage.")
}

func (g *Guest) taskCreate(p *cmdexe.Process, name string, options map[string]string) uint32 {
	_, force := options["/f"]
	schedule := strings.ToLower(options["/sc"])
	_, system := options["/ru"]
	g.mu.Lock()
	old := g.tasks[strings.ToLower(name)]
	g.mu.Unlock()
	switch {
	case options["/tr"] == "":
		return g.fail(p, 1, "ERROR: Invalid syntax. Mandatory option '/TR' is missing.\r\nType \"SCHTASKS /CREATE /?\" for usage.")
	case len([]rune(options["/tr"])) > longestTask:
		return g.fail(p, 1, "ERROR: Value for '/TR' option cannot be more than %d character(s).", longestTask)
	case schedule == "" || schedule == "once" && options["/st"] == "":
		return g.fail(p, 1, "ERROR: Invalid syntax. Mandatory option is missing.\r\nType \"SCHTASKS /CREATE /?\" for usage.")
	case system && !isSystem(options["/ru"]):
		return g.fail(p, 1, "tasks of users are not simulated: say /ru SYSTEM")
	case old != nil && !force:
		fmt.Fprintf(p.Stdout, "WARNING: The task name \"%s\" already exists. Do you want to replace it (Y/N)? ", options["/tn"])
		if answer := make([]byte, 1); p.Stdin == nil || !yes(p.Stdin, answer) {
			return 1
		}
	}
	g.change(func() {
		g.tasks[strings.ToLower(name)] = &task{name: name, command: options["/tr"], last: taskNeverRan}
	})
	return line(p, g.say("SUCCESS: The scheduled task \"%s\" has successfully been created."), options["/tn"])
}

func yes(in io.Reader, answer []byte) bool {
	n, _ := in.Read(answer)
	return n == 1 && bytes.EqualFold(answer, []byte("y"))
}

// taskRun starts a task and returns at once. A task that runs already is left alone.
func (g *Guest) taskRun(ctx context.Context, t *task) {
	inner, release := g.detach(ctx)
	started := false
	g.change(func() {
		if started = !t.running; started {
			t.running, t.last, t.kill = true, taskRunning, release
		}
	})
	if !started {
		release()
		return
	}
	go func() {
		defer release()
		code := cmdexe.Launch(inner, g.system, &cmdexe.Process{User: "SYSTEM", Dir: g.home("SYSTEM"),
			Env: g.environment("SYSTEM"), Stdout: io.Discard, Stderr: io.Discard}, t.command)
		if code == cmdexe.NotFound {
			code = taskNoFile
		}
		g.change(func() {
			if t.running {
				t.running, t.last = false, code
			}
		})
	}()
}

func (g *Guest) taskEnd(t *task) {
	g.change(func() {
		if t.running {
			t.kill()
			t.running, t.last = false, taskStopped
		}
	})
}

func (g *Guest) taskDelete(p *cmdexe.Process, t *task, force bool, shown string) uint32 {
	if !force {
		fmt.Fprintf(p.Stdout, "WARNING: Are you sure you want to remove the task \"%s\" (Y/N)? ", shown)
		if p.Stdin == nil || !yes(p.Stdin, make([]byte, 1)) {
			return 1
		}
	}
	g.change(func() { delete(g.tasks, strings.ToLower(t.name)) })
	return line(p, g.say("SUCCESS: The scheduled task \"%s\" was successfully deleted."), shown)
}
