package vsphere

import (
	"context"
	"errors"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// Request is one call that changes something. What a plan shows of it and what is sent are made of the same values.
type Request struct {
	text  string
	needs need
	// send starts it.
	send func(ctx context.Context, c *vim25.Client) (answer, error)
	// explain says what its own faults mean; nil: as those of any other call.
	explain func(op string, err error) error
	// already tells whether a failure means that things are as asked, because somebody else was faster; nil: none does.
	already func(err error) bool
}

// answer is what a request is answered with: a task that goes on, or what is over already.
type answer struct {
	task   types.ManagedObjectReference
	result string
}

// String is the request as a plan shows it: method, managed object id, arguments, and in brackets what people call the object.
func (r Request) String() string { return r.text }

// Do sends the request once, and waits for its task. Where things are as asked already, that is no failure. The result is that of the task, the managed object id of a snapshot, or of the answer.
// It ends with ctx; a task then goes on in vSphere. What a connection broke off may have been done.
func (r Request) Do(ctx context.Context, api engine.API) (result string, err error) {
	var a answer
	var raw error
	err = Do(ctx, api, func(ctx context.Context, c *vim25.Client) error {
		a, raw = r.send(ctx, c)
		return raw
	})
	if err == nil && a.task.Value != "" {
		a.result, err = wait(ctx, api, r.text, a.task)
	}
	switch {
	case err != nil && r.already != nil && r.already(err):
		return "", nil
	case err != nil && raw != nil && r.explain != nil && !fault.Is(raw, &types.NotAuthenticated{}):
		err = r.explain(r.text, raw)
	}
	return a.result, r.failed(explain(r.text, err))
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
