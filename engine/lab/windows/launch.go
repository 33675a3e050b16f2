package windows

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// Launched is a program that Launch started.
type Launched struct {
	PID   int
	Ended <-chan Ended // gets one value, also when the guest goes down
}

// Ended is how a program ended.
type Ended struct {
	Code    uint32
	Changed bool // something of the system, or it tried to
}

// Process is a program that runs.
type Process struct {
	PID         int
	Image, User string
	Line        string // the whole command line, where it is known
	Start       time.Time
}

// Launch starts an executable file as CreateProcess does with the command line "PROGRAM" ARGUMENTS, for user, without
// streams. dir is where it begins; "" is System32. It is fs.ErrNotExist where there is no such file, and where the
// guest is down. What it starts ends with ctx.
func (g *Guest) Launch(ctx context.Context, user, program, arguments, dir string) (Launched, error) {
	info, ok := g.disk.Stat(disk.Clean(`C:\`, program))
	if !ok || info.Dir || info.Program == "" {
		return Launched{}, fs.ErrNotExist
	}
	if dir == "" {
		dir = g.home("SYSTEM")
	}
	g.mu.Lock()
	if !g.up {
		g.mu.Unlock()
		return Launched{}, fs.ErrNotExist
	}
	inner, pid := g.add(ctx, &proc{image: info.Name(), user: user, line: `"` + program + `" ` + arguments})
	g.mu.Unlock()
	ended := make(chan Ended, 1)
	p := &cmdexe.Process{Path: info.Path, Args: arguments, Argv: cmdexe.SplitArgs(arguments), User: user, Dir: dir,
		Env: g.environment(user), Stdout: orDiscard(nil), Stderr: orDiscard(nil)}
	go func() {
		inner, w := touch.Watch(inner)
		code := g.runLaunched(inner, info.Program, p)
		g.end(pid)
		ended <- Ended{code, w.Touched()}
	}()
	return Launched{pid, ended}, nil
}

func (g *Guest) runLaunched(ctx context.Context, program string, p *cmdexe.Process) uint32 {
	if program == "cmd" {
		return cmdexe.Command(ctx, g.system, p)
	}
	code := uint32(1)
	if run := g.lookup(program); run != nil {
		code = run(ctx, p)
	}
	if ctx.Err() != nil {
		return cmdexe.Killed
	}
	return code
}

// Kill ends a process that was started; false where there is none. What it has started lives on in reality; here it
// ends, too.
func (g *Guest) Kill(pid int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := g.procs.all[pid]
	if ok && !p.background {
		p.kill()
	}
	return ok && !p.background
}

// Processes are those that were started, by their ids.
func (g *Guest) Processes() []Process {
	g.mu.Lock()
	defer g.mu.Unlock()
	var list []Process
	for _, pid := range slices.Sorted(maps.Keys(g.procs.all)) {
		if p := g.procs.all[pid]; !p.background {
			list = append(list, Process{pid, p.image, p.user, p.line, p.start})
		}
	}
	return list
}

// Disk is its disk.
func (g *Guest) Disk() *disk.Disk { return g.disk }

// Temp is where the temporary files of a user are; the folder is there.
func (g *Guest) Temp(user string) string { return g.environment(user)["TEMP"] }

// Scratch says that writing to path, and below it, changes nothing of the system: it is somebody's temporary file.
func (g *Guest) Scratch(path string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.scratch = append(g.scratch, strings.ToLower(path))
}

// IsScratch tells what Scratch said of path.
func (g *Guest) IsScratch(path string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	path = strings.ToLower(path)
	return slices.ContainsFunc(g.scratch, func(s string) bool { return path == s || strings.HasPrefix(path, s+`\`) })
}
