package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/lab"
)

// What a run had to bring back is said to have been brought back before; its record can be listed, shown, compared and verified.
func TestRunsOfARecurringFault(t *testing.T) {
	e := newSerialEstate(t, lab.Options{ESXi: 2, Guests: 4})
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"})
	first := e.heal()
	e.ended(first, exitOK, "journal: ")
	if strings.Contains(first.String(), "hides the cause") {
		t.Errorf("the first time is no recurrence:\n%s", first)
	}
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"})
	e.ended(e.heal(), exitOK, `esx1: "engines" had to be recovered here on 1 day of the last 7 (2 times): what brings it back hides the cause`)

	state, _ := stateDir()
	ids, err := journal.IDs(state)
	if err != nil || len(ids) != 2 {
		t.Fatalf("%v, %v", ids, err)
	}
	s, err := journal.ReadSummary(state, ids[0])
	if err != nil || s.Healed() != 1 || s.Changed != 1 || s.Failed != 0 || s.Status != "ok" || !strings.HasPrefix(s.Plan, "sha256:") {
		t.Errorf("%+v, %v", s, err)
	}
	e.ended(process(t, "runs"), exitOK, ids[0], ids[1], "engine-offline.hcl", "1 of 1")
	e.ended(process(t, "runs", "list", "--unfinished"), exitOK, "(none in")
	e.ended(process(t, "runs", "show", ids[0]), exitOK, "Acting.", "hides the cause", s.Hash)
	e.ended(process(t, "runs", "show", ids[0], "--format", "markdown"), exitOK, "- **Journal**: "+s.Hash, "## Recoveries", "healed after")
	e.ended(process(t, "runs", "show", ids[0], "--format", "plan"), exitOK, s.Plan)
	e.ended(process(t, "show", ids[0]), exitOK, "Acting.", s.Hash)
	e.ended(process(t, "runs", "diff", ids[1], ids[0]), exitOK, "no difference")
	e.ended(process(t, "runs", "verify"), exitOK, ids[0]+"  ok   "+s.Hash)

	kept := filepath.Join(journal.Dir(state, ids[0]), journal.Plan)
	if err := os.Rename(kept, kept+".aside"); err != nil {
		t.Fatal(err)
	}
	e.ended(process(t, "runs", "verify", ids[0]), exitRefused, ids[0]+"  CHANGED: its plan: ")
	if err := os.Rename(kept+".aside", kept); err != nil {
		t.Fatal(err)
	}
	e.ended(process(t, "runs", "verify", ids[0], "20010101-000000-00000000"), exitUsage, "there is no run 20010101-000000-00000000 in ")
	summary := filepath.Join(journal.Dir(state, ids[1]), journal.SummaryFile)
	if err := os.Remove(summary); err != nil { // as after a crash behind the last event
		t.Fatal(err)
	}
	e.ended(process(t, "runs", "verify"), exitOK, ids[1]+"  ok   ", "it has no summary")
	e.ended(process(t, "runs", "list", "--unfinished"), exitOK, "(none in")

	cut := filepath.Join(journal.Dir(state, ids[0]), journal.Events)
	data, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	if err := os.WriteFile(cut, []byte(strings.Join(lines[:len(lines)-2], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	e.ended(process(t, "runs", "verify"), exitRefused, ids[0]+"  CHANGED", "1 record of 2")
	e.ended(process(t, "runs", "prune", "--older-than", "1h"), exitOK, "0 runs removed")
	e.ended(process(t, "runs", "prune", "--keep", "1", "--dry-run"), exitOK, "1 run would be removed\n1 of them acted within the last 7 days: cooldown")
	e.ended(process(t, "runs", "prune", "--keep", "1"), exitOK, "1 run removed")
	if left, _ := journal.IDs(state); len(left) != 1 || left[0] != ids[0] {
		t.Errorf("left are %v", left)
	}
}
