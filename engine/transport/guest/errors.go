package guest

import (
	"context"
	"errors"
	"fmt"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

var (
	errSilent = errors.New("the vCenter does not answer")
	errClosed = errors.New("the connection is closed")
)

// explain makes err, of a call, an *engine.Error. Who is blamed is the guest, or the vCenter where it is at fault.
func (c *center) explain(op string, err error) error {
	return vsphere.ExplainGuest(op, c.host, c.vc, err)
}

// isFault tells whether the vCenter answered err with this fault.
func isFault(err error, f types.BaseMethodFault) bool { return err != nil && fault.Is(err, f) }

// away tells whether err means that nobody in the guest answers now, which may pass: a vMotion, a restart of Tools.
func away(err error) bool {
	for _, f := range []types.BaseMethodFault{&types.GuestOperationsUnavailable{}, &types.ToolsUnavailable{}, &types.TaskInProgress{}, &types.InvalidState{}} {
		if isFault(err, f) && !isFault(err, &types.InvalidPowerState{}) {
			return true
		}
	}
	return false
}

// silent tells whether err means that the vCenter was waited for in vain.
func silent(err error) bool {
	return errors.Is(err, errSilent) || engine.KindOf(err) == engine.KindTimeout
}

// unanswered tells whether err leaves open what the vCenter has done: no answer came, or none that can be read.
func unanswered(err error) bool {
	switch engine.KindOf(err) {
	case engine.KindLost, engine.KindTimeout, engine.KindProtocol:
		return !isFault(err, &types.OperationNotSupportedByGuest{}) && !isFault(err, &types.GuestComponentsOutOfDate{})
	}
	return false
}

func (c *conn) unbegun(op string, cause error) *engine.Error {
	if errors.Is(cause, errClosed) {
		return &engine.Error{Kind: engine.KindLost, Host: c.host, Op: op, Err: fmt.Errorf("%w: %w", engine.ErrNotRun, cause), Unreachable: true}
	}
	return &engine.Error{Kind: engine.KindTimeout, Host: c.host, Op: op, Msg: "not begun", Err: cause}
}

// notRun is the error of a command that certainly did not start. Where the vCenter could not be asked it wraps ErrNotRun.
func (c *conn) notRun(op string, err error) *engine.Error {
	var e *engine.Error
	if !errors.As(err, &e) {
		return &engine.Error{Kind: engine.KindModule, Host: c.host, Op: op, Err: err}
	}
	copied := *e
	if e.Unreachable && e.Kind != engine.KindAuth && !errors.Is(err, context.Canceled) {
		return &engine.Error{Kind: engine.KindLost, Host: e.Host, Op: op, Err: fmt.Errorf("%w: %w", engine.ErrNotRun, e), Hint: e.Hint, Unreachable: true}
	}
	return &copied
}

// lost is the error of a command whose outcome is unknown.
func (c *conn) lost(op, msg string, cause error, orphan bool) *engine.Error {
	e := &engine.Error{Kind: engine.KindLost, Host: c.host, Op: op, Msg: msg, Err: cause, Hint: engine.HintOf(cause), Orphan: orphan, Unreachable: true}
	if e.Hint == "" {
		e.Hint = "look at the guest before it is repeated"
	}
	return e
}

// killed is the error when the caller's time was over, or the connection closed, while it ran.
func (c *conn) killed(op string, cause error, orphan bool) *engine.Error {
	e := &engine.Error{Kind: engine.KindTimeout, Host: c.host, Op: op, Msg: "stopped before its end", Err: cause, Orphan: orphan}
	switch {
	case errors.Is(cause, context.DeadlineExceeded):
		e.Msg, e.Hint = "not ended in time, and killed", "give it a longer timeout, or look at what hangs in the guest"
	case errors.Is(cause, errClosed):
		e.Kind = engine.KindLost
	}
	if orphan {
		e.Hint = "look for it in the guest, and end it there"
	}
	return e
}

// cause is why ctx ended: context.Canceled or DeadlineExceeded, or errClosed.
func cause(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errClosed) {
		return errClosed
	}
	return ctx.Err()
}
