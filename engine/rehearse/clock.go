package rehearse

import (
	"sync"
	"time"
)

// clock is a run.Clock whose time passes only while somebody waits, and then at once. That is right as long as one
// host is worked on at a time: with several, the waiting of one would use up the patience of the others.
type clock struct {
	mu         sync.Mutex
	began, now time.Time
}

// dawn is when a rehearsal begins that does not say when: a Monday, at a whole second.
var dawn = time.Date(2024, time.January, 1, 9, 0, 0, 0, time.UTC)

// newClock begins at a time, or at dawn when it is zero.
func newClock(at time.Time) *clock {
	if at.IsZero() {
		at = dawn
	}
	return &clock{began: at, now: at}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(0, d))
	over := make(chan time.Time, 1)
	over <- c.now
	return over
}

func (c *clock) passed() time.Duration { return c.Now().Sub(c.began) }
