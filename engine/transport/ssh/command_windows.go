package ssh

import (
	"os/exec"
	"syscall"
)

func shellCommand(line string) *exec.Cmd {
	cmd := exec.Command("cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /d /s /c "` + line + `"`}
	return cmd
}

// killCommand kills cmd.exe; what it has started ends when it finds its stdin closed.
func killCommand(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
