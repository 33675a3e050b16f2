package run

import (
	"context"
	"fmt"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

// all executes or plans entries in order. Between two of them a signal ends it, unless a finally block runs.
func (h *hostRun) all(ctx context.Context, entries []*engine.Entry, as plan.Disposition) error {
	for _, e := range entries {
		if h.halted(ctx) {
			return errStopped
		}
		if err := h.entry(ctx, e, as); err != nil {
			return err
		}
	}
	return nil
}

// halted tells whether nothing further may be started on this host.
func (h *hostRun) halted(ctx context.Context) bool {
	return h.stopping() && !h.closing || ctx.Err() != nil
}

// stop is closed by the first signal; never while a finally block runs.
func (h *hostRun) stop() <-chan struct{} {
	if h.closing {
		return nil
	}
	return h.o.Stop
}

// block executes what is in a block; when it failed, the rescue; and in any case the finally.
func (h *hostRun) block(ctx context.Context, x *execution) error {
	before := h.open
	b := x.e.Block
	around := h.shut
	h.shut = around || h.past.touched(b.Finally)
	failure := h.all(ctx, b.Entries, x.as)
	err := failure
	if failure != nil {
		h.abandon(b.Entries)
	}
	switch {
	case failure != nil && (fatal(failure) || len(b.Rescue) == 0):
		h.skipAll(b.Rescue, "nothing is rescued after this")
		x.scope.Set(x.e, engine.Result{Status: engine.StatusFailed, Err: failure})
	case failure != nil:
		x.scope.Set(x.e, engine.Result{Status: engine.StatusFailed, Err: failure})
		if err = h.all(ctx, b.Rescue, x.as); err != nil {
			h.abandon(b.Rescue)
		}
	case h.open > before:
		x.scope.Set(x.e, engine.Result{Value: cty.DynamicVal})
		h.planRescue(ctx, b.Rescue)
	default:
		h.skipAll(b.Rescue, "nothing in the block failed")
		x.scope.Set(x.e, engine.Result{Status: engine.StatusOK})
	}
	h.shut = around
	return x.closed(failure, err, h.finally(ctx, b.Finally, x.as))
}

// planRescue plans what is done only if the block fails. That an entry of it cannot be planned does not fail the host:
// it is not in the envelope then, and the plan says why.
func (h *hostRun) planRescue(ctx context.Context, entries []*engine.Entry) {
	for _, e := range entries {
		_ = h.entry(ctx, e, plan.RescueOnly) // its forecast says why
	}
}

// finally executes what runs whatever happened, after the first signal, too; not after the second.
func (h *hostRun) finally(ctx context.Context, entries []*engine.Entry, as plan.Disposition) error {
	around := h.closing
	h.closing = true
	err := h.all(ctx, entries, as)
	h.closing = around
	if err != nil {
		h.abandon(entries)
	}
	return err
}

// closed ends a block. Its entries have told their failures themselves.
func (x *execution) closed(failure, err, last error) error {
	x.done = true
	switch {
	case err == nil && last != nil:
		return last
	case err != nil && last != nil && err.Error() == last.Error():
		return err
	case err != nil && last != nil:
		return fmt.Errorf("%w; and then, in finally: %w", err, last)
	case err != nil:
		return err
	}
	reason := ""
	if failure != nil {
		reason = "rescued: " + failure.Error()
	}
	x.end(engine.Result{Status: engine.StatusOK, Value: cty.NilVal, Err: failure}, reason)
	return nil
}

// abandon gives entries that were not reached a result: they were skipped. Those that failed have theirs.
func (h *hostRun) abandon(entries []*engine.Entry) {
	for e := range engine.Walk(entries) {
		if !h.reached[e] {
			h.leave(e)
			h.scope.Set(e, engine.Result{Status: engine.StatusSkipped, Value: h.null(e)})
		}
	}
}

// leave records that a step which the plan says will run was not come to, because an entry before it failed: nobody may take
// it for one that was not needed.
func (h *hostRun) leave(e *engine.Entry) {
	if h.planning || e.Kind != engine.EntryStep {
		return
	}
	h.ledger.leave(place{h.play.Name, h.host.Name, e.Address, ""})
	if i, _ := h.plan.Find(h.play.Name, h.host.Name, e.Address); i.Disposition == plan.WillRun || e.ForEach != nil {
		h.event(engine.Event{Kind: engine.EventEntryEnd, Entry: e.Address, Module: module(e), Title: e.Title, Status: string(engine.StatusSkipped),
			Reason: "not attempted: an entry before it failed", Place: e.Range.String()})
	}
}

// skipAll skips entries that are not wanted, with everything in them.
func (h *hostRun) skipAll(entries []*engine.Entry, why string) {
	for e := range engine.Walk(entries) {
		h.execution(e, plan.Skipped).forecast(plan.Item{Disposition: plan.Skipped, Reason: why})
		h.scope.Set(e, engine.Result{Status: engine.StatusSkipped, Value: h.null(e)})
	}
}
