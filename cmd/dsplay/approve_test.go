package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestApprovals runs testdata/approvals/*.txtar, each with plans beside it and the real ssh-keygen.
func TestApprovals(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ssh-keygen is not on this machine (package openssh-client), and CI must not pass over these tests")
		}
		t.Skip("ssh-keygen is not on this machine (package openssh-client)")
	}
	testscript.Run(t, testscript.Params{Dir: filepath.Join("testdata", "approvals"),
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error { return writePlans(env.WorkDir) }})
}

// writePlans writes plans that differ in what matters to approvals.
func writePlans(dir string) error {
	now := time.Now().UTC().Truncate(time.Second)
	plans := map[string]plan.Document{
		"plan.json":    {Made: now, Until: now.Add(24 * time.Hour)},
		"other.json":   {Made: now.Add(-time.Second), Until: now.Add(24 * time.Hour)},
		"old.json":     {Made: now.Add(-48 * time.Hour), Until: now.Add(-24 * time.Hour)},
		"future.json":  {Made: now.Add(time.Hour), Until: now.Add(24 * time.Hour)},
		"offline.json": {Made: now, Until: now.Add(24 * time.Hour), Offline: true},
		"stopped.json": {Made: now, Until: now.Add(24 * time.Hour), Stop: &plan.Stop{Kind: "check", Reason: "no engine is online"}},
	}
	for name, d := range plans {
		d.Format, d.Planner = plan.Format, plan.Planner{User: "carol", Host: "ops1"}
		d.Playbook = plan.Playbook{Path: "engine.hcl", Description: "Bring engines back\x1b[2J", Impact: "one guest at a time", Backout: "none"}
		d.Worst = plan.Worst{Hosts: []string{"dsva1", "esx2"}, Entries: 3, Effects: map[engine.Effect]int{"restart": 2}}
		data, err := d.Encode()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
