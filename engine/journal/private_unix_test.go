//go:build unix

package journal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dsplay/dsplay/engine/journal"
)

// Where everybody may write, anybody could exchange what a run is gone on with, or remove what a cooldown has to know.
func TestStateOfEverybody(t *testing.T) {
	for _, open := range []string{"", "runs"} {
		state := t.TempDir()
		dir := filepath.Join(state, open)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.Create(state, journal.Head{Run: "r1", Process: journal.This("ops")}); err == nil {
			t.Errorf("%q: it was begun", open)
		}
	}
}

// A folder that belongs to somebody else is refused; root's is not, for everybody else could not write to it anyway.
func TestStateOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	state := t.TempDir()
	if err := os.Chown(state, 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Create(state, journal.Head{Run: "r1", Process: journal.This("ops")}); err == nil {
		t.Error("it was begun")
	}
}
