package main

import (
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// past is what the runs of a state folder did since a time, as their journals tell; the run that asks (its id) does not count.
// A record that cannot be read or was changed is an error: nobody knows what was done.
func past(state, self string, since time.Time) (*engine.Past, error) {
	runs, err := journal.History(state, since)
	if err != nil {
		return nil, err
	}
	out := &engine.Past{}
	for _, r := range runs {
		if r.Run == self {
			continue
		}
		for _, i := range r.Intents {
			out.Deeds = append(out.Deeds, engine.Deed{Run: r.Run, Time: i.Time, Host: i.On, Module: i.Module, Args: i.Args})
		}
		for _, x := range r.Recoveries {
			if x.Over {
				out.Recoveries = append(out.Recoveries, engine.Recovery{Run: r.Run, Time: x.Time, Playbook: r.Playbook, Host: x.Host, Entry: x.Entry, Failed: !x.Healed})
			}
		}
	}
	return out, nil
}
