package run_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
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

// fixed is a clock that shows one time; After is the real one's.
type fixed time.Time

func (c fixed) Now() time.Time                         { return time.Time(c) }
func (c fixed) After(d time.Duration) <-chan time.Time { return time.After(d) }
