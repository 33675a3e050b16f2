package rehearse

import (
	"sync"
	"time"
)

// clock is a run.Clock whose time passes only while somebody waits, and then at once. That is right as long as one
// host is worked on at a time: with several, the waiting of one would use up the patience of the others.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// dawn is when every rehearsal begins: a Monday, at a whole second.
var dawn = time.Date(2024, time.January, 1, 9, 0, 0, 0, time.UTC)

func newClock() *clock { return &clock{now: dawn} }

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

func (c *clock) passed() time.Duration { return c.Now().Sub(dawn) }
