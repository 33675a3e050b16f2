package run

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// forEach executes the entry for each item, in the order of their keys. An item that fails does not stop the others;
// then the entry fails. What ends the host (a signal, something out of plan) ends it at once.
func (x *execution) forEach(ctx context.Context) error {
	items, waits, err := x.scope.Each(x.e)
	switch {
	case err != nil:
		return x.ended(err)
	case len(waits) > 0 && x.o.Offline:
		x.unseen(waits)
		return nil
	case len(waits) > 0:
		return x.ended(&engine.Error{Kind: engine.KindEval, Host: x.host.Name, Op: x.e.Range.String(), Waits: waits,
			Msg:  fmt.Sprintf("for_each cannot be known yet: it waits for %s", strings.Join(waits, ", ")),
			Hint: "for whom something is done must be known in a plan; put this into a later play, or walk what a probe sees"})
	case len(items) == 0:
		x.skip("for_each has no items")
		return nil
	}
	var failed []string
	var failures []error
	for _, item := range items {
		if x.halted(ctx) {
			return errStopped
		}
		i := x.of(item)
		err := i.guardedSingle(ctx)
		if err != nil && fatal(err) {
			return err
		}
		if err != nil {
			failed, failures = append(failed, item.Key), append(failures, err)
		}
		if !i.asOf.IsZero() && (x.asOf.IsZero() || i.asOf.Before(x.asOf)) {
			x.asOf = i.asOf // the entry is as old as its oldest answer
		}
	}
	x.done = true
	return x.failedItems(failed, failures, len(items))
}

// of is the execution of one item.
func (x *execution) of(item engine.Each) *execution {
	i := *x
	i.scope, i.item, i.began = item.Scope, item.Key, x.now()
	return &i
}

// guardedSingle judges a condition that names each, and executes the item.
func (x *execution) guardedSingle(ctx context.Context) error {
	if x.e.WhenEach {
		if run, err := x.when(); err != nil || !run {
			return x.ended(err)
		}
	}
	return x.doubted(x.single(ctx))
}

// failedItems is the error of an entry of which some items failed: of the first one's kind, unreachable when all are.
func (x *execution) failedItems(keys []string, errs []error, of int) error {
	if len(errs) == 0 {
		return nil
	}
	silent := true
	for _, err := range errs {
		silent = silent && engine.IsUnreachable(err)
	}
	return &engine.Error{Kind: engine.KindOf(errs[0]), Host: engine.HostOf(errs[0]), Op: x.e.Address,
		Msg:  fmt.Sprintf("%d of %d items failed (%s)", len(keys), of, strings.Join(keys, ", ")),
		Hint: engine.HintOf(errs[0]), Unreachable: silent, Err: errors.Join(errs...)}
}

// skip ends an entry that is not executed, and with it what stands inside of it.
func (x *execution) skip(why string) {
	x.forecast(plan.Item{Disposition: plan.Skipped, Reason: why})
	for e := range engine.Walk([]*engine.Entry{x.e}) {
		x.scope.Set(e, engine.Result{Status: engine.StatusSkipped, Value: x.null(e)})
	}
	x.end(engine.Result{Status: engine.StatusSkipped, Value: x.null(x.e)}, why)
}
