package vsphere

import (
	"context"
	"errors"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// Request is one call that changes something. What a plan shows of it and what is sent are made of the same values.
type Request struct {
	text string
	// send starts it; task is empty where it is over when it is answered.
	send func(ctx context.Context, c *vim25.Client) (task types.ManagedObjectReference, err error)
}

// String is the request as a plan shows it: method, managed object id, arguments, and in brackets what people call the object.
func (r Request) String() string { return r.text }

// Do sends the request once, and waits for its task. The result is that of the task: the managed object id of a snapshot.
// It ends with ctx; a task then goes on in vSphere. What a connection broke off may have been done.
func (r Request) Do(ctx context.Context, api engine.API) (result string, err error) {
	var started types.ManagedObjectReference
	err = Do(ctx, api, func(ctx context.Context, c *vim25.Client) (err error) {
		started, err = r.send(ctx, c)
		return err
	})
	if err == nil && started.Value != "" {
		result, err = wait(ctx, api, r.text, started)
	}
	return result, r.failed(explain(r.text, err))
}

// failed names the request in an error of it.
func (r Request) failed(err error) error {
	var e *engine.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Op == asking {
		e.Op = r.text
	}
	if e.Kind == engine.KindModule && e.Hint == "" {
		e.Hint = "vSphere refused or failed; the recent tasks of the object say more"
	}
	return e
}
