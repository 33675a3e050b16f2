package tools

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// job is a program that runs on a Windows host as a task of SYSTEM and outlives the connection that started it.
//
// Its name comes from the arguments of the step, so who comes later finds it again. What it leaves in the folder:
//
//	NAME.cmd   what the task runs; written before the task is registered
//	NAME.exit  the exit code of the program, written when it ends: nobody has read it yet
//	NAME.last  the same, after it was read
//	NAME.log   the program's log
//	NAME.exe   a copy of the program, when it comes from a share; until it has ended
//
// So there are three states: an exit code that nobody has read; a task that runs; neither. Only in the last one
// the job is started, and starting is safe to repeat: Task Scheduler starts no second instance of a running task.
type job struct {
	name   string
	before string // a line before it; empty: none
	line   string // the program, as cmd.exe reads it
}

// folder is writable by administrators only, unlike ProgramData and Windows\Temp: whoever can write NAME.cmd is SYSTEM.
const folder = `%SystemRoot%\dsplay`

func (j job) file(ending string) string { return folder + `\` + j.name + ending }

func (j job) task() string { return "dsplay-" + j.name }

// write makes NAME.cmd. The exit code is spelt !errorlevel!, which only the file itself expands; %errorlevel%
// would be expanded while it is written.
func (j job) write() engine.Command {
	line := j.line
	if j.before != "" {
		line = j.before + ">>" + j.file(".cmd") + "& echo @" + line
	}
	return engine.Command{Shell: fmt.Sprintf(`md %s 2>nul & del %s 2>nul & echo @setlocal enabledelayedexpansion>%s& echo @%s>>%[3]s& echo @echo !errorlevel!^>%[2]s>>%[3]s`,
		folder, j.file(".exit"), j.file(".cmd"), line)}
}

// register makes the task. Its time lies in the past, so it runs only when it is told to; /st is not optional.
func (j job) register() engine.Command {
	return engine.Command{Shell: fmt.Sprintf(`schtasks.exe /create /tn %s /tr %s /sc once /st 00:00 /ru SYSTEM /f`, j.task(), j.file(".cmd"))}
}

func (j job) start() engine.Command {
	return engine.Command{Shell: "schtasks.exe /run /tn " + j.task()}
}

// finish marks the exit code as read and removes the task; repeated, it finds nothing more to do.
func (j job) finish() engine.Command {
	copied := ""
	if strings.HasPrefix(j.before, "copy ") {
		copied = " " + j.file(".exe")
	}
	return engine.Command{AnyOK: true, Shell: fmt.Sprintf(`move /y %s %s & del %s%s & schtasks.exe /delete /tn %s /f`,
		j.file(".exit"), j.file(".last"), j.file(".cmd"), copied, j.task())}
}

func (j job) commands() []engine.Command {
	return []engine.Command{j.write(), j.register(), j.start(), j.finish()}
}

// jobState is where a job is.
type jobState struct {
	ended, running bool
	code           int // when it ended
}

var (
	// inProgress are the last results of a task that runs or is about to: SCHED_S_TASK_RUNNING and _QUEUED. The word
	// for its status is translated, this number is not.
	inProgress = regexp.MustCompile(`"(267009|267045)"`)
	exitCode   = regexp.MustCompile(`(?:^|\n)(-?\d+)\s*$`)
)

// look asks for the task and then for the exit code. In this order no end is missed: a task that has ended has
// written its exit code before.
func (j job) look(ctx context.Context, host engine.Reader) (jobState, error) {
	out, err := host.Run(ctx, engine.Command{AnyOK: true,
		Shell: fmt.Sprintf(`schtasks.exe /query /tn %s /v /fo csv /nh 2>nul & type %s 2>nul`, j.task(), j.file(".exit"))})
	if err != nil {
		return jobState{}, err
	}
	if m := exitCode.FindStringSubmatch(out.Stdout); m != nil {
		code, err := strconv.Atoi(m[1])
		return jobState{ended: true, code: code}, err
	}
	beingWritten := out.Code == 0 // the file is there
	return jobState{running: beingWritten || inProgress.MatchString(out.Stdout)}, nil
}

// age is how long ago the file with the exit code was written, on the host's own clock.
func (j job) age(ctx context.Context, host engine.Reader, ending string) (time.Duration, error) {
	script := fmt.Sprintf(`[long]((Get-Date) - (Get-Item "$env:SystemRoot\dsplay\%s").LastWriteTime).TotalMilliseconds`, j.name+ending)
	out, err := host.Run(ctx, engine.PowerShellCommand(script))
	if err != nil {
		return 0, err
	}
	ms, err := strconv.ParseInt(strings.TrimSpace(out.Stdout), 10, 64)
	return time.Duration(ms) * time.Millisecond, err
}
