// Package rehearse knows how to run a playbook against a scenario: everything is the engine's own but the modules, which
// are mocks, the connections, which are never opened, and the time, which passes only while somebody waits.
package rehearse

import (
	"context"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/scenario"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/policy"
	"github.com/dsplay/dsplay/engine/run"
)

// Rehearsal is a test that is ready to be run: its playbook was loaded with its variables and for its inventory.
type Rehearsal struct {
	Test      *scenario.Test
	Program   engine.Program
	Inventory *engine.Inventory
	// Policies decide after planning whether anything is done; nil: it is done.
	Policies []engine.Policy
	Stop     <-chan struct{} // closed by a signal
	Also     engine.Journal  // gets every event, too; nil: nobody
}

// Outcome is how a test went. It passed when there are neither problems nor failures.
type Outcome struct {
	Test *scenario.Test
	// Problems are what kept the test from being judged: something needed that is not mocked, a mock that does not fit.
	Problems engine.Problems
	Failures []Failure
	Plan     *plan.Plan       // what was planned, and
	Result   run.Result       // how its last pass ended; both only without problems
	Used     []*scenario.Mock // mocks that were asked
	Took     time.Duration    // of real time
	Lasted   time.Duration    // of simulated time
}

// Passed tells whether everything happened that was expected, and nothing else.
func (o Outcome) Passed() bool { return len(o.Problems) == 0 && len(o.Failures) == 0 }

// Run plans and, as "dsplay run --yes" does, applies where the plan has something to do. Hosts are taken one after the
// other, in the order of their names, so that the same test always goes the same way. The error is a bug, or the end of ctx.
func (r Rehearsal) Run(ctx context.Context) (Outcome, error) {
	began := time.Now()
	out := Outcome{Test: r.Test}
	clock := newClock(r.Test.Now())
	world, problems := r.Test.World(r.Inventory, clock.Now)
	if problems != nil {
		out.Problems = problems
		return out, nil
	}
	expect, problems := world.Expect()
	if problems != nil {
		out.Problems = problems
		return out, nil
	}
	s := &stage{Program: r.Program, world: world}
	story := newStory(r.Program.Playbook(), r.Also)
	runner := run.New(run.Options{ID: "rehearsal", Program: s, Inventory: r.Inventory, Transports: s.transports(r.Inventory), Parallel: 1,
		Journal: story, Stop: r.Stop, Clock: clock})
	p, res, refused, err := r.both(ctx, runner, clock)
	if err != nil {
		return out, err
	}
	_ = runner.Close() // nothing was opened
	out.Took, out.Lasted = time.Since(began), clock.passed()
	out.Used, out.Problems = s.used(r.Test), s.problems
	if len(out.Problems) == 0 {
		out.Plan, out.Result = p, res
		out.Failures = append(judge(expect, story, p, res, refused), s.unused(r.Test)...)
	}
	return out, nil
}

// both makes the two passes of a run; the result is that of the last one. What policies refuse is not done; refused are
// their rules.
func (r Rehearsal) both(ctx context.Context, runner *run.Runner, c *clock) (p *plan.Plan, res run.Result, refused map[string]string, err error) {
	p, res, err = runner.Plan(ctx)
	if err != nil || res.Stop != nil || len(p.Acting()) == 0 || !res.AnyHost {
		return p, res, nil, err
	}
	if r.Policies != nil {
		by, verdicts := policy.Permits(r.Policies, r.document(p), policy.Facts{Now: c.Now(), Past: &engine.Past{}})
		if by == nil {
			return p, res, rules(verdicts), nil
		}
		runner.Bound(run.Bounds{Window: by.Window})
	}
	res, err = runner.Apply(ctx, p)
	return p, res, nil, err
}

// document is the plan as policies judge it. In a rehearsal every host is who it says.
func (r Rehearsal) document(p *plan.Plan) *plan.Document {
	pb := r.Program.Playbook()
	head := plan.Document{Playbook: plan.Playbook{Path: pb.Path}}
	for _, f := range pb.Files {
		head.Playbook.Files = append(head.Playbook.Files, plan.NewFile(f))
	}
	for _, name := range r.Inventory.Names() {
		head.Hosts = append(head.Hosts, plan.Host{Name: name, Groups: r.Inventory.Hosts[name].Groups})
	}
	d := p.Document(head)
	for i := range d.Hosts {
		d.Hosts[i].Identity = "rehearsed"
	}
	return d
}

// rules are those that refuse, as a test names them, and why.
func rules(verdicts []policy.Verdict) map[string]string {
	out := map[string]string{}
	for _, v := range verdicts {
		for _, r := range v.Refusals() {
			name := v.Policy + "." + r.Name
			out[name] = strings.TrimPrefix(out[name]+"; "+r.Reason, "; ")
		}
	}
	return out
}
