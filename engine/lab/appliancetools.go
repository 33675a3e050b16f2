package lab

import (
	"context"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/guestops"
	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/unix"
)

// applianceSystem is an appliance as its VMware Tools see it: they run programs there, and hand over no files.
type applianceSystem struct {
	noFiles
	appliance *appliance

	mu      sync.Mutex
	last    int64
	running map[int64]guestops.Process
	cancels map[int64]context.CancelFunc
}

// newTools gives an appliance its Tools. The accounts are the one of SSH, and root, with the same password: sudo would ask
// for one, and nobody could answer.
func (a *appliance) newTools() *guestops.Guest {
	return &guestops.Guest{
		System: &applianceSystem{appliance: a, running: map[int64]guestops.Process{}, cancels: map[int64]context.CancelFunc{}},
		Password: func(user string) (string, bool) {
			return a.password, user == a.user || user == "root"
		},
	}
}

// applianceBoot is one life of one machine.
type applianceBoot struct {
	machine *unix.DSVA
	n       int
}

// Family is Linux.
func (s *applianceSystem) Family() string { return guestops.Linux }

// Boot counts.
func (s *applianceSystem) Boot() any {
	m := s.appliance.machine()
	if state := m.State(); state.Up {
		return applianceBoot{m, state.Boots}
	}
	return nil
}

// Start hands the command line to a shell, as Tools do.
func (s *applianceSystem) Start(user string, p guestops.Program, ended func(code int32)) (int64, error) {
	a, before := s.appliance, s.Boot()
	path := "'" + strings.ReplaceAll(p.Path, "'", `'\''`) + "'"
	if a.machine().Exec(a.lab.ctx, user, "[ -x "+path+" ]", nil, io.Discard, io.Discard) != 0 {
		return 0, fs.ErrNotExist
	}
	ctx, cancel := context.WithCancel(a.lab.ctx)
	pid := s.add(user, p, cancel)
	a.lab.background(func() {
		defer s.drop(pid)
		ctx, w := touch.Watch(ctx)
		code := a.machine().Exec(ctx, user, path+" "+p.Arguments, nil, io.Discard, io.Discard)
		a.lab.received.add(Received{Time: time.Now(), Kind: "guest", Host: a.name, User: user, Text: strings.TrimSpace(p.Path + " " + p.Arguments), Mutates: w.Touched()})
		if s.Boot() == before {
			ended(int32(code)) //nolint:gosec // an exit code
		}
	})
	return pid, nil
}

const firstToolsPID = 30000

func (s *applianceSystem) add(user string, p guestops.Program, cancel context.CancelFunc) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	pid := firstToolsPID + s.last
	s.running[pid] = guestops.Process{PID: pid, Name: p.Path[strings.LastIndexByte(p.Path, '/')+1:], Owner: user, Command: `"` + p.Path + `" ` + p.Arguments, Start: time.Now()}
	s.cancels[pid] = cancel
	return pid
}

func (s *applianceSystem) drop(pid int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancels[pid]()
	delete(s.running, pid)
	delete(s.cancels, pid)
}

// Kill ends a program.
func (s *applianceSystem) Kill(_ string, pid int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cancel := s.cancels[pid]
	if cancel == nil {
		return fs.ErrNotExist
	}
	cancel()
	return nil
}

// Processes are those that Tools started.
func (s *applianceSystem) Processes() (list []guestops.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.running {
		list = append(list, p)
	}
	return list
}

// noFiles refuses every file.
type noFiles struct{}

func (noFiles) Temporary(string, string, string, string, bool) (string, error) {
	return "", guestops.ErrDenied
}
func (noFiles) Scratch(string) bool                  { return false }
func (noFiles) List(string) ([]guestops.File, error) { return nil, guestops.ErrDenied }
func (noFiles) Read(string) ([]byte, error)          { return nil, guestops.ErrDenied }
func (noFiles) Write(string, []byte, bool) error     { return guestops.ErrDenied }
func (noFiles) MakeDir(string, bool) error           { return guestops.ErrDenied }
func (noFiles) Remove(string) error                  { return guestops.ErrDenied }
func (noFiles) RemoveAll(string) error               { return guestops.ErrDenied }
func (noFiles) Move(string, string, bool) error      { return guestops.ErrDenied }
