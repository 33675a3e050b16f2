//go:build unix

// Package localguest shows the machine on which it runs to VMware Tools as a Linux guest: programs are real processes,
// files are real files. It is for tests.
package localguest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine/lab/guestops"
)

// System is a guestops.System.
type System struct {
	Dir string // of the temporary files

	mu    sync.Mutex
	all   map[int64]*running
	ended sync.WaitGroup
	boots int
	down  bool
}

var _ guestops.System = (*System)(nil)

type running struct {
	guestops.Process
	cmd *exec.Cmd
}

// Family is Linux.
func (s *System) Family() string { return guestops.Linux }

// Boot counts.
func (s *System) Boot() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil
	}
	return s.boots
}

// SetDown makes it go down, or come up again as after a boot. Programs that Tools started die.
func (s *System) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if down && !s.down {
		s.boots++
		for _, r := range s.all {
			_ = r.cmd.Process.Kill() // it may have ended
		}
	}
	s.down = down
}

// RestartTools has VMware Tools forget the programs that they started, which go on.
func (s *System) RestartTools() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boots++
}

// Start hands the command line to bash -c, or to sh where there is no bash, as Tools do: neither a session nor a process
// group of its own.
func (s *System) Start(user string, p guestops.Program, ended func(code int32)) (int64, error) {
	if info, err := os.Stat(p.Path); err != nil || info.Mode()&0o111 == 0 {
		return 0, errors.Join(err, fs.ErrNotExist)
	}
	shell := "/bin/bash"
	if _, err := os.Stat(shell); err != nil {
		shell = "/bin/sh"
	}
	line := `"` + p.Path + `" ` + p.Arguments
	cmd := exec.Command(shell, "-c", line)
	cmd.Dir, cmd.Env = p.Dir, p.Env
	if cmd.Dir == "" {
		cmd.Dir = s.Dir
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	pid, boot := int64(cmd.Process.Pid), s.boots
	if s.all == nil {
		s.all = map[int64]*running{}
	}
	s.all[pid] = &running{guestops.Process{PID: pid, Name: filepath.Base(p.Path), Owner: user, Command: line, Start: time.Now()}, cmd}
	s.ended.Go(func() {
		_ = cmd.Wait() // the state says it
		s.mu.Lock()
		delete(s.all, pid)
		lives := s.boots == boot
		s.mu.Unlock()
		if lives {
			ended(code(cmd.ProcessState))
		}
	})
	return pid, nil
}

// code is -1 for a program that a signal killed.
func code(state *os.ProcessState) int32 {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Exited() {
		return int32(status.ExitStatus()) //nolint:gosec // 8 bits
	}
	return -1
}

// Kill asks one process, and kills it five seconds later.
func (s *System) Kill(_ string, pid int64) error {
	s.mu.Lock()
	r := s.all[pid]
	s.mu.Unlock()
	if r == nil {
		return fs.ErrNotExist
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fs.ErrNotExist
	}
	for range 500 {
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // Tools wait, too
		s.mu.Lock()
		_, lives := s.all[pid]
		s.mu.Unlock()
		if !lives {
			return nil
		}
	}
	return r.cmd.Process.Kill()
}

// Processes are those that Tools started.
func (s *System) Processes() []guestops.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []guestops.Process
	for _, r := range s.all {
		list = append(list, r.Process)
	}
	return list
}

// Wait waits until everything has ended that Start started.
func (s *System) Wait() { s.ended.Wait() }

// Temporary makes a file of mode 0600 or a directory of mode 0700.
func (s *System) Temporary(_, dir, prefix, suffix string, folder bool) (string, error) {
	if dir == "" {
		dir = s.Dir
	}
	pattern := prefix + "vmware*" + suffix
	if folder {
		return os.MkdirTemp(dir, pattern)
	}
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// Scratch is everything in Dir.
func (s *System) Scratch(path string) bool { return strings.HasPrefix(path, s.Dir+"/") }

// List lists.
func (s *System) List(path string) ([]guestops.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []guestops.File{{Path: path, Size: info.Size()}}, nil
	}
	entries, err := os.ReadDir(path)
	var list []guestops.File
	for _, e := range entries {
		if i, err := e.Info(); err == nil { // it may be gone by now
			list = append(list, guestops.File{Path: filepath.Join(path, e.Name()), Dir: e.IsDir(), Size: i.Size()})
		}
	}
	return list, err
}

// Read reads a file.
func (s *System) Read(path string) ([]byte, error) { return os.ReadFile(path) }

// Write writes a file.
func (s *System) Write(path string, data []byte, overwrite bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if !overwrite {
		flags |= os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// MakeDir makes a directory of mode 0700.
func (s *System) MakeDir(path string, parents bool) error {
	if parents {
		return os.MkdirAll(path, 0o700)
	}
	return os.Mkdir(path, 0o700)
}

// Remove removes a file.
func (s *System) Remove(path string) error { return os.Remove(path) }

// RemoveAll removes a directory.
func (s *System) RemoveAll(path string) error { return os.RemoveAll(path) }

// Move moves a file.
func (s *System) Move(from, to string, overwrite bool) error {
	if _, err := os.Stat(to); err == nil && !overwrite {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}
