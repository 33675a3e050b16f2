package main

import (
	"fmt"
	"slices"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

// What apply does when decisions would be others than those of the plan.
const (
	driftRefuse = "refuse"
	driftNarrow = "narrow"
)

// judged looks again, compares the decisions with the approved ones, and acts when they are the same; or, narrowing,
// when some are only not needed any more.
func (s *session) judged(approved *plan.Plan, mode string) error {
	now, res, err := s.look()
	if err != nil {
		return err
	}
	drift := plan.Compare(approved, now)
	safe := mode == driftNarrow && !slices.ContainsFunc(drift, func(d plan.Drift) bool { return !d.Gone })
	switch {
	case s.signal.Load() != 0 || res.Stop != nil && res.Stop.Kind == run.StopSignal:
		return s.finish(exitSIGINT, "stopped", "a signal asked to stop; nothing was changed")
	case len(drift) > 0 && !safe:
		return s.drifted(drift)
	}
	if err := s.tellDrift(drift, "dropped"); err != nil {
		return err
	}
	approved.Narrow(drift)
	if len(approved.Acting()) == 0 {
		return s.finish(exitOK, "ok", "nothing that the plan says is needed any more; nothing was changed")
	}
	return s.apply(approved)
}

// drifted ends a session whose plan is not what would be decided today.
func (s *session) drifted(drift []plan.Drift) error {
	if err := s.tellDrift(drift, "refused"); err != nil {
		return err
	}
	hosts := map[string]bool{}
	where := ""
	for _, d := range drift {
		if d.Host == "" || hosts[d.Host] {
			continue
		}
		hosts[d.Host] = true
		if len(hosts) <= 3 {
			where += ", " + d.Host
		}
		if err := s.runner.Log(engine.Event{Kind: engine.EventHostEnd, Pass: "apply", Play: d.Play, Host: d.Host, Status: string(engine.HostDrifted)}); err != nil {
			return err
		}
	}
	if n := len(hosts); n > 3 {
		where += fmt.Sprintf(" and %d more", n-3)
	}
	if where != "" {
		where = " (" + where[2:] + ")"
	}
	hint := "plan again"
	if !slices.ContainsFunc(drift, func(d plan.Drift) bool { return !d.Gone }) {
		hint += ", or say --on-drift narrow: all of it is only not needed any more"
	}
	return s.refused(fmt.Errorf("the estate is not as it was planned for: %s would be different today%s; %s", plural(len(drift), "decision"), where, hint))
}

func (s *session) tellDrift(drift []plan.Drift, status string) error {
	for _, d := range drift {
		if err := s.runner.Log(engine.Event{Kind: engine.EventDrift, Pass: "apply", Play: d.Play, Host: d.Host, Entry: d.Entry, Item: d.Item,
			Status: status, Reason: d.What, Place: d.Place}); err != nil {
			return err
		}
	}
	return nil
}
