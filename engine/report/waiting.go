package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// goal shows a wait for a goal: that it begins, and until when it may take. The line of progress says that it goes on.
func (t *Terminal) goal(e engine.Event) {
	t.doing[e.Host] = "looking at the goal"
	t.verbose(2, "  %s: goal %s: %s", e.Host, e.Status, e.Reason)
	if e.Status == "true" || !e.Time.Before(e.Until) {
		return
	}
	t.doing[e.Host] = fmt.Sprintf("waiting until %s for %s: %s (look %d)", e.Until.Local().Format("15:04"),
		e.Entry[strings.LastIndex(e.Entry, "/")+1:], cmp.Or(e.Title, e.Reason), e.Attempt)
	if e.Attempt == 1 {
		t.line("", "  %s: %s", e.Host, t.doing[e.Host])
	}
}

// progress says how far a play has come, and what is being done: on a terminal in a line that is written over, in a log after a
// minute without a line, so that a long wait does not look like a hang.
func (t *Terminal) progress(now time.Time) {
	t.now = now
	switch {
	case t.play == "" || t.total == 0,
		t.Live && t.status && now.Sub(t.shown) < 100*time.Millisecond,
		!t.Live && now.Sub(t.stayed) < time.Minute:
		return
	}
	doing := ""
	if len(t.doing) > 0 {
		host := slices.Min(slices.Collect(maps.Keys(t.doing))) // the same one as a second ago, while it is at it
		doing = fmt.Sprintf("  %s: %s", host, t.doing[host])
	}
	text := Printable(fmt.Sprintf("%s  %d/%d hosts  %s%s", t.play, t.done, t.total, now.Sub(t.began).Round(time.Second), doing))
	if !t.Live {
		t.line("", "%s", text)
		return
	}
	if r := []rune(text); len(r) > 78 {
		text = string(r[:77]) + "…"
	}
	fmt.Fprint(t.W, "\r\x1b[K", text)
	t.status, t.shown = true, now
}

// startClock shows the progress every second until the play ends.
func (t *Terminal) startClock() {
	t.stopClock()
	if !t.Clock {
		return
	}
	stopped := make(chan struct{})
	t.stopped = stopped
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stopped:
				return
			case now := <-tick.C:
				t.mu.Lock()
				if t.stopped == stopped {
					t.progress(now)
				}
				t.mu.Unlock()
			}
		}
	}()
}

func (t *Terminal) stopClock() {
	if t.stopped != nil {
		close(t.stopped)
		t.stopped = nil
	}
}
