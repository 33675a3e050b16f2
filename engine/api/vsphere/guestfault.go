package vsphere

import (
	"errors"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// ToolsHint is what to do where VMware Tools do not answer.
const ToolsHint = "wake the guest, or start VMware Tools in it (Windows: the service VMTools; Linux: open-vm-tools or vmtoolsd); after a boot they take a minute"

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
	{&types.GuestOperationsUnavailable{}, engine.KindRefused, "VMware Tools do not answer in the guest", ToolsHint},
	{&types.ToolsUnavailable{}, engine.KindRefused, "VMware Tools do not run in the guest", ToolsHint},
	{&types.InvalidPowerState{}, engine.KindRefused, "the virtual machine is not powered on", "power it on, or resume it, in the vCenter"},
	{&types.TaskInProgress{}, engine.KindRefused, "the virtual machine is busy with another task", "look at its recent tasks in the vCenter; then try again"},
	{&types.ManagedObjectNotFound{}, engine.KindRefused, "the vCenter does not have this virtual machine any more", "was it removed, or is its moref of another vCenter?"},
	{&types.InvalidState{}, engine.KindRefused, "the virtual machine is in a state that forbids it", "look at it in the vCenter"},
}

// ExplainGuest makes err, of a guest operation, an *engine.Error. Who is blamed is the guest, or the vCenter where it is at fault.
func ExplainGuest(op, guest, vc string, err error) error {
	var known *engine.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		if known.Host == "" {
			known.Host = vc
		}
		return known
	}
	e := &engine.Error{Kind: engine.KindModule, Host: guest, Op: op, Err: err}
	for _, w := range whys {
		if fault.Is(err, w.fault) {
			e.Kind, e.Msg, e.Hint, e.Unreachable = w.kind, w.msg, w.hint, w.kind != engine.KindModule
			return e
		}
	}
	fault.In(err, func(f types.BaseMethodFault, _ string, _ []types.LocalizableMessage) bool {
		switch f := f.(type) {
		case *types.NoPermission:
			e.Kind, e.Host, e.Msg, e.Unreachable = engine.KindAuth, vc, "the vCenter's user lacks the privilege "+f.PrivilegeId, true
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
