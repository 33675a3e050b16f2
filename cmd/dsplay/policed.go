package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal/lock"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/policy"
)

// validLeft is how long a plan that was left for a person may be applied.
const validLeft = 24 * time.Hour

// unattended plans, lets the policies judge what was planned, and applies it or leaves it for a person. For a playbook that
// none of them permits not even a plan is made: planning runs probes.
func (s *session) unattended(policies []engine.Policy) error {
	if ok, err := s.foreseen(policies); err != nil || !ok {
		return err
	}
	p, done, err := s.plan()
	if err != nil || done {
		return err
	}
	d, err := s.document(p, validLeft)
	if err != nil {
		return err
	}
	if err := s.brief(d); err != nil {
		return err
	}
	ok, waited, err := s.admit(p)
	if err != nil || !ok {
		return err
	}
	if ok, err := s.takeTurn(); err != nil || !ok {
		return err
	}
	by, err := s.permitted(d, policies, 0) // under the locks: no other run does anything to these hosts meanwhile
	switch {
	case err != nil:
		return err
	case by == nil:
		return s.leave(d)
	}
	s.bind(by)
	if waited {
		return s.judged(p, driftRefuse)
	}
	return s.apply(p)
}

// Names of what the apply event says of the policy that permits a run.
const (
	permitPolicy = "policy"
	permitWindow = "window"
)

// bind keeps the run within the window of the policy that permits it, also when it is cut and gone on with.
func (s *session) bind(by *engine.Policy) {
	s.permit = []engine.Arg{{Name: permitPolicy, Value: by.Name}}
	if by.Window != nil {
		s.permit = append(s.permit, engine.Arg{Name: permitWindow, Value: by.Window.String()})
	}
	s.bounds.Window = by.Window
	s.runner.Bound(s.bounds)
}

// turnPatience is how long a run that would not wait for a lock waits for its turn.
const turnPatience = 10 * time.Minute

// takeTurn makes sure that no other run of this state folder is judged by policies until the plan of this one is on record (endTurn):
// two runs that do not know of each other could be too much together. False: the session was ended.
func (s *session) takeTurn() (bool, error) {
	folder, err := lockFolder()
	if err != nil {
		return false, s.refusedLock(exitUsage, err)
	}
	name, me := "policies of "+realPath(s.state), asHolder(s.id, "the judgement by policies")
	// Mostly the other one needs milliseconds, which nobody has to be told. Minutes, when it looks at its estate again: that is waited for
	// whatever --lock says, because it is neither the playbook nor a host that the other one has.
	if s.turn, err = folder.Take(s.c.Context(), name, me, 2*time.Second); errors.As(err, new(*lock.Busy)) {
		f := boundFlags{lock: lockWait, patience: s.f.bounds.patience}
		if s.f.bounds.lock != lockWait {
			f.patience = turnPatience
		}
		s.turn, err = s.take(s.c.Context(), folder, name, me, f)
	}
	switch {
	case errors.As(err, new(*lock.Busy)):
		return false, s.refusedLock(exitLocked, err)
	case err != nil:
		return false, s.refusedLock(codeOf(err), err)
	}
	return true, nil
}

// endTurn lets the next run be judged. What this one may do can be read by then.
func (s *session) endTurn() error {
	if s.turn == nil {
		return nil
	}
	err := s.record.Sync()
	s.turn.Release()
	s.turn = nil
	return err
}

// windowOf is the window of the policy that permitted a run; nil: there was none.
func windowOf(permit []engine.Arg) (*engine.Window, error) {
	for _, a := range permit {
		if a.Name == permitWindow {
			return engine.ParseWindow(a.Value)
		}
	}
	return nil, nil //nolint:nilnil // no window is no error
}

// stillPermitted keeps what is gone on with within the window of the policy that had permitted it: nobody else has consented to
// the plan. The other rules judged its whole worst case, and nothing is added to that.
func (s *session) stillPermitted(now time.Time) error {
	w := s.resumes.window
	s.bounds.Window = w
	if w == nil || w.Open(now) {
		return nil
	}
	text := fmt.Sprintf("a policy permitted the run within its window only, which is closed (%s)", w)
	if opens := w.Opens(now); !opens.IsZero() {
		text += "; it opens " + w.Clock(opens)
	}
	return fmt.Errorf("%s. The run can be resumed then; or run the playbook again yourself", text)
}

// foreseen asks the policies before anything is contacted. False: the session was ended.
func (s *session) foreseen(policies []engine.Policy) (bool, error) {
	verdicts := make([]policy.Verdict, len(policies))
	for i, p := range policies {
		verdicts[i] = policy.Before(p, s.loaded.program.Playbook())
	}
	if slices.ContainsFunc(verdicts, func(v policy.Verdict) bool { return v.Permitted }) {
		return true, nil
	}
	if err := s.tellVerdicts(verdicts); err != nil {
		return false, err
	}
	return false, s.finish(exitRefused, "refused", "no policy permits this playbook; nothing was contacted")
}

// permitted is the policy that permits a plan now; nil: none does. What they say is recorded.
func (s *session) permitted(d *plan.Document, policies []engine.Policy, approvals int) (*engine.Policy, error) {
	facts := policy.Facts{Now: time.Now(), Approvals: approvals}
	learn(&facts, s.state, s.id, policies)
	by, verdicts := policy.Permits(policies, s.inGroups(d), facts)
	return by, s.tellVerdicts(verdicts)
}

// inGroups is a plan whose hosts are in the groups that the inventory has now: how many of a group may be acted on is no matter of
// what the file of a plan says of them.
func (s *session) inGroups(d *plan.Document) *plan.Document {
	now := *d
	now.Hosts = slices.Clone(d.Hosts)
	for i := range now.Hosts {
		if h := s.inv.Hosts[now.Hosts[i].Name]; h != nil {
			now.Hosts[i].Groups, now.Hosts[i].Connection = h.Groups, h.Connection.Type
		}
	}
	return &now
}

// tellVerdicts records every rule, and after them what the policy says as a whole.
func (s *session) tellVerdicts(verdicts []policy.Verdict) error {
	for _, v := range verdicts {
		for _, r := range v.Rules {
			status := "passed"
			if !r.Passed {
				status = "refused"
			}
			if err := s.runner.Log(engine.Event{Kind: engine.EventPolicy, Title: v.Policy, Item: r.Name, Status: status, Reason: r.Reason, Place: r.Place}); err != nil {
				return err
			}
		}
		whole := engine.Event{Kind: engine.EventPolicy, Title: v.Policy, Status: "permitted"}
		if !v.Permitted {
			whole.Status = "refused"
		}
		if err := s.runner.Log(whole); err != nil {
			return err
		}
	}
	return nil
}

// leave keeps a plan that no policy permits, and says how a person goes on with it.
func (s *session) leave(d *plan.Document) error {
	path := leftPlan(s.state, s.id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("the plan cannot be kept for a person: %w; nothing was changed", err)
	}
	if _, err := writePlan(d, path); err != nil {
		return err
	}
	next := []string{"dsplay show " + path, fmt.Sprintf("dsplay approve %s --key KEY", path), fmt.Sprintf("dsplay apply %s --expect %s", path, d.ID)}
	if err := s.runner.Log(engine.Event{Kind: engine.EventLeft, Title: d.ID, Reason: path, Lines: next}); err != nil {
		return err
	}
	return s.finish(exitRefused, "refused", fmt.Sprintf("no policy permits the whole plan; it is left for a person (%s, valid until %s); nothing was changed", path, clock(d.Until)))
}

// leftPlan is the file of the plan that a run left for a person.
func leftPlan(state, run string) string { return filepath.Join(state, "left", run+".plan") }

// policyWith refuses flags that exclude --policy.
func (f runFlags) policyWith() error {
	var with []string
	for name, said := range map[string]bool{"--yes": f.yes, "--check": f.check} {
		if said {
			with = append(with, name)
		}
	}
	if f.policy != "" && len(with) > 0 {
		return fmt.Errorf("--policy and %s exclude each other: the policy says yes or no; nothing was executed", strings.Join(with, ", "))
	}
	return nil
}
