package run

import "time"

// Clock is what a run takes for the time: when something was, and how it waits. A rehearsal gives one whose time
// passes only while somebody waits. Deadlines of connections and modules are not its matter: they are real.
type Clock interface {
	Now() time.Time
	// After sends once d has passed.
	After(d time.Duration) <-chan time.Time
}

// wall is the clock of a real run.
type wall struct{}

func (wall) Now() time.Time                         { return time.Now() }
func (wall) After(d time.Duration) <-chan time.Time { return time.After(d) }

// now is the time by the clock of this run.
func (r *Runner) now() time.Time { return r.o.Clock.Now() }
