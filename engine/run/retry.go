package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// repeat executes the entry, again as its retry block says.
func (x *execution) repeat(ctx context.Context) error {
	r := x.settings.Retry
	delay := r.Delay
	for n := 1 + x.tried(); ; n++ {
		x.done, x.blind, x.left = false, false, cty.NilVal
		res, err := x.once(ctx, n)
		again, why, err := x.again(res, err, n)
		if !again {
			return err
		}
		x.event(engine.Event{Kind: engine.EventRetry, Entry: x.e.Address, Attempt: n, Reason: why, Error: engine.NewEventError(err)})
		if engine.IsUnreachable(err) {
			x.pool.Retry(engine.HostOf(err))
		}
		if err := x.pause(ctx, delay); err != nil {
			return err
		}
		if r.Backoff > 0 {
			delay = time.Duration(float64(delay) * r.Backoff)
		}
		x.since = x.now()
	}
}

// tried is how many executions an interrupted run had made of the entry.
func (x *execution) tried() int {
	if x.past == nil || x.anew {
		return 0
	}
	return x.past.tries[at{x.e.Address, x.item}]
}

// again tells whether a further execution is due after the n-th, and why; and the error with which the n-th ended.
// Planning does not wait for what a condition waits for: it changes nothing that could make it true.
func (x *execution) again(res engine.Result, err error, n int) (due bool, why string, _ error) {
	r := x.settings.Retry
	left := n < max(1, r.Attempts)
	if err != nil {
		return left && x.repeatable(err), err.Error(), err
	}
	if !left || x.e.Until == nil || x.planning {
		return false, "", nil
	}
	v, err := x.scope.Eval(x.e.Until, res.Value)
	x.done = err == nil // else its failure is still to be recorded
	return err == nil && !v.True(), v.Why, err
}

// repeatable tells whether retry applies to an error. What may have happened, or may still go on, and cannot be checked is
// not done again, whatever retry says.
func (x *execution) repeatable(err error) bool {
	var e *engine.Error
	kind := engine.KindOf(err)
	unsure := kind == engine.KindLost || errors.As(err, &e) && e.Orphan
	switch {
	case kind == engine.KindEval || fatal(err):
		return false
	case x.blind && unsure && !x.settings.Idempotent && !errors.Is(err, engine.ErrNotRun):
		return false
	}
	return x.settings.Retry.On == nil || slices.Contains(x.settings.Retry.On, kind)
}

// once executes the entry one time.
func (x *execution) once(ctx context.Context, n int) (engine.Result, error) {
	timeout := x.settings.Timeout
	if timeout == 0 {
		timeout = stepTimeout
		if x.e.Kind == engine.EntryProbe {
			timeout = probeTimeout
		}
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, &engine.Error{Kind: engine.KindTimeout, Host: x.settings.On,
		Op: x.e.Address, Msg: fmt.Sprintf("it took longer than its timeout of %s", timeout)})
	defer cancel()
	var (
		res engine.Result
		err error
	)
	if x.e.Kind == engine.EntryProbe {
		res, err = x.probe(limited, n)
	} else {
		res, err = x.step(limited, n)
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil && engine.KindOf(err) != engine.KindTimeout {
		err = errors.Join(context.Cause(limited), err)
	}
	return res, err
}

// pause waits, unless a signal asks to stop.
func (h *hostRun) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-h.o.Clock.After(d):
		return nil
	case <-h.stop():
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}
