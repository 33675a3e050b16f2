package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// start begins a journal.
func start(tb testing.TB, state, run string) *journal.File {
	tb.Helper()
	f, err := journal.Create(state, journal.Head{Run: run, Dsplay: "test", Process: journal.This("ops")})
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// steps are the events of n steps of a run, as the executor writes them.
func steps(run string, n int) []engine.Event {
	events := []engine.Event{{Kind: engine.EventRunStart, Title: "night.hcl"}, {Kind: engine.EventApply, Plan: "sha256:ab"}}
	for i := range n {
		e := engine.Event{Kind: engine.EventIntent, Pass: "apply", Play: "p", Host: fmt.Sprintf("h%d", i), Entry: "p/step.x", Module: "service",
			Args: []engine.Arg{{Name: "name", Value: "ds_agent"}}, Lines: []string{"systemctl restart ds_agent <&> \"quoted\""}}
		events = append(events, e)
		e.Kind, e.Status, e.Lines = engine.EventEntryEnd, string(engine.StatusChanged), nil
		events = append(events, e, engine.Event{Kind: engine.EventHostEnd, Pass: "apply", Play: "p", Host: e.Host, Status: "ok"})
	}
	for i := range events {
		events[i].V, events[i].Run, events[i].Seq, events[i].Time = 1, run, i+1, time.Now()
	}
	return events
}

// put appends events as a run does: after an intent it waits for the disk.
func put(tb testing.TB, f *journal.File, events ...engine.Event) {
	tb.Helper()
	for _, e := range events {
		if err := f.Append(e); err != nil {
			tb.Fatal(err)
		}
		if e.Kind == engine.EventIntent {
			if err := f.Sync(); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func TestIntentIsOnDiskAfterSync(t *testing.T) {
	state := t.TempDir()
	f := start(t, state, "r1")
	defer f.Close()
	events := steps("r1", 1)[:3]
	put(t, f, events...)
	var kinds []engine.EventKind
	if _, err := journal.Read(state, "r1", func(e engine.Event) { kinds = append(kinds, e.Kind) }); err != nil {
		t.Fatal(err)
	}
	if len(kinds) != 3 || kinds[2] != engine.EventIntent {
		t.Errorf("on disk are %v", kinds)
	}
	if info, _ := os.Stat(f.Path()); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if info, _ := os.Stat(f.Dir()); info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v of the folder", info.Mode())
	}
}

func TestManyIntentsShareTheirSyncs(t *testing.T) {
	state := t.TempDir()
	f := start(t, state, "r1")
	var (
		order sync.Mutex
		seq   int
		wg    sync.WaitGroup
	)
	for range 50 {
		wg.Go(func() {
			for range 20 {
				order.Lock()
				seq++
				err := f.Append(engine.Event{V: 1, Run: "r1", Seq: seq, Kind: engine.EventIntent})
				order.Unlock()
				if err = errors.Join(err, f.Sync()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := journal.Read(state, "r1", nil)
	if err != nil || r.Seq != 1000 || r.Hash != f.Hash() || r.Summary.Intents != 1000 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNothingIsAppendedAfterClose(t *testing.T) {
	f := start(t, t.TempDir(), "r1")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Append(engine.Event{Kind: engine.EventIntent}); err == nil {
		t.Error("an intent that cannot be kept must be an error")
	}
}

func TestRunBeginsOnce(t *testing.T) {
	state := t.TempDir()
	f := start(t, state, "r1")
	defer f.Close()
	if _, err := journal.Create(state, journal.Head{Run: "r1"}); err == nil {
		t.Error("two runs of one name")
	}
}

// A run that is gone on with is one chain with two heads, and its summary is of the whole.
func TestContinue(t *testing.T) {
	state := t.TempDir()
	events := steps("r1", 2)
	f := start(t, state, "r1")
	put(t, f, events[:4]...)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := journal.Read(state, "r1", nil)
	if err != nil || r.Ended || r.Seq != 4 {
		t.Fatalf("%+v, %v", r, err)
	}
	if f, err = journal.Continue(state, r, journal.Head{Dsplay: "test", Process: journal.This("ops")}); err != nil {
		t.Fatal(err)
	}
	if f.Seq() != 5 {
		t.Errorf("the second head has number %d", f.Seq())
	}
	code := 0
	rest := append(events[4:], engine.Event{Kind: engine.EventRunEnd, Status: "ok", Exit: &code, Time: time.Now()})
	for i := range rest {
		rest[i].Seq = 6 + i
	}
	put(t, f, rest...)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err = journal.Read(state, "r1", nil); err != nil || !r.Ended {
		t.Fatalf("%+v, %v", r, err)
	}
	s, err := journal.ReadSummary(state, "r1")
	if err != nil || s.Hosts != 2 || s.Changed != 2 || s.Resumed != 1 || s.Intents != 2 || s.Hash != r.Hash || s.Plan != "sha256:ab" || s.Playbook != "night.hcl" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestHistory(t *testing.T) {
	state := t.TempDir()
	if runs, err := journal.History(state, time.Time{}); err != nil || runs != nil {
		t.Errorf("of nothing: %v, %v", runs, err)
	}
	for _, id := range []string{"20260101-000000-a", "20260102-000000-b"} {
		f := start(t, state, id)
		events := steps(id, 2)
		if id == "20260102-000000-b" {
			events = events[:6] // cut behind the second intent
		} else {
			events = append(events, engine.Event{V: 1, Run: id, Seq: 9, Kind: engine.EventRunEnd, Time: time.Now()})
		}
		put(t, f, events...)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(journal.Dir(state, "20260101-000000-a"), journal.Events), long, long); err != nil {
		t.Fatal(err)
	}
	runs, err := journal.History(state, time.Now().Add(-2*time.Hour))
	if err != nil || len(runs) != 2 || runs[0].Run != "20260101-000000-a" {
		t.Fatalf("%+v, %v", runs, err)
	}
	if got := runs[0].Intents; len(got) != 2 || got[0].Outcome != journal.Changed || got[0].On != "h0" || got[0].Action != got[1].Action {
		t.Errorf("intents %+v", got)
	}
	if got := runs[1].Intents; len(got) != 2 || got[0].Outcome != journal.Changed || got[1].Outcome != journal.Unknown || !runs[1].Ended.IsZero() {
		t.Errorf("intents of the run that was cut %+v", got)
	}
	if runs, _ = journal.History(state, time.Now().Add(-time.Minute)); len(runs) != 1 || runs[0].Run != "20260102-000000-b" {
		t.Errorf("since a minute: %+v", runs)
	}
	broken := filepath.Join(journal.Dir(state, "20260102-000000-b"), journal.Events)
	data, _ := os.ReadFile(broken)
	if err := os.WriteFile(broken, []byte(strings.Replace(string(data), "ds_agent", "ds_other", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if runs, err = journal.History(state, time.Time{}); len(runs) != 1 || !errors.As(err, new(*journal.Altered)) {
		t.Errorf("with an altered run: %d runs, %v", len(runs), err)
	}
}

func TestActionIsOfModuleAndArguments(t *testing.T) {
	a := journal.Action("service", []engine.Arg{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}})
	if a != journal.Action("service", []engine.Arg{{Name: "b", Value: "2"}, {Name: "a", Value: "1"}}) {
		t.Error("the order of arguments counts")
	}
	for _, other := range []string{journal.Action("reboot", []engine.Arg{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}),
		journal.Action("service", []engine.Arg{{Name: "a", Value: "1"}}), journal.Action("service", []engine.Arg{{Name: "a", Value: "12"}, {Name: "b", Value: ""}})} {
		if a == other {
			t.Error("two actions are one")
		}
	}
}

func TestPlanIsSpentOnce(t *testing.T) {
	dir := t.TempDir()
	if by, err := journal.SpentBy(dir, "sha256:ab"); by != nil || err != nil {
		t.Fatalf("%v %v", by, err)
	}
	var wg sync.WaitGroup
	results := make(chan error, 8)
	for range 8 {
		wg.Go(func() { results <- journal.Spend(dir, journal.Spent{Plan: "sha256:ab", Run: "r", When: time.Now()}) })
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		var spent *journal.Spent
		switch {
		case err == nil:
			won++
		case !errors.As(err, &spent):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d runs used the plan", won)
	}
	if by, err := journal.SpentBy(dir, "sha256:ab"); err != nil || by.Run == "" {
		t.Errorf("%v %v", by, err)
	}
}
