package journal_test

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

func TestProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems tell less")
	}
	me := journal.This("ops")
	for name, c := range map[string]struct {
		change func(*journal.Process)
		lives  bool
		fails  bool
	}{
		"this one":                              {func(*journal.Process) {}, true, false},
		"the machine has another name now":      {func(p *journal.Process) { p.Host = "elsewhere" }, true, false},
		"an earlier one of this number":         {func(p *journal.Process) { p.Start = "1" }, false, false},
		"before the boot":                       {func(p *journal.Process) { p.Boot = "another" }, false, false},
		"another machine":                       {func(p *journal.Process) { p.Boot, p.Host = "another", "elsewhere" }, false, true},
		"a number that no process has, no more": {func(p *journal.Process) { p.PID, p.Start = 1<<22+1, "1" }, false, false},
	} {
		p := me
		c.change(&p)
		lives, err := p.Lives()
		if lives != c.lives || (err != nil) != c.fails {
			t.Errorf("%s: %v, %v", name, lives, err)
		}
	}
	now := time.Now()
	if skew, known := me.Skew(now, now); !known || skew.Abs() > 2*time.Second {
		t.Errorf("skew %s, %v", skew, known)
	}
	if skew, known := me.Skew(now, now.Add(time.Hour)); !known || skew < 59*time.Minute {
		t.Errorf("an hour later: skew %s, %v", skew, known)
	}
	me.Boot = "another"
	if _, known := me.Skew(now, now); known {
		t.Error("after a boot nobody can tell")
	}
}

func TestBrief(t *testing.T) {
	state := t.TempDir()
	f := start(t, state, "r1")
	put(t, f, steps("r1", 1)...)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if s, stands, err := journal.Brief(state, "r1"); err != nil || stands != journal.Running || s.Playbook != "night.hcl" || s.User != "ops" {
		t.Errorf("%+v, %s, %v", s, stands, err)
	}
	r, err := journal.Read(state, "r1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Continue(state, r, journal.Head{}); err == nil && runtime.GOOS != "windows" {
		t.Error("two processes write one journal")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, stands, err := journal.Brief(state, "r1"); err != nil || runtime.GOOS != "windows" && stands != journal.Cut {
		t.Errorf("%s, %v", stands, err)
	}
	if err := journal.Remove(state, "../runs"); err == nil {
		t.Error("what is no run is removed")
	}
	if err := journal.Remove(state, "r1"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(f.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestRecurrences(t *testing.T) {
	day := time.Date(2026, 11, 20, 12, 0, 0, 0, time.Local)
	at := func(n int, host string, healed bool) journal.Recovery {
		return journal.Recovery{Time: day.AddDate(0, 0, n), Play: "p", Host: host, Entry: "p/engines", Healed: healed, Over: true}
	}
	cut := at(2, "esx1", false)
	cut.Over = false // by Ctrl-C: no recurrence
	past := []journal.Run{{Summary: journal.Summary{Recoveries: []journal.Recovery{cut, {Time: day, Play: "p", Host: "esx2", Entry: "p/engines"}}}}, {Summary: journal.Summary{Recoveries: []journal.Recovery{at(0, "esx1", true), at(0, "esx1", false)}}},
		{Summary: journal.Summary{Recoveries: []journal.Recovery{at(1, "esx1", true), at(1, "esx3", true)}}}}
	got := journal.Recurrences(past, []journal.Recovery{at(3, "esx1", true), at(3, "esx2", true)})
	if len(got) != 1 || got[0].Host != "esx1" || got[0].Days != 3 || got[0].Times != 4 || got[0].Failed != 1 || got[0].Name() != "engines" {
		t.Errorf("%+v", got)
	}
}

func TestRecoveriesOfEvents(t *testing.T) {
	var c journal.Recoveries
	for _, e := range []engine.Event{
		{Kind: engine.EventAttempt, Status: "skipped", Host: "a", Entry: "p/r", Title: "none"},
		{Kind: engine.EventAttempt, Status: "started", Host: "a", Entry: "p/r", Title: "one"},
		{Kind: engine.EventEntryEnd, Status: "changed", Host: "a", Entry: "p/r/one/step.x", Module: "service"},
		{Kind: engine.EventAttempt, Status: "started", Host: "a", Entry: "p/r", Title: "two"},
		{Kind: engine.EventAttempt, Status: "started", Host: "b", Entry: "p/r", Title: "one"},
		{Kind: engine.EventEntryEnd, Status: "changed", Host: "a", Entry: "p/r"},
		{Kind: engine.EventEntryEnd, Status: "unchanged", Host: "c", Entry: "p/r"},
	} {
		c.Add(e)
	}
	got := c.All()
	if len(got) != 2 || !got[0].Healed || !slices.Equal(got[0].Attempts, []string{"one", "two"}) || got[1].Over {
		t.Errorf("%+v", got)
	}
}
