package sshconfig

import "os/exec"

// alone: the command itself is killed, what it started is not.
func alone(*exec.Cmd) {}
