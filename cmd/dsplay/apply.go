package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"github.com/spf13/cobra"
)

type applyFlags struct {
	passFlags
	expect  string
	signers string
	require int
	drift   string
	policy  string

	approvals int // that count
}

func (a *app) applyCommand() *cobra.Command {
	var f applyFlags
	c := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Do what an approved plan says: exactly that and nothing else",
		Long: `apply executes the playbook that is inside the plan. Before anything is changed it refuses a plan that was altered, has
expired, was rejected, lacks approvals, or was used before; it refuses hosts that are not those of the plan; and it looks
at the estate again: when a decision would be different today, nothing is done (--on-drift refuse, which is the default). With
--on-drift narrow what is only not needed any more is dropped: a whole recover, or all of a host in a play. Values that
change no decision are no drift.

Meanwhile nothing outside the plan can happen: what a host needs and the plan does not say stops that host (out_of_plan);
what is not needed any more is not done (resolved).

Connections and secrets come from the inventory, which is read again. A secret variable has no value in the plan: give it
again. Giving the plan is the consent: there is no question.
` + exitHelp,
		Example: `  dsplay apply night.plan --expect sha256:9f86d081884c7d65…    the id that the change ticket holds
  dsplay apply night.plan --allowed-signers approvers --require-approvals 2
  dsplay apply night.plan --on-drift narrow                    what healed meanwhile is left alone`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlan,
		RunE: func(c *cobra.Command, args []string) error {
			return a.telling(c.Context(), args[0], &f.passFlags, func() error { return a.apply(c, args[0], f) })
		},
	}
	c.SetFlagErrorFunc(wrongFlag)
	c.Flags().StringVar(&f.expect, "expect", "", "the id that the plan must have")
	c.Flags().StringVar(&f.signers, "allowed-signers", "", "whose approvals count: a file as ssh-keygen(1) describes it (ALLOWED SIGNERS)")
	c.Flags().IntVar(&f.require, "require-approvals", 0, "how many people, not the planner, must have approved (default 1 with --allowed-signers)")
	c.Flags().StringVar(&f.drift, "on-drift", driftRefuse, "when decisions would be different today: refuse, or narrow to what is still needed")
	completes(c, "on-drift", cobra.FixedCompletions([]cobra.Completion{driftRefuse, driftNarrow}, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().StringVar(&f.policy, "policy", "", "apply only when a policy of this file permits all of the plan now; approvals count with --allowed-signers")
	completes(c, "policy", completeHCL)
	f.registerUnder(c)
	return c
}

func (a *app) apply(c *cobra.Command, path string, f applyFlags) error {
	if f.drift != driftRefuse && f.drift != driftNarrow {
		return fmt.Errorf("--on-drift %s: it is %s or %s; nothing was executed", f.drift, driftRefuse, driftNarrow)
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	var policies []engine.Policy
	if f.policy != "" {
		if policies, err = a.policies(f.policy); err != nil {
			return err
		}
	}
	d, err := a.applicable(path, state, &f)
	if err != nil {
		return err
	}
	valid := func() error {
		if err := standing(d, time.Now()); err != nil {
			return refusal(path, err)
		}
		return nil
	}
	return a.under(c, d, f.passFlags, valid, func(s *session) error { return s.applyFile(d, policies, f) })
}

// applyFile compares the estate with the plan's, and acts.
func (s *session) applyFile(d *plan.Document, policies []engine.Policy, f applyFlags) error {
	s.record.first = func() error { return journal.Spend(s.state, journal.Spent{Plan: d.ID, Run: s.id, When: time.Now()}) }
	s.noteDifferences(d)
	if err := s.sameHosts(d); err != nil {
		return s.refused(err)
	}
	p := d.Envelope(s.loaded.program.Playbook())
	if ok, _, err := s.admit(p); err != nil || !ok {
		return err
	}
	if policies != nil {
		if ok, err := s.takeTurn(); err != nil || !ok {
			return err
		}
		by, err := s.permitted(d, policies, f.approvals)
		switch {
		case err != nil:
			return err
		case by == nil:
			return s.refused(errors.New("no policy permits the whole plan"))
		}
		s.bind(by)
	}
	return s.judged(p, f.drift)
}

// applicable reads a plan and refuses one that must not be applied, whatever the estate.
func (a *app) applicable(path, state string, f *applyFlags) (*plan.Document, error) {
	data, d, err := readPlan(path)
	switch {
	case codeOf(err) == exitRefused:
		return nil, &exitError{exitRefused, fmt.Errorf("%w; nothing was executed", err)}
	case err != nil:
		return nil, err
	}
	if err := expected(d, f.expect); err != nil {
		return nil, refusal(path, err)
	}
	if err := standing(d, time.Now()); err != nil {
		return nil, refusal(path, err)
	}
	if f.signers != "" && f.require == 0 {
		f.require = 1
	}
	report, err := approve.Check(path, data, d, approve.Options{AllowedSigners: f.signers, Require: f.require, Now: time.Now()})
	if f.approvals = len(report.Approvals); err != nil {
		var refused *approve.Refused
		if errors.As(err, &refused) {
			return nil, refusal(path, err)
		}
		return nil, fmt.Errorf("%w; nothing was executed", err)
	}
	spent, err := journal.SpentBy(state, d.ID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w; nothing was executed", err)
	case spent != nil:
		return nil, refusal(path, spent)
	}
	return d, nil
}

func refusal(path string, err error) error {
	return &exitError{exitRefused, fmt.Errorf("%s: %w; nothing was executed", path, err)}
}
