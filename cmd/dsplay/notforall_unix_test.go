//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Who may exchange a policy could permit anything: every folder above it counts as much as the file, and so does what links point to.
func TestPolicyThatEverybodyMayExchange(t *testing.T) {
	safe, open := t.TempDir(), filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, safe, "night.hcl", "")
	write(t, open, "night.hcl", "")
	if err := os.MkdirAll(filepath.Join(open, "mine", "night"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(open, "mine", "night"), "night.hcl", "")
	for link, to := range map[string]string{filepath.Join(open, "link.hcl"): filepath.Join(safe, "night.hcl"), filepath.Join(safe, "link.hcl"): filepath.Join(open, "night.hcl"),
		filepath.Join(safe, "twice.hcl"): filepath.Join(open, "link.hcl"), filepath.Join(safe, "folder"): filepath.Join(open, "mine")} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	for mode, refused := range map[os.FileMode]bool{0o777: true, 0o755: false, 0o777 | os.ModeSticky: false} {
		if err := os.Chmod(open, mode); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{filepath.Join(open, "night.hcl"), filepath.Join(open, "link.hcl"), filepath.Join(safe, "link.hcl"),
			filepath.Join(safe, "twice.hcl"), filepath.Join(open, "mine", "night", "night.hcl"), filepath.Join(safe, "folder", "night", "night.hcl")} {
			if err := notForAll(path); (err != nil) != refused || refused && !strings.Contains(err.Error(), "exchange") {
				t.Errorf("%v %s: %v", mode, path, err)
			}
		}
	}
	if err := notForAll(filepath.Join(safe, "night.hcl")); err != nil {
		t.Error(err)
	}
}
