package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// A run that cannot go on for a reason of this machine writes an end, too, and one only: nobody takes it for one that was cut.
func TestARunThatCannotGoOnWritesItsEnd(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	t.Setenv("XDG_STATE_HOME", home)
	write(t, dir, "inv.hcl", "group \"none\" {}\n")
	write(t, dir, "p.hcl", "play \"p\" {\n  hosts = [\"localhost\"]\n  step \"shell\" \"make\" {\n    text = \"true\"\n  }\n}\n")
	write(t, dir, "none.hcl", "policy \"none\" {\n  playbooks = [\"p.hcl\"]\n  modules = [\"service\"]\n  max_hosts = { all = 1 }\n}\n")
	state := filepath.Join(home, "dsplay")
	if o := process(t, "run", filepath.Join(dir, "p.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--policy", filepath.Join(dir, "none.hcl")); o.code != exitRefused {
		t.Fatalf("exit %d\n%s", o.code, o)
	}
	if err := os.RemoveAll(filepath.Join(state, "left")); err != nil {
		t.Fatal(err)
	}
	write(t, state, "left", "no folder")
	if o := process(t, "run", filepath.Join(dir, "p.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--policy", filepath.Join(dir, "none.hcl")); o.code == exitOK || o.code == exitRefused {
		t.Fatalf("exit %d\n%s", o.code, o)
	}
	ids, err := journal.IDs(state)
	if err != nil || len(ids) != 2 {
		t.Fatalf("%v, %v", ids, err)
	}
	for _, id := range ids {
		ends := 0
		if _, err := journal.Verify(state, id); err != nil {
			t.Error(err)
		}
		r, err := journal.Read(state, id, func(e engine.Event) {
			if e.Kind == engine.EventRunEnd {
				ends++
			}
		})
		if err != nil || !r.Ended || ends != 1 {
			t.Errorf("%s: %d ends, %v", id, ends, err)
		}
	}
}
