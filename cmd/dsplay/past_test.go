package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/journal/lock"
)

// twoSteps is a playbook with two steps, and its plan.
func twoSteps(t *testing.T) (dir string, planned string) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, "inv.hcl", "group \"none\" {}\n")
	write(t, dir, "two.hcl", `play "p" {
  hosts = ["localhost"]
  step "shell" "one" {
    text = "touch `+filepath.Join(dir, "one")+`"
  }
  step "shell" "two" {
    text = "touch `+filepath.Join(dir, "two")+`"
  }
}
`)
	planned = filepath.Join(dir, "two.plan")
	if o := process(t, "plan", filepath.Join(dir, "two.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--out", planned); o.code != exitOK {
		t.Fatal(o)
	}
	return dir, planned
}

// While a run goes on it counts with all of its plan; when its process is gone, with what it had begun.
func TestPastOfARunThatGoesOn(t *testing.T) {
	t.Parallel()
	_, planned := twoSteps(t)
	data, d, err := readPlan(planned)
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	f, err := journal.Create(state, journal.Head{Run: "r1", Process: journal.This("ops")})
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.WriteFile(f.Dir(), journal.Plan, data); err != nil {
		t.Fatal(err)
	}
	for i, e := range []engine.Event{{Kind: engine.EventApply, Plan: d.ID}, {Kind: engine.EventIntent, Pass: "apply", Play: "p", Host: "localhost", Entry: "p/step.one", Module: "shell"}} {
		e.V, e.Run, e.Seq, e.Time = 1, "r1", i+1, time.Now()
		if err := f.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	got, err := past(state, "me", now.Add(-time.Hour), now)
	if err != nil || len(got.Deeds) != 2 || got.Deeds[0].Ahead || !got.Deeds[1].Ahead || got.Deeds[1].Host != "localhost" || len(got.Underway) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = past(state, "r1", now.Add(-time.Hour), now); err != nil || len(got.Deeds)+len(got.Underway) != 0 {
		t.Errorf("who asks counts: %+v, %v", got, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err = past(state, "me", now.Add(-time.Hour), now); err != nil || len(got.Deeds) != 1 || len(got.Underway) != 0 {
		t.Errorf("it was cut: %+v, %v", got, err)
	}
}

// A run is not judged while another one is that is not on record yet.
func TestOneRunIsJudgedAtATime(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", home)
	dir, _ := twoSteps(t)
	write(t, dir, "night.hcl", "policy \"night\" {\n  playbooks = [\"two.hcl\"]\n  modules = [\"shell\"]\n  max_hosts = { all = 1 }\n  per_hour = 2\n}\n")
	night := func() outcome {
		return process(t, "run", filepath.Join(dir, "two.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--policy", filepath.Join(dir, "night.hcl"), "--lock", "wait", "--lock-timeout", "100ms")
	}
	made := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	folder, err := lock.Open(filepath.Join(home, "locks-"+t.Name()))
	if err != nil {
		t.Fatal(err)
	}
	state, _ := stateDir()
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := folder.Try(t.Context(), "policies of "+realPath(state), asHolder("r0", "the judgement by policies"))
	if err != nil {
		t.Fatal(err)
	}
	e := &estate{t: t}
	e.ended(night(), exitLocked, "the judgement by policies is locked by run r0", "nothing was changed")
	if made("one") {
		t.Error("it acted")
	}
	l.Release()
	e.ended(night(), exitOK, "policy night: permits it")
	if !made("one") || !made("two") {
		t.Error("it did not act")
	}
	e.ended(night(), exitRefused, "night: per_hour: 2 actions were begun within the last hour, and 2 more")
}
