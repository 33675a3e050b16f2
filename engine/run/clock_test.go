package run_test

import (
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// leap is a clock whose time passes only while somebody waits; it serves one host at a time.
type leap struct{ time time.Time }

func (c *leap) Now() time.Time { return c.time }

func (c *leap) After(d time.Duration) <-chan time.Time {
	c.time = c.time.Add(d)
	over := make(chan time.Time, 1)
	over <- c.time
	return over
}

func TestClockIsTheOnlyTime(t *testing.T) {
	b := newBench([]string{"a"}, ladderOf("one", "two"))
	b.world.heals = func(string, string) bool { return false }
	began := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	clock := &leap{began}
	b.opts.Clock = clock
	_, res := b.both(t, nil)
	var goals []time.Duration
	for _, e := range b.log.events {
		if e.Kind == engine.EventGoal && e.Pass == "apply" {
			goals = append(goals, e.Time.Sub(began))
		}
	}
	// The goal polls every 10 ms within 60 ms: at once, then seven looks after each of two attempts.
	if len(goals) != 15 || goals[14] != 120*time.Millisecond || res.Took != 120*time.Millisecond {
		t.Errorf("looked at %v, took %s", goals, res.Took)
	}
}
