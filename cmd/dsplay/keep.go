package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/plan"
)

// keep puts the plan, as it is applied, into the run's folder, and binds the journal to it: that is what resume needs, beside
// the inventory and the secrets. A run that was gone on with has it already.
func (s *session) keep(p *plan.Plan) error {
	if s.resumes != nil {
		return s.runner.Log(engine.Event{Kind: engine.EventApply, Plan: s.approved.ID, Args: s.resumes.permitted})
	}
	d, err := s.applied(p)
	if err != nil { // no reason not to run: nothing is less safe
		s.note("this run could not be resumed if it were cut: %v", err)
		return s.runner.Log(engine.Event{Kind: engine.EventApply})
	}
	data, err := d.Encode()
	if err == nil {
		err = journal.WriteFile(s.record.file.Dir(), journal.Plan, data)
	}
	if err != nil {
		_ = s.finish(exitFailed, "failed", "the plan could not be kept in the folder of the run; nothing was changed") // err says more
		return &exitError{exitFailed, fmt.Errorf("the plan could not be kept in the folder of the run: %w; nothing was changed", err)}
	}
	s.spends(d.ID)
	if err := s.runner.Log(engine.Event{Kind: engine.EventApply, Plan: d.ID, Args: s.permit}); err != nil {
		return err
	}
	return s.endTurn()
}

// spends makes the first change use up the kept plan, too, where that is not the one that was approved.
func (s *session) spends(id string) {
	if s.approved != nil && s.approved.ID == id {
		return
	}
	approved := s.record.first
	s.record.first = func() error {
		if approved != nil {
			if err := approved(); err != nil {
				return err
			}
		}
		return journal.Spend(s.state, journal.Spent{Plan: id, Run: s.id, When: time.Now()})
	}
}

// applied is the document of the plan as it is applied: narrowed where that was asked for.
func (s *session) applied(p *plan.Plan) (*plan.Document, error) {
	if s.approved == nil {
		d, err := s.document(p, validity)
		if err != nil {
			return nil, errors.New(withoutEnd(err))
		}
		return d, nil
	}
	d := *s.approved
	d.Items = p.Items()
	return &d, nil
}

// validity is until when a plan that is applied at once could have been begun.
const validity = 24 * time.Hour
