package run

import (
	"context"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// errLeft ends a host inside a block of which the finally has run: what it had prepared is undone.
var errLeft = &engine.Error{Kind: engine.KindLost, Msg: "the block was left when the run was stopped, and its finally has run; it cannot be gone on with",
	Hint: "run the playbook again for this host"}

// kept tells whether an entry has a result from before the run was interrupted, and makes it known. The error is the one that it
// had ended with.
func (x *execution) kept() (bool, error) {
	if x.past == nil || x.anew {
		return false, nil
	}
	k := at{x.e.Address, x.item}
	r, ok := x.past.result(k, x.e.Kind, x.typeOf(x.e))
	switch {
	case !ok && x.past.over(): // it was not come to
		x.scope.Set(x.e, engine.Result{Status: engine.StatusSkipped, Value: x.null(x.e)})
		return true, nil
	case !ok && x.shut:
		return true, errLeft
	case !ok || x.unfinished(k, r):
		return false, nil
	}
	x.remember(k, r)
	if r.Status != engine.StatusFailed {
		return true, nil
	}
	if s, err := x.scope.Settings(x.e); err == nil && s.IgnoreErrors {
		return true, nil
	}
	return true, r.Err
}

// unfinished tells whether retry wants another execution, which was not begun.
func (x *execution) unfinished(k at, r engine.Result) bool {
	if x.e.Until == nil || r.Status == engine.StatusFailed || x.past.over() {
		return false
	}
	s, err := x.scope.Settings(x.e)
	if err != nil || x.past.tries[k]+1 >= s.Retry.Attempts {
		return false
	}
	v, err := x.scope.Eval(x.e.Until, r.Value)
	if err != nil || v.True() {
		return false
	}
	x.past.tries[k]++
	return true
}

// remember makes a result known, and that something was done where it was.
func (x *execution) remember(k at, r engine.Result) {
	x.done = true
	x.asOf = asOf(r.Value)
	x.scope.Set(x.e, r)
	e := x.past.ends[k]
	if _, acted := x.past.intents[k]; !acted {
		if r.Status == engine.StatusUnchanged {
			x.ledger.spare(x.place(), e.Reason)
		}
		return
	}
	x.begun++
	x.ledger.begin(x.place())
	if r.Status != engine.StatusUnchanged {
		x.changed(x.doneBy(e))
	}
	if e.Time.After(x.acted) {
		x.acted = e.Time
	}
}

// doneBy is the host that an event says did it.
func (x *execution) doneBy(e engine.Event) string {
	if e.On != "" {
		return e.On
	}
	return x.host.Name
}

// restore makes known what entries left that are over, with everything in them; what was not come to was skipped.
func (h *hostRun) restore(entries []*engine.Entry) {
	for e := range engine.Walk(entries) {
		x := h.execution(e, plan.WillRun)
		items := []engine.Each{{Scope: h.scope}}
		if e.ForEach != nil {
			if found, _, err := h.scope.Each(e); err == nil {
				items = found
			}
		}
		for _, item := range items {
			i := x.of(item)
			k := at{e.Address, item.Key}
			r, ok := h.past.result(k, e.Kind, h.typeOf(e))
			if !ok || e.Module == nil {
				i.scope.Set(e, engine.Result{Status: engine.StatusSkipped, Value: h.null(e)})
				continue
			}
			i.remember(k, r)
		}
	}
}

// keptRecover tells whether a recover had ended, and how; its entries are known then.
func (l *ladder) keptRecover() (bool, error) {
	if l.past == nil {
		return false, nil
	}
	e, ok := l.past.ends[at{l.x.e.Address, ""}]
	switch {
	case !ok && l.past.over():
		l.restore([]*engine.Entry{l.x.e})
		return true, nil
	case !ok && l.shut:
		return true, errLeft
	case !ok:
		return false, nil
	}
	l.restore([]*engine.Entry{l.x.e})
	l.x.done = true
	if e.Status == string(engine.StatusFailed) {
		return true, remembered(e.Error)
	}
	return true, nil
}

// begunAttempts are the attempts that were begun before the run was interrupted.
func (l *ladder) begunAttempts() []string {
	if l.past == nil {
		return nil
	}
	return l.past.attempts[l.x.e.Address]
}

// lookAgain looks at the goal of a recover that was interrupted in an attempt. When it holds, nothing further is done; what
// was begun and has no result gets one. A look that fails is no answer: the attempt goes on, and its polling asks again.
func (l *ladder) lookAgain(ctx context.Context, begun []string) error {
	l.last = l.past.last
	err := l.look(ctx)
	switch {
	case err != nil && (fatal(err) || ctx.Err() != nil):
		return err
	case err != nil:
		l.pool.Retry(engine.HostOf(err))
		l.goal = no(err.Error())
		return nil
	case !l.goal.True():
		return nil
	}
	for _, a := range l.r.Attempts {
		for e := range engine.Walk(a.Entries) {
			l.moot(ctx, e)
		}
	}
	l.restore([]*engine.Entry{l.x.e})
	l.x.end(engine.Result{Status: engine.StatusChanged}, "the goal holds after "+quote(begun[len(begun)-1])+": "+l.goal.Why)
	return nil
}

// moot settles the intents of an entry whose goal holds: it is only still to be told whether they happened.
func (l *ladder) moot(ctx context.Context, e *engine.Entry) {
	items := []engine.Each{{Scope: l.scope}}
	if e.ForEach != nil {
		if found, _, err := l.scope.Each(e); err == nil {
			items = found
		}
	}
	for _, item := range items {
		was, open := l.past.open[at{e.Address, item.Key}]
		if !open {
			continue
		}
		x := l.execution(e, plan.WillRun).of(item)
		if verdict, why := x.glance(ctx, was); verdict == done {
			_, _ = x.finishPast(ctx, nil, was, why) // without a module nothing is asked
			continue
		}
		x.closePast(was)
		x.endWith(engine.Result{Status: engine.StatusFailed, Value: x.null(e), Err: &engine.Error{Kind: engine.KindLost, Host: x.doneBy(was), Op: e.Module.Name,
			Msg: "the run was interrupted meanwhile, and whether it happened is not known"}}, "the goal holds, so it was not done again", "")
	}
}

// glance asks once what became of a change; an error is no verdict.
func (x *execution) glance(ctx context.Context, was engine.Event) (Verdict, string) {
	if x.prepare() != nil {
		return unknown, ""
	}
	args, err := x.args()
	if err != nil {
		return unknown, ""
	}
	verdict, why, err := x.happened(ctx, args, was)
	if err != nil {
		return unknown, ""
	}
	return verdict, why
}

// unsettled are the intents without a result that this pass did not come to: their hosts are not in the play any more, or
// something stopped it before. They are reported, whatever else their hosts did.
func (p *pass) unsettled() error {
	if p.planning || p.past == nil || p.res.Stop != nil && p.res.Stop.Kind == StopSignal {
		return nil // it can be gone on with
	}
	for _, e := range p.past.Open() {
		err := lost(Unsettled{Play: e.Play, Host: e.Host, On: e.On, Entry: e.Entry, Item: e.Item, Module: e.Module, Title: e.Title, Began: e.Time,
			Commands: e.Lines, Why: "the run was interrupted, and did not come to it again"})
		p.note(e.Play, engine.Outcome{Host: e.Host, Status: engine.HostFailed, Err: err})
		if err := p.write(engine.Event{Kind: engine.EventHostEnd, Play: e.Play, Host: e.Host, Status: string(engine.HostFailed), Error: engine.NewEventError(err)}); err != nil {
			return err
		}
	}
	return nil
}
