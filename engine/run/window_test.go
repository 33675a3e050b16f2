package run_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/run"
)

func TestWindow(t *testing.T) {
	w, err := engine.ParseWindow("Sat 01:00-05:00 UTC")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{"2026-11-21T01:00:00Z": "a=ok b=ok", "2026-11-21T05:00:00Z": "a=not_attempted b=not_attempted"} {
		b := newBench([]string{"a", "b"}, step("set"))
		b.items[0].Play.Window = w
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		b.opts.Clock = fixed(now)
		p, res := b.both(t, nil)
		if len(p.Acting()) != 2 { // looking is allowed at any time
			t.Errorf("%s: the plan has %s", at, dispositions(p))
		}
		if statuses(res) != want || strings.Contains(want, "not_attempted") && (b.world.log() != "" || !strings.Contains(res.Hosts["a"].Err.Error(), `outside of the window of play "p" (Sat 01:00-05:00 UTC)`)) {
			t.Errorf("%s: hosts %s, did %q, error %v", at, statuses(res), b.world.log(), res.Hosts["a"].Err)
		}
	}
}

// What would not end before its window closes is not begun: a step by its timeout, an attempt by the patience of its goal.
func TestNothingBeginsThatWouldEndOutsideOfItsWindow(t *testing.T) {
	window := func(text string) *engine.Window {
		w, err := engine.ParseWindow(text)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	now := time.Date(2026, time.November, 21, 4, 50, 0, 0, time.UTC)
	timeout := func(d time.Duration) func(b *bench) {
		return func(b *bench) {
			b.settings = func(*engine.Entry, string) engine.Settings { return engine.Settings{On: "a", Timeout: d} }
		}
	}
	in := func(minutes int) string {
		return fmt.Sprintf("Sat 01:00-%s UTC", now.Add(time.Duration(minutes)*time.Minute).Format("15:04"))
	}
	nothing := func(*bench) {}
	for name, tt := range map[string]struct {
		window  string
		entries []*engine.Entry
		prepare func(*bench)
		did     string
		status  string
		says    string
	}{
		"there is time":                      {in(10), []*engine.Entry{step("set")}, timeout(10 * time.Minute), "set@a", "a=ok", ""},
		"a minute too long":                  {in(10), []*engine.Entry{step("set")}, timeout(11 * time.Minute), "", "a=not_attempted", "may need 11m0s, and the window (Sat 01:00-05:00 UTC) closes Sat 2026-11-21 05:00 +00:00"},
		"without a timeout":                  {in(44), []*engine.Entry{step("set")}, nothing, "", "a=not_attempted", "may need 45m0s"},
		"without a timeout, enough":          {in(45), []*engine.Entry{step("set")}, nothing, "set@a", "a=ok", ""},
		"nothing to do":                      {in(1), []*engine.Entry{step("set")}, func(b *bench) { b.world.on["a"] = true }, "", "a=ok", ""},
		"a window that never closes":         {"Mon-Sun 00:00-24:00 UTC", []*engine.Entry{step("set")}, nothing, "set@a", "a=ok", ""},
		"an attempt has the goal's patience": {in(1), []*engine.Entry{ladderOf("one")}, nothing, "one@a", "a=ok", ""},
		"a step of an attempt":               {in(1), []*engine.Entry{ladderOf("one")}, timeout(2 * time.Minute), "", "a=not_attempted", "may need 2m0s"},
		"something was done before": {in(3), []*engine.Entry{step("kick"), step("set")}, func(b *bench) {
			b.world.heals = func(string, string) bool { return false }
			b.settings = func(e *engine.Entry, _ string) engine.Settings {
				return engine.Settings{On: "a", Timeout: map[string]time.Duration{"kick": time.Minute}[e.Name]}
			}
		}, "kick@a", "a=aborted", "may need 45m0s"},
		"what closes a block is never too late": {in(3), []*engine.Entry{{Kind: engine.EntryBlock, Name: "b", Address: "p/b",
			Block: &engine.Block{Entries: []*engine.Entry{step("kick")}, Rescue: []*engine.Entry{step("kick")}, Finally: []*engine.Entry{step("set")}}}}, nothing, "set@a", "a=aborted", "may need 45m0s"},
	} {
		for _, whose := range []string{"play", "policy"} {
			t.Run(name+", of the "+whose, func(t *testing.T) {
				b := newBench([]string{"a"}, tt.entries...)
				b.items[0].Play.Acts = true
				tt.prepare(b)
				b.opts.Clock = fixed(now)
				bounds := run.Bounds{Window: window(tt.window)}
				if whose == "play" {
					b.items[0].Play.Window, bounds.Window = bounds.Window, nil
				}
				r := run.New(b.opts)
				p, _, err := r.Plan(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				r.Bound(bounds)
				res, err := r.Apply(t.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				if b.world.log() != tt.did || statuses(res) != tt.status {
					t.Errorf("did %q, hosts %s (%v); want %q, %s", b.world.log(), statuses(res), res.Hosts["a"].Err, tt.did, tt.status)
				}
				if tt.says != "" && !strings.Contains(fmt.Sprint(res.Hosts["a"].Err), tt.says) {
					t.Errorf("it says %v, want %s", res.Hosts["a"].Err, tt.says)
				}
			})
		}
	}
}

// The window of a policy is about acting: plays that only look are free. A host that another run has is not begun.
func TestBounds(t *testing.T) {
	w, err := engine.ParseWindow("Sun 01:00-05:00 UTC")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench([]string{"a", "b"}, step("set"))
	b.items[0].Play.Acts = true
	b.opts.Clock = fixed(time.Date(2026, time.November, 21, 4, 50, 0, 0, time.UTC))
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Bound(run.Bounds{Left: map[run.Spot]string{{Play: "p", Host: "a"}: "a is locked by run r7"}})
	res, err := r.Apply(t.Context(), p)
	if err != nil || statuses(res) != "a=not_attempted b=ok" || b.world.log() != "set@b" || !res.Hosts["a"].Left || res.Hosts["b"].Left {
		t.Errorf("%v %s %s", err, statuses(res), b.world.log())
	}
	b.world.on["b"] = false
	r.Bound(run.Bounds{Window: w})
	if res, err = r.Apply(t.Context(), p); err != nil || statuses(res) != "a=not_attempted b=not_attempted" {
		t.Errorf("%v %s", err, statuses(res))
	}
	if text := fmt.Sprint(res.Hosts["b"].Err); !strings.Contains(text, "outside of the window of the policy (Sun 01:00-05:00 UTC), which opens Sun 2026-11-22 01:00 +00:00") {
		t.Error(text)
	}
	looks := newBench([]string{"a"}, probe("see"))
	looks.opts.Clock = b.opts.Clock
	r = run.New(looks.opts)
	r.Bound(run.Bounds{Window: w})
	if res, err = r.Apply(t.Context(), p); err != nil || statuses(res) != "a=ok" {
		t.Errorf("a play that only looks: %v %s", err, statuses(res))
	}
}

// fixed is a clock that shows one time; After is the real one's.
type fixed time.Time

func (c fixed) Now() time.Time                         { return time.Time(c) }
func (c fixed) After(d time.Duration) <-chan time.Time { return time.After(d) }
