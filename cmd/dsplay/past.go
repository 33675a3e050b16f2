package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/plan/policy"
)

// past is what the runs of a state folder did since a time, as their journals tell, and what those that go on may still do; the run that
// asks (its id) does not count. A record that cannot be read or was changed is an error: nobody knows what was done.
func past(state, self string, since, now time.Time) (*engine.Past, error) {
	runs, err := journal.History(state, since)
	if err != nil {
		return nil, err
	}
	out := &engine.Past{Underway: map[string]string{}}
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
		if r.Stands == journal.Running && r.Plan != "" {
			if err := ahead(state, r, now, out); err != nil {
				return nil, fmt.Errorf("run %s goes on, and what it may do is not known: %w", r.Run, err)
			}
		}
	}
	return out, nil
}

// ahead adds what a run that goes on may do and has not begun: what its plan says.
func ahead(state string, r journal.Run, now time.Time, out *engine.Past) error {
	d, err := keptPlan(state, r.Run, r.Plan)
	if err != nil {
		return err
	}
	begun := map[[4]string]bool{}
	for _, i := range r.Intents {
		begun[[4]string{i.Play, i.Host, i.Entry, i.Item}] = true
	}
	for _, i := range d.Items {
		if i.Acts() && !begun[[4]string{i.Play, i.Host, i.Entry, i.Item}] {
			out.Deeds = append(out.Deeds, engine.Deed{Run: r.Run, Ahead: true, Time: now, Host: i.On, Module: i.Module, Args: i.Args})
		}
	}
	acted := policy.Hosts(d)
	for _, h := range d.Hosts {
		if h.Settings != "" && slices.Contains(acted, h.Name) {
			out.Underway[h.Settings] = r.Run
		}
	}
	return nil
}
