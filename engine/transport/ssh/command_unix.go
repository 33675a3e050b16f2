//go:build unix

package ssh

import (
	"cmp"
	"os"
	"os/exec"
	"syscall"
)

// shellCommand is as ssh runs a ProxyCommand: by the user's shell, which becomes the command.
func shellCommand(line string) *exec.Cmd {
	cmd := exec.Command(cmp.Or(os.Getenv("SHELL"), "/bin/sh"), "-c", "exec "+line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// killCommand kills the process and what it has started.
func killCommand(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
