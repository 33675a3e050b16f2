package main

import (
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// recurrence is how far back it is looked for the same trouble.
const recurrence = 7 * 24 * time.Hour

// tellRecurrences says of what this run had to bring back that it was brought back before: then the cause is still there. That
// old records cannot be read is no reason to say nothing.
func (s *session) tellRecurrences() error {
	now := s.record.recoveries.All()
	if len(now) == 0 || s.record.file == nil {
		return nil
	}
	past, _ := journal.Recovered(s.state, time.Now().Add(-recurrence), s.id)
	for _, r := range journal.Recurrences(past, now) {
		vain := ""
		if r.Failed > 0 {
			vain = fmt.Sprintf(", %d in vain", r.Failed)
		}
		if err := s.runner.Log(engine.Event{Kind: engine.EventRecurrence, Pass: "apply", Play: r.Play, Host: r.Host, Entry: r.Entry,
			Counts: map[string]int{"days": r.Days, "times": r.Times, "failed": r.Failed},
			Reason: fmt.Sprintf("%s: %q had to be recovered here on %s of the last 7 (%d times%s): what brings it back hides the cause; look for it, or for a known bug",
				r.Host, r.Name(), plural(r.Days, "day"), r.Times, vain)}); err != nil {
			return err
		}
	}
	return nil
}
