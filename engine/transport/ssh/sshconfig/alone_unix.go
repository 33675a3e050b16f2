//go:build unix

package sshconfig

import (
	"os/exec"
	"syscall"
)

// alone lets the end of cmd's context end everything that it started.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
