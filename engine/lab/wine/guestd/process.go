//go:build windows

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"golang.org/x/sys/windows"
)

// streams are those of one command.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// remoteShell is that of Windows.
func remoteShell(ctx context.Context, s *wsman.Session) uint32 {
	return shell(ctx, s.Line, streams{s.Stdin, s.Stdout, s.Stderr})
}

// login is the shell of Win32-OpenSSH: the line goes to cmd.exe in quotes, which takes off the first and the last one.
func login(ctx context.Context, s *sshd.Session) int {
	return int(shell(ctx, `"`+s.Line+`"`, streams{s.Stdin, s.Stdout, s.Stderr}))
}

// shell runs one command line by a process of cmd.exe, in a job that ends with the command.
func shell(ctx context.Context, line string, s streams) uint32 {
	folder, err := windows.GetSystemDirectory()
	if err != nil {
		return fail(s, err)
	}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return fail(s, err)
	}
	defer func() { _ = windows.CloseHandle(job) }()
	cmd, stdin, err := begin(filepath.Join(folder, "cmd.exe"), line, s)
	if err != nil {
		return fail(s, err)
	}
	var assigned error
	if err := cmd.Process.WithHandle(func(h uintptr) { assigned = windows.AssignProcessToJobObject(job, windows.Handle(h)) }); err != nil || assigned != nil && !errors.Is(assigned, windows.ERROR_ACCESS_DENIED) { // so it is denied for one that has ended already
		_ = cmd.Process.Kill()
		return fail(s, errors.Join(err, assigned))
	}
	go func() { // it is not waited for: a client need not end its input
		_, _ = io.Copy(stdin, s.in)
		_ = stdin.Close()
	}()
	stop := context.AfterFunc(ctx, func() { _ = windows.TerminateJobObject(job, 1) })
	defer stop()
	_ = cmd.Wait() // the exit code says it
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		return status.ExitCode
	}
	return 1
}

// begin starts the process. Wine now and then fails to make one, above all after a boot ("Internal error"): nothing has run
// then, and it is tried again.
func begin(program, line string, s streams) (cmd *exec.Cmd, stdin io.WriteCloser, err error) {
	for range 5 {
		cmd = exec.Command(program)
		cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: program + " /c " + line, CreationFlags: windows.CREATE_NO_WINDOW}
		cmd.Dir = os.Getenv("USERPROFILE")
		cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s.out, s.err, 2*time.Second
		if stdin, err = cmd.StdinPipe(); err != nil {
			return nil, nil, err
		}
		if err = cmd.Start(); err == nil {
			return cmd, stdin, nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil, nil, err
}

func fail(s streams, err error) uint32 {
	_, _ = s.err.Write([]byte(err.Error() + "\r\n"))
	return 1
}
