package guest

import (
	"context"
	"errors"
	"fmt"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

var (
	errSilent = errors.New("the vCenter does not answer")
	errClosed = errors.New("the connection is closed")
)

const toolsHint = "wake the guest, or start VMware Tools in it (Windows: the service VMTools; Linux: open-vm-tools or vmtoolsd); after a boot they take a minute"

// why is what a fault of vSphere means, and what to do.
type why struct {
	fault     types.BaseMethodFault
	kind      engine.ErrorKind
	msg, hint string
}

// whys are judged in this order: a fault may be a kind of a later one.
var whys = []why{
	{&types.InvalidGuestLogin{}, engine.KindAuth, "the guest refused the account",
		`check user ("DOMAIN\\name" or a local name) and password; it may be locked, expired, or not allowed to log on. It is not tried again in this run`},
	{&types.GuestAuthenticationChallenge{}, engine.KindAuth, "the guest wants another way to log in than a password", "use an account that needs a password only"},
	{&types.GuestMultipleMappings{}, engine.KindAuth, "the guest knows several users for this account", "use the full name of the account"},
	{&types.TooManyGuestLogons{}, engine.KindRefused, "too many users are logged in to the guest", "wait, or log somebody off"},
	{&types.GuestPermissionDenied{}, engine.KindModule, "the account may not do this in the guest", "use an account that is an administrator there"},
	{&types.OperationDisabledByGuest{}, engine.KindRefused, "guest operations are switched off in the guest",
		"tools.conf in the guest says so, section [guestoperations] (disabled=true, or one operation by its name): its administrator decides"},
	{&types.OperationNotSupportedByGuest{}, engine.KindProtocol, "VMware Tools in the guest cannot do this", "update them"},
	{&types.GuestComponentsOutOfDate{}, engine.KindProtocol, "VMware Tools in the guest are too old", "update them"},
	{&types.GuestOperationsUnavailable{}, engine.KindRefused, "VMware Tools do not answer in the guest", toolsHint},
	{&types.ToolsUnavailable{}, engine.KindRefused, "VMware Tools do not run in the guest", toolsHint},
	{&types.InvalidPowerState{}, engine.KindRefused, "the virtual machine is not powered on", "power it on, or resume it, in the vCenter"},
	{&types.TaskInProgress{}, engine.KindRefused, "the virtual machine is busy with another task", "look at its recent tasks in the vCenter; then try again"},
	{&types.ManagedObjectNotFound{}, engine.KindRefused, "the vCenter does not have this virtual machine any more", "was it removed, or is its moref of another vCenter?"},
	{&types.InvalidState{}, engine.KindRefused, "the virtual machine is in a state that forbids it", "look at it in the vCenter"},
}

// explain makes err, of a call, an *engine.Error. Who is blamed is the guest, or the vCenter where it is at fault.
func (c *center) explain(op string, err error) error {
	var known *engine.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		if known.Host == "" {
			known.Host = c.vc
		}
		return known
	}
	e := &engine.Error{Kind: engine.KindModule, Host: c.host, Op: op, Err: err}
	for _, w := range whys {
		if fault.Is(err, w.fault) {
			e.Kind, e.Msg, e.Hint, e.Unreachable = w.kind, w.msg, w.hint, w.kind != engine.KindModule
			return e
		}
	}
	fault.In(err, func(f types.BaseMethodFault, _ string, _ []types.LocalizableMessage) bool {
		switch f := f.(type) {
		case *types.NoPermission:
			e.Kind, e.Host, e.Msg, e.Unreachable = engine.KindAuth, c.vc, "the vCenter's user lacks the privilege "+f.PrivilegeId, true
			e.Hint = "guest operations need VirtualMachine.GuestOperations.Query, .Modify and .Execute on the virtual machine"
		case *types.FileNotFound:
			e.Msg = "the guest has no " + f.File
		case *types.GuestOperationsFault:
			e.Hint = "VMware Tools failed; vmware.log of the machine and the log of Tools in the guest say more"
		default:
			return false
		}
		return true
	})
	return e
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
