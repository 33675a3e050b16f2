package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

// step plans or does a change: check → (differs) allow → intent → apply → prove → check again.
func (x *execution) step(ctx context.Context, n int) (engine.Result, error) {
	args, err := x.args()
	if err != nil {
		return engine.Result{}, err
	}
	x.event(engine.Event{Kind: engine.EventEntryStart, Entry: x.e.Address, Module: x.e.Module.Name, Title: x.e.Title, On: x.other(), Args: args.Shown, Attempt: n})
	if x.o.Offline {
		x.as, x.waits = plan.Depends, args.Waits
		x.why = strings.TrimPrefix(x.why+"; whether it is needed was not looked at (--offline)", "; ")
		return x.planned(args, engine.Diff{}), nil
	}
	if res, settled, err := x.settle(ctx, args); settled {
		return res, err
	}
	host := x.doer(x.pool, x.settings, x.since)
	diff, err := args.Module.(engine.Checker).Check(ctx, host)
	if err != nil {
		return engine.Result{}, x.blamed(err)
	}
	switch {
	case diff.Empty() && len(args.Unknown) == 0 && !x.undoes(diff): // with an unknown argument it may differ, whatever it looks like now
		return x.unchanged(ctx, args, host, diff)
	case x.planning:
		return x.planned(args, diff), nil
	}
	return x.act(ctx, args, x.doer(patient{x.pool}, x.settings, x.since), diff)
}

// undoes tells a step that has nothing to do yet, but may have after the steps before it, which have not run.
func (x *execution) undoes(diff engine.Diff) bool {
	return x.planning && len(x.pending) > 0 && len(diff.Commands) > 0
}

// planned forecasts a step: its result is unknown from here on.
func (x *execution) planned(args engine.Args, diff engine.Diff) engine.Result {
	i := plan.Item{Disposition: x.as, Args: args.Shown, Unknown: args.Unknown, Diff: diff, Reason: x.why, Waits: x.waits}
	if diff.Empty() && x.as == plan.WillRun { // only what is not known yet could make it act
		i.Disposition, i.Waits = plan.Depends, args.Waits
		if len(i.Waits) == 0 {
			i.Waits = slices.Clone(x.pending)
		}
		i.Reason = strings.Trim(x.why+"; "+diff.Note, "; ")
	}
	if e, ok := args.Module.(engine.Effecter); ok {
		i.Effects = e.Effects()
	}
	x.forecast(i)
	x.open++
	if !slices.Contains(x.pending, x.e.Address) {
		x.pending = append(x.pending, x.e.Address)
	}
	res := engine.Result{Value: x.nothing(x.e)}
	x.scope.Set(x.e, res)
	return res
}

// unchanged ends a step that has nothing to do. What it leaves is what a probe sees, or null: never invented.
func (x *execution) unchanged(ctx context.Context, args engine.Args, host *machine.Host, diff engine.Diff) (engine.Result, error) {
	x.forecast(plan.Item{Disposition: plan.NoOp, Args: args.Shown, Diff: diff, Reason: strings.Trim(x.why+"; "+diff.Note, "; ")})
	res := engine.Result{Status: engine.StatusUnchanged, Value: x.null(x.e)}
	if p, ok := args.Module.(engine.Prober); ok {
		value, err := x.look(ctx, p, host)
		if err != nil {
			return engine.Result{}, err
		}
		if err := x.judged(value); err != nil {
			return engine.Result{}, err
		}
		res.Value = value
	}
	x.end(res, diff.Note)
	return res, nil
}

func (x *execution) act(ctx context.Context, args engine.Args, host *machine.Host, diff engine.Diff) (engine.Result, error) {
	now := plan.Item{Play: x.play.Name, Host: x.host.Name, On: x.settings.On, Entry: x.e.Address, Item: x.item, Module: x.e.Module.Name, Args: args.Shown, Diff: diff}
	if e, ok := args.Module.(engine.Effecter); ok {
		now.Effects = e.Effects()
	}
	if err := x.plan.Allow(now.Redacted(x.o.Redact)); err != nil {
		return engine.Result{}, err
	}
	if err := x.late(x.e.Module.Name, x.need()); err != nil {
		return engine.Result{}, err
	}
	if x.halted(ctx) { // the check may have taken minutes
		return engine.Result{}, errStopped
	}
	intent := engine.Event{Kind: engine.EventIntent, Entry: x.e.Address, Module: x.e.Module.Name, Title: x.e.Title, On: x.other(),
		Args: args.Shown, Changes: diff.Changes, Lines: diff.Commands, Reason: diff.Act, Place: x.e.Range.String()}
	x.event(intent)
	if x.record != nil { // nothing is done that could not be recorded before
		return engine.Result{}, fmt.Errorf("%w: %w", errUnrecorded, x.record)
	}
	since := x.now()
	x.begun++
	x.acting = true
	x.ledger.begin(x.place())
	x.blind = diff.Opaque || diff.Act != ""
	status := engine.StatusFailed
	defer func() {
		if status != engine.StatusUnchanged { // by changed_when; what failed may have changed something
			x.changed(x.settings.On)
		}
	}()
	result, err := args.Module.(engine.Applier).Apply(ctx, host.Acting(diff.Commands), diff)
	x.acted = x.memos.act()
	if err != nil {
		return engine.Result{}, x.blamed(err)
	}
	value, err := engine.ValueOf(result)
	if err != nil {
		return engine.Result{}, x.blamed(err)
	}
	if err := x.verify(ctx, args.Module, host, diff, since); err != nil {
		return engine.Result{}, err
	}
	res := engine.Result{Value: x.typed(value)}
	if err := x.judged(res.Value); err != nil {
		return engine.Result{}, err
	}
	if status, err = x.status(diff, res.Value); err != nil {
		return engine.Result{}, err
	}
	res.Status = status
	x.end(res, diff.Act)
	return res, nil
}

// verify shows that what was done holds: an act is proven, a difference must be gone.
func (x *execution) verify(ctx context.Context, m any, host *machine.Host, diff engine.Diff, since time.Time) error {
	if p, ok := m.(engine.Prover); ok && diff.Act != "" {
		if err := p.Prove(ctx, host, since); err != nil {
			return x.blamed(err)
		}
	}
	if len(diff.Changes) == 0 {
		return nil
	}
	left, err := m.(engine.Checker).Check(ctx, x.doer(patient{x.pool}, x.settings, x.now()))
	if err != nil {
		return x.blamed(err)
	}
	if len(left.Changes) == 0 {
		return nil
	}
	c := left.Changes[0]
	return &engine.Error{Kind: engine.KindCheck, Host: x.settings.On, Op: x.e.Module.Name,
		Msg:  fmt.Sprintf("it was done, but %s is still %q instead of %q", c.What, c.Before, c.After),
		Hint: "something on the host undoes it, or it needs longer than the step waits"}
}

// typed gives a result without a value of its own the declared type.
func (x *execution) typed(v cty.Value) cty.Value {
	if v.Type().IsObjectType() && len(v.Type().AttributeTypes()) == 0 {
		return x.null(x.e)
	}
	return v
}

// errUnrecorded ends a host before a change that could not be recorded: trying something else would be no better.
var errUnrecorded = errors.New("the journal cannot be written, so nothing was done")

// fatal tells an error that ends the host from one that only ends an attempt.
func fatal(err error) bool {
	return errors.As(err, new(*plan.OutOfPlan)) || errors.Is(err, errStopped) || errors.Is(err, errUnrecorded) || errors.Is(err, errLate) || errors.Is(err, errUnsettled) || errors.Is(err, errLeft) || errors.Is(err, context.Canceled)
}
