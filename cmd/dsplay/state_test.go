package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestStateOnWindows(t *testing.T) {
	local := t.TempDir()
	if dir, err := windowsState(func() (string, error) { return local, nil }); err != nil || dir != filepath.Join(local, "dsplay") {
		t.Errorf("%q, %v", dir, err)
	}
	for _, bad := range []func() (string, error){
		func() (string, error) { return "", errors.New("not defined") },
		func() (string, error) { return "relative", nil }, // would be another folder for every working folder
	} {
		if dir, err := windowsState(bad); err == nil || !strings.Contains(err.Error(), "LOCALAPPDATA") {
			t.Errorf("%q, %v", dir, err)
		}
	}
}
