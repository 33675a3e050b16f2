package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/lab"
)

// A run that a policy permitted within its window is gone on with in that window only; and who is refused to go on, for that
// reason or because of the inventory, has not ended the run.
func TestResumeStaysInThePolicysWindow(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	e := newSerialEstate(t, lab.Options{ESXi: 3, Guests: 4})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"})
	policy := filepath.Join(t.TempDir(), "now.hcl")
	today := time.Now().UTC().Format("Mon")
	if err := os.WriteFile(policy, []byte(`policy "now" {
  playbooks = ["engine-offline.hcl"]
  modules   = ["ds_agent", "esxi_mux"]
  max_hosts = { all = 2 }
  window    = "`+today+` 00:00-24:00 UTC"
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := false
	run, _ := e.kill(func(_ int, ev engine.Event) bool {
		seen = seen || ev.Kind == engine.EventIntent
		return seen
	}, "run", "playbooks/engine-offline.hcl", "--policy", policy, "--var", "poll=100ms", "--var", "patience=8s")
	if !seen {
		t.Fatal("it was not permitted")
	}
	state, _ := stateDir()
	r, d, err := resumable(state, run, false)
	if err != nil || d == nil || r.window == nil || r.window.String() != today+" 00:00-24:00 UTC" {
		t.Fatalf("%+v, %v", r, err)
	}
	s := &session{resumes: r}
	if err := s.stillPermitted(time.Now()); err != nil || s.bounds.Window == nil {
		t.Errorf("within the window: %v", err)
	}
	if err := s.stillPermitted(time.Now().Add(24 * time.Hour)); err == nil || !strings.Contains(err.Error(), "which is closed") {
		t.Errorf("outside of it: %v", err)
	}

	text, err := os.ReadFile(filepath.Join(e.Dir(), "inventory.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, e.Dir(), "inventory.hcl", strings.Replace(string(text), "connection \"ssh\" {", "connection \"ssh\" {\n    legacy_algorithms = true", 1))
	e.ended(e.resume(run), exitRefused, "is reached in another way")
	write(t, e.Dir(), "inventory.hcl", string(text))
	if o := process(t, "runs", "list", "--unfinished"); !strings.Contains(o.String(), run) {
		t.Errorf("it is not unfinished any more:\n%s", o)
	}
	e.ended(e.resume(run), exitOK, "resuming run "+run)
	e.healthy()
	if r, err := journal.Verify(state, run); err != nil || !r.Ended || r.Summary.Resumed != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}
