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
	goal    engine.Evaluated // what it said when it was looked at last
	last    time.Time        // the end of the last attempt
	until   time.Time        // how long the goal is waited for; zero: it is only looked at
	looks   int              // of this wait
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
		if err := l.lookAgain(ctx, begun); err != nil || l.goal.True() {
			return x.ended(err)
		}
		return x.ended(l.climb(ctx, begun))
	}
	if h.planning && (len(h.pending) > 0 || x.as == plan.Depends || x.as == plan.RescueOnly || h.o.Offline) {
		return x.ended(l.planAll(ctx, l.depends(), slices.Concat(h.pending, x.waits)))
	}
	if err := l.look(ctx); err != nil {
		return x.ended(err)
	}
	switch goal := l.goal; {
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
	return x.ended(l.climb(ctx, nil))
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
func (l *ladder) look(ctx context.Context) error {
	since := l.now().Add(-l.polling.Every / 2)
	if since.Before(l.last) {
		since = l.last
	}
	for _, e := range l.r.Goal {
		x := l.execution(e, plan.WillRun)
		x.since, x.anew = since, true
		if err := x.answer(ctx); err != nil {
			return x.ended(err)
		}
		if old := l.stale(x); old != "" {
			l.looked("stale", no(old))
			return nil
		}
	}
	v, err := l.scope.Eval(l.r.Condition, cty.NilVal)
	switch {
	case err != nil:
		return err
	case !v.Known() && !l.planning:
		return l.unknown("the goal's condition "+l.r.Condition.Text(), v.Waits)
	}
	l.looked(fmt.Sprint(v.True()), v)
	return nil
}

// looked keeps and records what a look at the goal gave.
func (l *ladder) looked(status string, goal engine.Evaluated) {
	l.goal = goal
	l.event(engine.Event{Kind: engine.EventGoal, Entry: l.x.e.Address, Title: goal.Said, Status: status, Reason: goal.Why, Attempt: l.looks, Until: l.until})
}

// no is a goal that does not hold, for a reason that no condition gives.
func no(why string) engine.Evaluated { return engine.Evaluated{Value: cty.False, Why: why} }

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
	of := x.asOf.In(l.last.Location())
	return fmt.Sprintf("the answer of probe.%s is of %s, from before the attempt ended at %s", x.e.Name, of.Format(time.DateTime), l.last.Format(time.TimeOnly))
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
		return l.hopeless(last)
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
func (l *ladder) climb(ctx context.Context, begun []string) error {
	var tried []string
	var last error
	first := l.begun
	for _, rung := range l.applies {
		if !rung.when.True() {
			l.skip(rung)
			continue
		}
		tried = append(tried, quote(rung.attempt.Name))
		if i := slices.Index(begun, rung.attempt.Name); i >= 0 && i < len(begun)-1 {
			l.restore(rung.attempt.Entries)
			continue
		}
		before := l.begun
		err := l.try(ctx, rung, len(tried))
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
		if err := l.poll(ctx); err != nil {
			return err
		}
		if l.goal.True() {
			l.x.end(engine.Result{Status: engine.StatusChanged}, fmt.Sprintf("the goal holds after %q: %s", rung.attempt.Name, l.goal.Why))
			return nil
		}
	}
	if len(tried) == 0 {
		return l.hopeless(last)
	}
	told := "the goal does not hold after " + strings.Join(tried, ", then ")
	if l.begun > first {
		told += ", waited " + l.polling.Within.String()
	}
	if l.begun > first && len(tried) > 1 {
		told += " each time"
	}
	if last != nil && l.begun > first { // something was done in vain: the last error is no cause, only worth knowing
		told, last = fmt.Sprintf("%s; an attempt failed: %v", told, last), nil
	}
	return l.unmet(told, last)
}

func (l *ladder) hopeless(last error) error {
	return l.unmet("the goal does not hold, and no attempt can be made; nothing was changed", last)
}

// unmet is the error of a goal that is not reached: in a sentence what is not back and what was done, and as its hint what is left
// to try and where the goal is written.
func (l *ladder) unmet(told string, cause error) error {
	where := "; the goal: " + l.r.Condition.Range().String()
	if l.goal.Said != "" {
		told, where = l.goal.Said+"; "+told, where+": "+l.goal.Why
	} else {
		told += " (" + l.goal.Why + ")"
	}
	return &engine.Error{Kind: engine.KindCheck, Host: l.host.Name, Op: "recover " + l.x.e.Name, Err: cause, Msg: told, Hint: l.left() + where}
}

// left is what is left to try: the attempts that were not made because of their conditions.
func (l *ladder) left() string {
	var names []string
	for _, rung := range l.applies {
		if rung.when.Known() && !rung.when.True() {
			names = append(names, quote(rung.attempt.Name))
		}
	}
	if names == nil {
		return "no attempt is left: look at it by hand"
	}
	return "not attempted, because of their conditions (-v shows them): " + strings.Join(names, ", ")
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
func (l *ladder) poll(ctx context.Context) error {
	l.until = l.now().Add(l.polling.Within)
	defer func() { l.until, l.looks = time.Time{}, 0 }()
	for {
		l.looks++
		switch err := l.look(ctx); {
		case err != nil && (fatal(err) || ctx.Err() != nil):
			return err
		case err != nil:
			l.looked("failed", no(err.Error()))
			l.pool.Retry(engine.HostOf(err))
		case l.goal.True():
			return nil
		}
		left := l.until.Sub(l.now())
		if left <= 0 {
			return nil
		}
		if err := l.pause(ctx, min(left, l.polling.Every)); err != nil {
			return err
		}
	}
}
