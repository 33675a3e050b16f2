package journal_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// stopped is a run that a signal ended before its first change, with its summary.
func stopped(t *testing.T, state string) *journal.Record {
	t.Helper()
	code := 143
	f := start(t, state, "r1")
	put(t, f, engine.Event{V: 1, Run: "r1", Seq: 2, Kind: engine.EventApply, Plan: "sha256:ab"},
		engine.Event{V: 1, Run: "r1", Seq: 3, Kind: engine.EventRunEnd, Status: "stopped", Exit: &code, Time: time.Now()})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := journal.Read(state, "r1", nil)
	if err != nil || !r.Ended {
		t.Fatalf("%+v, %v", r, err)
	}
	return r
}

func goOn(t *testing.T, state string, r *journal.Record, events ...engine.Event) {
	t.Helper()
	f, err := journal.Continue(state, r, journal.Head{Dsplay: "test", Process: journal.This("ops")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		events[i].V, events[i].Run, events[i].Seq, events[i].Time = 1, "r1", f.Seq()+1+i, time.Now()
	}
	put(t, f, events...)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// What a run did that was stopped, gone on with and then cut is known, although its first end had a summary that knows nothing of it.
func TestHistoryOfWhatWasGoneOnWith(t *testing.T) {
	state := t.TempDir()
	goOn(t, state, stopped(t, state), engine.Event{Kind: engine.EventApply, Pass: "apply", Plan: "sha256:ab"},
		engine.Event{Kind: engine.EventIntent, Pass: "apply", Play: "p", Host: "h0", Entry: "p/s", Module: "ds_agent"})
	runs, err := journal.History(state, time.Time{})
	if err != nil || len(runs) != 1 || len(runs[0].Intents) != 1 {
		t.Errorf("%+v, %v", runs, err)
	}
	if _, stands, err := journal.Brief(state, "r1"); err != nil || stands != journal.Cut {
		t.Errorf("it is %s, %v", stands, err)
	}
}

// Who was refused to go on with a run has not ended it: another one still can.
func TestRefusedToGoOn(t *testing.T) {
	state, code := t.TempDir(), 6
	goOn(t, state, stopped(t, state), engine.Event{Kind: engine.EventRunEnd, Status: "refused", Exit: &code})
	r, err := journal.Verify(state, "r1")
	if err != nil || r.Ended || r.Summary.Resumed != 1 || r.Summary.Plan == "" || r.Summary.Exit != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := journal.ReadSummary(state, "r1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has a summary: %v", err)
	}
}

// A power cut can leave a journal without its first line: nothing was begun then, and policies need not stand still for ever.
func TestHistoryWithAnEmptyJournal(t *testing.T) {
	state := t.TempDir()
	dir := journal.Dir(state, "20260101-000000-a")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, journal.Events), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if runs, err := journal.History(state, time.Time{}); err != nil || len(runs) != 0 {
		t.Errorf("%+v, %v", runs, err)
	}
}

// History does not believe a journal of which the end was cut off.
func TestHistoryWithoutItsEnd(t *testing.T) {
	state := t.TempDir()
	f := start(t, state, "r1")
	put(t, f, append(steps("r1", 2), engine.Event{V: 1, Run: "r1", Seq: 9, Kind: engine.EventRunEnd, Time: time.Now()})...)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cutLines(t, f.Path(), 4)
	if _, err := journal.History(state, time.Time{}); !errors.As(err, new(*journal.Altered)) {
		t.Errorf("%v", err)
	}
	r, err := journal.Read(state, "r1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Whole(state, r); !errors.As(err, new(*journal.Altered)) {
		t.Errorf("%v", err)
	}
}

func cutLines(t *testing.T, path string, keep int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, c := range data {
		if c == '\n' {
			if n++; n == keep {
				data = data[:i+1]
				break
			}
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
