package run

import (
	"context"

	"github.com/dsplay/dsplay/engine"
)

// include executes the entries of an included file, with its inputs, and makes its outputs known.
func (h *hostRun) include(ctx context.Context, x *execution) error {
	err := x.scope.Enter(x.e)
	if err == nil {
		err = h.all(ctx, x.e.Include.Entries, x.as)
		x.done = err != nil // its entries have told their failures themselves
	}
	if err == nil {
		err = x.scope.Leave(x.e)
	}
	if err != nil {
		h.abandon(x.e.Include.Entries)
		x.scope.Set(x.e, engine.Result{Status: engine.StatusFailed, Err: err})
	}
	return err
}
