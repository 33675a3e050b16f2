package journal

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Recovery is a recover on a host whose goal did not hold when it was looked at.
type Recovery struct {
	Time     time.Time `json:"time"` // of its end; of its first attempt when it has none
	Play     string    `json:"play"`
	Host     string    `json:"host"`
	Entry    string    `json:"entry"` // address of the recover
	Attempts []string  `json:"attempts"`
	Healed   bool      `json:"healed"` // the goal holds after the last of them
	Over     bool      `json:"over"`   // else the run was cut meanwhile
}

// Name is the recover's own name.
func (r Recovery) Name() string { return r.Entry[strings.LastIndex(r.Entry, "/")+1:] }

// Recoveries collects the recoveries of a run from its events. The zero value is ready.
type Recoveries struct {
	order []*Recovery
	by    map[spot]*Recovery
}

type spot struct{ play, host, entry, item string }

// Add takes one event.
func (c *Recoveries) Add(e engine.Event) {
	at := spot{e.Play, e.Host, e.Entry, ""}
	switch {
	case e.Kind == engine.EventAttempt && e.Status == "started":
		r := c.by[at]
		if r == nil {
			r = &Recovery{Time: e.Time, Play: e.Play, Host: e.Host, Entry: e.Entry}
			if c.by == nil {
				c.by = map[spot]*Recovery{}
			}
			c.by[at] = r
			c.order = append(c.order, r)
		}
		if !slices.Contains(r.Attempts, e.Title) {
			r.Attempts = append(r.Attempts, e.Title)
		}
	case e.Kind == engine.EventEntryEnd && e.Module == "" && c.by[at] != nil:
		r := c.by[at]
		r.Time, r.Over, r.Healed = e.Time, true, e.Status == string(engine.StatusChanged)
	}
}

// All are the recoveries so far, in the order in which they began.
func (c *Recoveries) All() []Recovery {
	var out []Recovery
	for _, r := range c.order {
		out = append(out, *r)
	}
	return out
}

// Recurrence says that a recover was needed on a host before.
type Recurrence struct {
	Recovery
	Days   int // on how many days of this machine's calendar, today included
	Times  int // this one included; those that were cut do not count
	Failed int // of them in vain
}

// Recurrences finds which of the recoveries of a run (now) happened on the same host before, in past.
func Recurrences(past []Run, now []Recovery) []Recurrence {
	days, times, failed := map[spot]map[string]bool{}, map[spot]int{}, map[spot]int{}
	count := func(r Recovery) {
		if !r.Over { // somebody stopped it, or the process died: that says nothing of the cause
			return
		}
		at := spot{r.Play, r.Host, r.Entry, ""}
		if days[at] == nil {
			days[at] = map[string]bool{}
		}
		days[at][r.Time.Local().Format(time.DateOnly)] = true
		times[at]++
		if !r.Healed {
			failed[at]++
		}
	}
	for _, run := range past {
		for _, r := range run.Recoveries {
			count(r)
		}
	}
	before := maps.Clone(times)
	var out []Recurrence
	for _, r := range now {
		at := spot{r.Play, r.Host, r.Entry, ""}
		count(r)
		if r.Over && before[at] > 0 {
			out = append(out, Recurrence{r, len(days[at]), times[at], failed[at]})
		}
	}
	return out
}

// Recovered gives the runs that wrote something at or after since and needed a recover, without their intents; the run but is
// left out. The error is that of records that could not be read; the others are given.
func Recovered(state string, since time.Time, but string) ([]Run, error) {
	ids, err := IDs(state)
	if err != nil {
		return nil, err
	}
	var runs []Run
	var bad []error
	for _, id := range ids {
		if id == but || !wroteSince(state, id, since) {
			continue
		}
		s, stands, err := Brief(state, id)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		if len(s.Recoveries) > 0 {
			runs = append(runs, Run{Summary: s, Stands: stands})
		}
	}
	return runs, errors.Join(bad...)
}

func wroteSince(state, id string, since time.Time) bool {
	info, err := os.Stat(filepath.Join(Dir(state, id), Events))
	return err == nil && !info.ModTime().Before(since)
}
