package journal_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// Who was refused to go on with a run has not ended it, whatever was told meanwhile: another one still can.
func TestRefusedToGoOn(t *testing.T) {
	state, code := t.TempDir(), 6
	goOn(t, state, stopped(t, state), engine.Event{Kind: engine.EventDrift, Pass: "apply", Status: "refused"},
		engine.Event{Kind: engine.EventRecurrence, Pass: "apply", Host: "h0"}, engine.Event{Kind: engine.EventRunEnd, Status: "refused", Exit: &code})
	r, err := journal.Verify(state, "r1")
	if err != nil || r.Ended || r.Summary.Resumed != 1 || r.Summary.Plan == "" || r.Summary.Exit != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := journal.ReadSummary(state, "r1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has a summary: %v", err)
	}
}

// A crash between the end and the summary changed nothing: the run has ended, and whoever asks is told how.
func TestEndWithoutSummary(t *testing.T) {
	state := t.TempDir()
	r := stopped(t, state)
	if err := os.Remove(filepath.Join(journal.Dir(state, "r1"), journal.SummaryFile)); err != nil {
		t.Fatal(err)
	}
	got, err := journal.Verify(state, "r1")
	if err != nil || !got.Ended || !got.Bare || got.Hash != r.Hash || got.Stands != journal.Over {
		t.Errorf("%+v, %v", got, err)
	}
	if s, stands, err := journal.Brief(state, "r1"); err != nil || stands != journal.Over || s.Status != "stopped" || *s.Exit != 143 {
		t.Errorf("%+v, %s, %v", s, stands, err)
	}
}

// A run that goes on is in the history, also when it has been silent for long.
func TestHistoryOfARunThatGoesOn(t *testing.T) {
	state := t.TempDir()
	f := start(t, state, "r1")
	put(t, f, steps("r1", 1)...)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(f.Path(), long, long); err != nil {
		t.Fatal(err)
	}
	runs, err := journal.History(state, time.Now().Add(-time.Minute))
	if err != nil || len(runs) != 1 || runs[0].Stands != journal.Running || runs[0].Plan != "sha256:ab" {
		t.Errorf("%+v, %v", runs, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if runs, err = journal.History(state, time.Now().Add(-time.Minute)); err != nil || len(runs) != 0 {
		t.Errorf("it was cut long ago: %+v, %v", runs, err)
	}
}

// Who lists runs is in nobody's way who goes on with one.
func TestGoOnWhileSomebodyLooks(t *testing.T) {
	state := t.TempDir()
	r := stopped(t, state)
	over := make(chan struct{})
	var looks sync.WaitGroup
	looks.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				_, _, _ = journal.Brief(state, "r1")
			}
		}
	})
	for range 20 {
		goOn(t, state, r)
		var err error
		if r, err = journal.Read(state, "r1", nil); err != nil {
			t.Fatal(err)
		}
	}
	close(over)
	looks.Wait()
}

// A plan of which a crash left only the empty mark was not begun; who meets that is told what to do.
func TestTornMarkOfAPlan(t *testing.T) {
	state := t.TempDir()
	if err := os.Mkdir(filepath.Join(state, "plans"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, "plans", "ab.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := journal.Spend(state, journal.Spent{Plan: "sha256:ab", Run: "r1"})
	if !errors.As(err, new(*journal.Spent)) || !strings.Contains(err.Error(), "before it changed anything; make a new plan") {
		t.Errorf("%v", err)
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
	if err := os.Mkdir(journal.Dir(state, "20260101-000000-b"), 0o700); err != nil { // and without the file
		t.Fatal(err)
	}
	for _, id := range []string{"20260101-000000-a", "20260101-000000-b"} {
		if _, stands, err := journal.Brief(state, id); err != nil || stands != journal.Cut || !journal.Blank(state, id) {
			t.Errorf("%s: %s, %v", id, stands, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, journal.Plan), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if journal.Blank(state, "20260101-000000-a") {
		t.Error("a run with a plan had a first line")
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

// How hosts ended is told anew by the process that went on with a run.
func TestSummaryOfWhatWasGoneOnWith(t *testing.T) {
	state := t.TempDir()
	r := stopped(t, state)
	goOn(t, state, r, ended("aborted", 130)...)
	r, err := journal.Read(state, "r1", nil)
	if err != nil {
		t.Fatal(err)
	}
	goOn(t, state, r, ended("ok", 0)...)
	if s, err := journal.ReadSummary(state, "r1"); err != nil || s.Hosts != 1 || s.Failed != 0 || s.Status != "ok" || s.Resumed != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

// ended are the events of a process that acts, and whose only host ends so.
func ended(status string, code int) []engine.Event {
	return []engine.Event{{Kind: engine.EventApply, Plan: "sha256:ab"}, {Kind: engine.EventHostEnd, Pass: "apply", Play: "p", Host: "h0", Status: status},
		{Kind: engine.EventRunEnd, Status: status, Exit: &code}}
}
