//go:build unix

package local

import (
	"os"
	"os/exec"
	"syscall"
)

const (
	// longest is MAX_ARG_STRLEN of Linux without the NUL at its end: a line is one argument of sh, execve(2).
	longest = 131_071
	family  = "posix"
	noShell = "is there a /bin/sh, and may this user start another process?"
	lookFor = "look for it with ps, and end it"
)

func command(line string) (*exec.Cmd, error) {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, nil
}

func start(cmd *exec.Cmd) (tree, error) {
	if err := cmd.Start(); err != nil {
		return tree{}, err
	}
	return tree{leader: cmd.Process.Pid}, nil
}

func code(state *os.ProcessState) int {
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
