package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

// ladder is a recover on one host.
type ladder struct {
	*hostRun
	x       *execution
	r       *engine.Recover
	polling engine.Polling
	applies []rung
	last    time.Time // the end of the last attempt
}

// rung is an attempt and what its condition said before the recover began.
type rung struct {
	attempt *engine.Attempt
	when    engine.Evaluated
}

// recover looks at the goal, and tries one attempt after the other until the goal holds.
func (h *hostRun) recover(ctx context.Context, x *execution) error {
	l := &ladder{hostRun: h, x: x, r: x.e.Recover}
	if err := l.prepare(); err != nil {
		return x.ended(err)
	}
	if kept, err := l.keptRecover(); kept {
		return x.ended(err)
	}
	if begun := l.begunAttempts(); len(begun) > 0 {
		holds, why, err := l.lookAgain(ctx, begun)
		if err != nil || holds {
			return x.ended(err)
		}
		return x.ended(l.climb(ctx, why, begun))
	}
	if h.planning && (len(h.pending) > 0 || x.as == plan.Depends || x.as == plan.RescueOnly || h.o.Offline) {
		return x.ended(l.planAll(ctx, l.depends(), slices.Concat(h.pending, x.waits)))
	}
	goal, err := l.look(ctx)
	switch {
	case err != nil:
		return x.ended(err)
	case goal.True():
		x.forecast(plan.Item{Disposition: plan.NoOp, Reason: goal.Why})
		x.end(engine.Result{Status: engine.StatusUnchanged}, "the goal holds: "+goal.Why)
		return nil
	case !goal.Known():
		return x.ended(l.planAll(ctx, l.depends(), goal.Waits))
	case h.planning:
		x.why = goal.Why
		return x.ended(l.planAll(ctx, plan.WillRun, nil))
	}
	return x.ended(l.climb(ctx, goal.Why, nil))
}

// prepare evaluates the polling and every attempt's condition, from results before the recover.
func (l *ladder) prepare() error {
	var err error
	if l.polling, err = l.scope.Goal(l.x.e); err != nil {
		return err
	}
	for _, a := range l.r.Attempts {
		v := engine.Evaluated{Value: cty.True}
		if a.When != nil {
			if v, err = l.scope.Eval(a.When, cty.NilVal); err != nil {
				return err
			}
		}
		l.applies = append(l.applies, rung{a, v})
	}
	return nil
}

// look asks the goal's probes and judges the condition, which is unknown only while planning. An answer from before the
// last attempt does not count.
func (l *ladder) look(ctx context.Context) (engine.Evaluated, error) {
	since := l.now().Add(-l.polling.Every / 2)
	if since.Before(l.last) {
		since = l.last
	}
	var none engine.Evaluated
	for _, e := range l.r.Goal {
		x := l.execution(e, plan.WillRun)
		x.since, x.anew = since, true
		if err := x.answer(ctx); err != nil {
			return none, x.ended(err)
		}
		if old := l.stale(x); old != "" {
			return engine.Evaluated{Value: cty.False, Why: old}, nil
		}
	}
	v, err := l.scope.Eval(l.r.Condition, cty.NilVal)
	switch {
	case err != nil:
		return none, err
	case !v.Known() && !l.planning:
		return none, l.unknown("the goal's condition "+l.r.Condition.Text(), v.Waits)
	}
	l.event(engine.Event{Kind: engine.EventGoal, Entry: l.x.e.Address, Status: fmt.Sprint(v.True()), Reason: v.Why})
	return v, nil
}

// answer asks a probe of a goal.
func (x *execution) answer(ctx context.Context) error {
	if x.e.ForEach != nil {
		return x.forEach(ctx)
	}
	if err := x.prepare(); err != nil {
		return err
	}
	return x.repeat(ctx)
}

// stale says that an answer is older than the last attempt, or "".
func (l *ladder) stale(x *execution) string {
	if l.last.IsZero() || x.asOf.IsZero() || !x.asOf.Before(l.last) {
		return ""
	}
	why := fmt.Sprintf("%s is as of %s, before the last attempt ended at %s", x.e.Address, x.asOf.Format(time.RFC3339), l.last.Format(time.RFC3339))
	l.event(engine.Event{Kind: engine.EventGoal, Entry: l.x.e.Address, Status: "stale", Reason: why})
	return why
}

// planAll plans the attempts: the first that would act is what will run (or first says otherwise), the others are
// for the case that the goal does not hold by then. waits says for what a goal waits that is not known.
func (l *ladder) planAll(ctx context.Context, first plan.Disposition, waits []string) error {
	l.open++
	before := len(l.pending)
	var last error
	for _, rung := range l.applies {
		as := first
		if first == plan.WillRun && len(l.pending) > before {
			as = plan.Attempt
		}
		switch {
		case !rung.when.Known():
			l.blame(l.planAttempt(ctx, rung, l.depends())) // its forecast says why
		case !rung.when.True():
			l.skip(rung)
		default:
			if err := l.planAttempt(ctx, rung, as); err != nil {
				last = err
				l.blame(err)
			}
		}
		if len(l.pending) > before {
			l.reopen()
		}
	}
	if first == plan.WillRun && len(l.pending) == before {
		return l.hopeless(l.x.why, last)
	}
	why := "the goal does not hold: " + l.x.why
	if first != plan.WillRun {
		why = "whether the goal holds is not known before then"
	}
	l.x.forecast(plan.Item{Disposition: first, Reason: why, Waits: waits})
	return nil
}

// reopen makes what the goal's probes saw unknown: they look again after an attempt.
func (l *ladder) reopen() {
	for _, e := range l.r.Goal {
		l.scope.Set(e, engine.Result{Value: l.nothing(e)})
	}
}

// depends is what attempts are of which nobody knows whether they will be made: in a rescue only that is known.
func (l *ladder) depends() plan.Disposition {
	if l.x.as == plan.RescueOnly {
		return plan.RescueOnly
	}
	return plan.Depends
}

// planAttempt plans the entries of one attempt. That one cannot be planned does not fail the host:
// an attempt that cannot be made counts as tried.
func (l *ladder) planAttempt(ctx context.Context, r rung, as plan.Disposition) error {
	for _, e := range r.attempt.Entries {
		if err := l.entry(ctx, e, as); err != nil {
			return err
		}
	}
	return nil
}

func (l *ladder) skip(r rung) {
	l.skipAll(r.attempt.Entries, r.when.Why)
	l.event(engine.Event{Kind: engine.EventAttempt, Entry: l.x.e.Address, Title: r.attempt.Name, Status: string(engine.StatusSkipped), Reason: r.when.Why})
}

// climb acts: attempt, poll, next attempt. begun are the attempts that an interrupted run had begun: the last of them is gone
// on with, those before it were tried.
func (l *ladder) climb(ctx context.Context, why string, begun []string) error {
	tried, first := 0, l.begun
	var last error
	for _, rung := range l.applies {
		if !rung.when.True() {
			l.skip(rung)
			continue
		}
		tried++
		if i := slices.Index(begun, rung.attempt.Name); i >= 0 && i < len(begun)-1 {
			l.restore(rung.attempt.Entries)
			continue
		}
		before := l.begun
		err := l.try(ctx, rung, tried)
		if err != nil && fatal(err) {
			return err
		}
		if err != nil {
			last = err
		}
		if engine.KindOf(err) != engine.KindLost { // it had answered
			l.blame(err)
		}
		if l.last = l.now(); len(begun) > 0 && rung.attempt.Name == begun[len(begun)-1] && !l.acted.After(l.past.last) {
			l.last = l.acted // all of it was done before the run was interrupted
		}
		if l.begun == before { // nothing was done, so there is nothing to wait for
			continue
		}
		holds, now, err := l.poll(ctx)
		switch {
		case err != nil:
			return err
		case holds:
			l.x.end(engine.Result{Status: engine.StatusChanged}, fmt.Sprintf("the goal holds after %q: %s", rung.attempt.Name, now))
			return nil
		}
		why = now
	}
	if tried == 0 {
		return l.hopeless(why, last)
	}
	failed := &engine.Error{Kind: engine.KindCheck, Host: l.host.Name, Op: "recover " + l.x.e.Name, Hint: l.spared(),
		Msg: fmt.Sprintf("the goal does not hold after %d attempts (%s)", tried, why), Err: last}
	if last != nil && l.begun > first { // something was done in vain: the last error is no cause, only worth knowing
		failed.Msg, failed.Err = fmt.Sprintf("%s; an attempt failed: %v", failed.Msg, last), nil
	}
	return failed
}

func (l *ladder) hopeless(why string, last error) error {
	return &engine.Error{Kind: engine.KindCheck, Host: l.host.Name, Op: "recover " + l.x.e.Name, Err: last, Hint: l.spared(),
		Msg: fmt.Sprintf("the goal does not hold (%s) and no attempt can be made; nothing was changed", why)}
}

// spared names the attempts that were not made because of their conditions: what is left to try.
func (l *ladder) spared() string {
	var names []string
	for _, rung := range l.applies {
		if rung.when.Known() && !rung.when.True() {
			names = append(names, fmt.Sprintf("%q (%s)", rung.attempt.Name, rung.when.Why))
		}
	}
	if names == nil {
		return ""
	}
	return "not attempted, because of their conditions: " + strings.Join(names, "; ")
}

// try executes one attempt.
func (l *ladder) try(ctx context.Context, r rung, n int) error {
	if err := l.late(fmt.Sprintf("the attempt %q", r.attempt.Name), l.polling.Within); err != nil {
		l.event(engine.Event{Kind: engine.EventAttempt, Entry: l.x.e.Address, Title: r.attempt.Name, Attempt: n, Status: string(engine.HostNotAttempted), Reason: err.Error()})
		return err
	}
	l.event(engine.Event{Kind: engine.EventAttempt, Entry: l.x.e.Address, Title: r.attempt.Name, Attempt: n, Status: "started", Reason: r.when.Why})
	l.patience = l.polling.Within
	defer func() { l.patience = 0 }()
	return l.all(ctx, r.attempt.Entries, plan.WillRun)
}

// poll looks at the goal until it holds or its time is over: at once, and a last time at its end. A look that fails is
// repeated, too.
func (l *ladder) poll(ctx context.Context) (bool, string, error) {
	deadline := l.now().Add(l.polling.Within)
	for {
		goal, err := l.look(ctx)
		why := goal.Why
		switch {
		case err != nil && (fatal(err) || ctx.Err() != nil):
			return false, "", err
		case err != nil:
			why = err.Error()
			l.pool.Retry(engine.HostOf(err))
		case goal.True():
			return true, why, nil
		}
		left := deadline.Sub(l.now())
		if left <= 0 {
			return false, fmt.Sprintf("%s, waited %s", why, l.polling.Within), nil
		}
		if err := l.pause(ctx, min(left, l.polling.Every)); err != nil {
			return false, "", err
		}
	}
}
