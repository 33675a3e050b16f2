// Package clock makes lab time: a factor on real time, so that a ten-minute heartbeat can take a second.
// Only durations are scaled. Time stamps that a simulated system reports are real ones, because whatever
// looks at the lab from outside lives in real time.
package clock

import (
	"context"
	"time"
)

// Clock is lab time. The zero value runs at real speed.
type Clock struct {
	// Speed is how many lab seconds pass in a real one; 0 means 1.
	Speed float64
}

// Real is how long a lab duration takes in real time.
func (c Clock) Real(lab time.Duration) time.Duration {
	if c.Speed <= 0 {
		return lab
	}
	return time.Duration(float64(lab) / c.Speed)
}

// Wait waits for a lab duration or for the end of ctx.
func (c Clock) Wait(ctx context.Context, lab time.Duration) error {
	timer := time.NewTimer(c.Real(lab))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
