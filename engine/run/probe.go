package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

// probe looks, unless something before it on this host has not run.
func (x *execution) probe(ctx context.Context, n int) (engine.Result, error) {
	if len(x.pending) > 0 || x.as == plan.Depends || x.as == plan.RescueOnly || x.o.Offline {
		return x.later(slices.Concat(x.pending, x.waits)), nil
	}
	args, err := x.args()
	if err != nil {
		return engine.Result{}, err
	}
	if len(args.Unknown) > 0 { // it would answer another question
		return x.later(args.Waits), nil
	}
	x.event(engine.Event{Kind: engine.EventEntryStart, Entry: x.e.Address, Module: x.e.Module.Name, Title: x.e.Title, On: x.other(), Attempt: n})
	value, err := x.look(ctx, args.Module.(engine.Prober), x.doer(x.pool, x.settings, x.since))
	if err != nil {
		return engine.Result{}, err
	}
	if err := x.judged(value); err != nil {
		return engine.Result{}, err
	}
	res := engine.Result{Status: engine.StatusOK, Value: value}
	x.asOf = asOf(value)
	x.scope.Set(x.e, res)
	values := text(value)
	x.forecast(plan.Item{Disposition: plan.Probed, Args: args.Shown, Values: values, Reason: x.why})
	x.endWith(res, "", values)
	return res, nil
}

// unseen plans an entry of which, without looking, not even the arguments are known.
func (x *execution) unseen(waits []string) {
	x.forecast(plan.Item{Disposition: plan.Depends, Waits: waits, Reason: x.why})
	x.open++
	if x.e.Kind == engine.EntryStep && !slices.Contains(x.pending, x.e.Address) {
		x.pending = append(x.pending, x.e.Address)
	}
	x.scope.Set(x.e, engine.Result{Value: x.nothing(x.e)})
}

// later plans a probe that cannot look yet.
func (x *execution) later(waits []string) engine.Result {
	as := plan.Depends
	if x.as == plan.RescueOnly {
		as = x.as
	}
	x.forecast(plan.Item{Disposition: as, Waits: waits, Reason: x.why})
	x.open++
	res := engine.Result{Value: x.nothing(x.e)}
	x.scope.Set(x.e, res)
	return res
}

func (x *execution) look(ctx context.Context, p engine.Prober, host *machine.Host) (cty.Value, error) {
	result, err := p.Probe(ctx, host)
	if err != nil {
		return cty.NilVal, x.blamed(err)
	}
	return engine.ValueOf(result)
}

// args decodes the arguments. An error names what they wait for: executed arguments must be known in a plan, and all of
// them when they are used.
func (x *execution) args() (engine.Args, error) {
	args, err := x.scope.Args(x.e)
	switch {
	case err != nil:
		return args, err
	case args.Module == nil:
		return args, x.unknown(strings.Join(args.ExecutedUnknown, ", "), args.Waits)
	case len(args.Unknown) > 0 && !x.planning:
		return args, x.unknown(strings.Join(args.Unknown, ", "), args.Waits)
	}
	return args, nil
}

// unknown is the error of what must be known and is not.
func (h *hostRun) unknown(what string, waits []string) error {
	e := &engine.Error{Kind: engine.KindEval, Host: h.host.Name, Op: what, Waits: waits, Msg: fmt.Sprintf("it is not known, and nothing unknown is executed; it waits for %s", strings.Join(waits, ", "))}
	if h.planning {
		e.Msg = fmt.Sprintf("it cannot be known yet: it waits for %s", strings.Join(waits, ", "))
		e.Hint = "what is executed must be known in a plan; put this into a later play, or read the value with a probe"
	}
	return e
}
