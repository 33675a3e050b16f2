package local

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

const (
	// longest is what is left of the 8191 characters of cmd.exe for the line itself:
	// https://learn.microsoft.com/troubleshoot/windows-client/shell-experience/command-line-string-limitation
	longest = 8150
	family  = "windows"
	noShell = "is the line one that cmd.exe takes, and may this user start another process?"
	lookFor = "look for it with tasklist, and end it with taskkill /f"
)

// command takes cmd.exe from the system's folder: %ComSpec% may name anything. CREATE_NO_WINDOW gives it a console of its
// own, so Ctrl-C, which Windows sends to everything at a console, reaches dsplay alone.
func command(line string) (*exec.Cmd, error) {
	folder, err := windows.GetSystemDirectory()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(folder, "cmd.exe")
	text, err := commandLine(program, line)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: text, CreationFlags: windows.CREATE_NO_WINDOW | windows.CREATE_SUSPENDED}
	return cmd, nil
}

func code(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok {
		return errorlevel(status.ExitCode)
	}
	return state.ExitCode()
}
