package main

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type runFlags struct {
	passFlags
	yes    bool
	check  bool
	policy string
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run PLAYBOOK",
		Short: "Look, show what would be done, ask, and do exactly that",
		Long: `run makes two passes over the playbook. The first only looks: it runs the probes, evaluates every condition, and
lets every step say what it would change. The result is shown and has to be confirmed. The second pass looks again and acts,
and does nothing that the first did not announce: a host that needs something else by then is stopped and reported (out_of_plan).

With --policy nobody is asked: the policies of the file judge the worst case of what was planned. It is done when one of them
permits all of it; else the plan is saved for a person, with the reasons (exit 6). See dsplay policy.

The first Ctrl-C (or SIGTERM) stops starting things and lets what runs finish; the second kills, on the targets too.
` + exitHelp,
		Example: `  dsplay run playbooks/engine-offline.hcl -i inventory.hcl
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --check              only look
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --limit esx2 --yes   act on esx2 only, do not ask
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --policy night.hcl   from cron: what the policy permits
  dsplay run playbooks/engine-offline.hcl -i inventory.hcl --var reboot=true --json > events.jsonl`,
		Args:              takes(1, 1),
		ValidArgsFunction: completePlaybook,
		RunE: func(c *cobra.Command, args []string) error {
			return a.telling(c.Context(), args[0], &f.passFlags, func() error { return a.run(c, args[0], f) })
		},
	}
	c.SetFlagErrorFunc(wrongFlag)
	a.registerRun(c, &f)
	return c
}

// registerRun adds everything that run takes.
func (a *app) registerRun(c *cobra.Command, f *runFlags) {
	f.load.register(c)
	a.registerScope(c, &f.passFlags)
	f.registerOutput(c)
	f.registerTelling(c)
	f.bounds.register(c)
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask before acting")
	c.Flags().BoolVar(&f.check, "check", false, "only look and show what would be done; exit 2 when there are changes")
	c.Flags().StringVar(&f.policy, "policy", "", "do not ask: act when a policy of this file permits all of the plan, else leave the plan for a person")
	completes(c, "policy", completeHCL)
}

func (a *app) run(c *cobra.Command, path string, f runFlags) error {
	if err := f.policyWith(); err != nil {
		return err
	}
	var policies []engine.Policy
	if f.policy != "" {
		var err error
		if policies, err = a.policies(f.policy); err != nil {
			return err
		}
	}
	if !f.check {
		unlock, err := a.lockRun(c.Context(), path, &f.passFlags)
		if err != nil {
			return err
		}
		defer unlock()
	}
	s, err := a.begin(c, path, f.passFlags)
	if err != nil {
		return err
	}
	if !f.yes && !f.check && f.policy == "" && acts(s.loaded.program.Playbook()) && (f.cron || !term.IsTerminal(int(a.stdin.Fd()))) {
		_ = s.runner.Close()
		return errors.New("nobody can be asked without a terminal: say --yes to act, or --check to look only, or let a policy decide (--policy FILE); nothing was executed")
	}
	return s.during(!f.check, func() error { return s.run(f, policies) })
}

// acts tells whether a playbook has a step; one that only looks needs nobody's consent.
func acts(p *engine.Playbook) bool {
	return slices.ContainsFunc(p.Items, func(i engine.Item) bool { return i.Play != nil && i.Play.Acts })
}

// run plans, shows, asks and applies.
func (s *session) run(f runFlags, policies []engine.Policy) error {
	if policies != nil {
		return s.unattended(policies)
	}
	p, done, err := s.plan()
	if err != nil || done {
		return err
	}
	d, err := s.estate(p)
	if err != nil {
		return err
	}
	if err := s.brief(d); err != nil {
		return err
	}
	if f.check {
		return s.planned(p, exitChanges)
	}
	no := ""
	if !f.yes {
		no = s.refusal()
	}
	switch {
	case s.signal.Load() != 0:
		return s.finish(exitSIGINT, "stopped", "a signal asked to stop; nothing was changed")
	case no != "":
		return s.finish(exitRefused, "not confirmed", no+"nothing was changed")
	}
	ok, waited, err := s.admit(p)
	switch {
	case err != nil || !ok:
		return err
	case f.yes && !waited:
		return s.apply(p)
	}
	return s.judged(p, driftRefuse) // somebody has read the plan, or waited, and the world may have moved meanwhile
}

// refusal asks the person at the terminal, and is empty for a yes.
func (s *session) refusal() string {
	fmt.Fprint(s.text(), "\nDo this? Only 'yes' is a yes: ")
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(s.stdin).ReadString('\n')
		if err != nil {
			line = ""
		}
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		switch line {
		case "yes":
			return ""
		case "":
			return "no answer; "
		}
		return fmt.Sprintf("the answer was %q, not yes; ", line)
	case <-s.stop:
		return "a signal came instead of an answer; "
	}
}
