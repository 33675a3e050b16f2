package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// stateDir is where runs and plans that were used are kept: $XDG_STATE_HOME/dsplay; without it /var/lib/dsplay for root,
// and ~/.local/state/dsplay for others; on Windows %LOCALAPPDATA%\dsplay, which an account's own processes, SYSTEM and
// administrators may read.
func stateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dsplay"), nil
	}
	if runtime.GOOS == "windows" {
		return windowsState(os.UserCacheDir) // %LOCALAPPDATA%
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

func windowsState(local func() (string, error)) (string, error) {
	dir, err := local()
	if err != nil || !filepath.IsAbs(dir) {
		return "", errors.New("the record of the run has no place: set LOCALAPPDATA or XDG_STATE_HOME to a whole path; nothing was executed")
	}
	return filepath.Join(dir, "dsplay"), nil
}

// refusedDir is where it is kept which passwords were refused.
func refusedDir() (string, error) {
	dir, err := stateDir()
	return filepath.Join(dir, "refused"), err
}
