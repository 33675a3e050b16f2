package main

import (
	"errors"
	"os"
	"path/filepath"
)

// stateDir is where runs and plans that were used are kept: $XDG_STATE_HOME/dsplay; without it /var/lib/dsplay for root,
// and ~/.local/state/dsplay for others.
func stateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dsplay"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/dsplay", nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("the record of the run has no place: set HOME or XDG_STATE_HOME; nothing was executed")
	}
	return filepath.Join(home, ".local", "state", "dsplay"), nil
}
