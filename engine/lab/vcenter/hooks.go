package vcenter

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine/lab/guestops"
)

// handle sees every method before it runs. It returns nil, nil to let the simulator go on.
func (v *VCenter) handle(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	user := ""
	if ctx.Session != nil {
		user = ctx.Session.UserName
	}
	text := method.Name + " " + method.This.Type + ":" + method.This.Value
	inGuest := strings.HasPrefix(method.This.Type, "Guest") // what that changes the guest knows, and records
	mutates := !inGuest && !reads(method.Name)
	if mutates {
		text += arguments(method.Body)
	}
	if name := v.names[method.This]; name != "" {
		text += " (" + name + ")"
	}
	if login, ok := method.Body.(*types.Login); ok {
		user, text = login.UserName, text+" userName="+login.UserName
	}
	if vm, ok := subject(method.Body); ok && inGuest {
		text += " in " + v.names[vm]
	}
	if v.cfg.Record != nil {
		v.cfg.Record(user, text, mutates)
	}
	switch {
	case ctx.Session == nil:
	case mutates && v.readonly.Load():
		return nil, v.forbidden(method)
	case method.Name != "RebootGuest" || v.cfg.Rebooted == nil:
	case v.canReboot(ctx, method.This):
		v.cfg.Rebooted(v.names[method.This])
	default: // said here, so that the simulator does not find Tools running a moment later and says yes to nothing
		return nil, new(types.ToolsUnavailable)
	}
	v.files.see(ctx, method)
	v.drives.direct(method)
	v.rights.direct(method)
	return nil, nil
}

// reads tells which methods change nothing in the estate. Whatever is not known to be harmless counts as an attempt
// to change something. Views, filters, collectors and sessions are the caller's own.
func reads(method string) bool {
	switch method {
	case "Login", "Logout", "LoginByToken", "CloneSession", "SessionIsActive", "AcquireCloneTicket", "CurrentTime", "Fetch", "List",
		"CreateFilter", "CreatePropertyCollector", "DestroyPropertyCollector", "DestroyPropertyFilter", "DestroyView",
		"CreateContainerView", "CreateListView", "ModifyListView", "CreateInventoryView", "CreateCollectorForTasks",
		"CreateCollectorForEvents", "DestroyCollector", "WaitForUpdates", "WaitForUpdatesEx", "CancelWaitForUpdates",
		"CheckForUpdates", "ContinueRetrievePropertiesEx", "CancelRetrievePropertiesEx", "HasPrivilegeOnEntities":
		return true
	}
	for _, prefix := range []string{"Retrieve", "Find", "Query", "Read", "Get", "List", "Check"} {
		if strings.HasPrefix(method, prefix) {
			return true
		}
	}
	return false
}

// canReboot is the condition under which the simulator accepts RebootGuest.
func (v *VCenter) canReboot(ctx *simulator.Context, ref types.ManagedObjectReference) (can bool) {
	vm, ok := v.model.Map().Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return false
	}
	ctx.Map.WithLock(ctx, vm, func() {
		can = vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn && vm.Guest.ToolsRunningStatus == "guestToolsRunning"
	})
	return can
}

// subject is the machine that an operation is about.
func subject(body any) (vm types.ManagedObjectReference, ok bool) {
	field := reflect.Indirect(reflect.ValueOf(body))
	if field.Kind() == reflect.Struct {
		if f := field.FieldByName("Vm"); f.IsValid() {
			vm, ok = f.Interface().(types.ManagedObjectReference)
		}
	}
	return vm, ok
}

// inside finds the guest of a machine, or tells why vCenter cannot get there.
func (v *VCenter) inside(ctx *simulator.Context, ref types.ManagedObjectReference) (*guestops.Guest, types.BaseMethodFault) {
	vm, ok := v.model.Map().Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return nil, &types.ManagedObjectNotFound{Obj: ref}
	}
	var power types.VirtualMachinePowerState
	var tools string
	ctx.Map.WithLock(ctx, vm, func() { power, tools = vm.Runtime.PowerState, vm.Guest.ToolsRunningStatus })
	if power != types.VirtualMachinePowerStatePoweredOn {
		return nil, &types.InvalidPowerState{RequestedState: types.VirtualMachinePowerStatePoweredOn, ExistingState: power}
	}
	var g *guestops.Guest
	if v.cfg.Guest != nil && tools == "guestToolsRunning" {
		g = v.cfg.Guest(v.names[ref])
	}
	if g == nil {
		return nil, new(types.GuestOperationsUnavailable)
	}
	return g, nil
}

func (v *VCenter) refuse(method string, ref types.ManagedObjectReference) types.BaseMethodFault {
	if v.cfg.Refuse == nil {
		return nil
	}
	return v.cfg.Refuse(method, v.names[ref])
}

// watcher sees every property change of the registry.
type watcher struct{ v *VCenter }

// Reference is the watcher's own: no object of the inventory has it.
func (w *watcher) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "LabWatcher", Value: "lab"}
}

// PutObject does nothing.
func (w *watcher) PutObject(*simulator.Context, mo.Reference) {}

// RemoveObject does nothing.
func (w *watcher) RemoveObject(*simulator.Context, types.ManagedObjectReference) {}

// UpdateObject tells the lab of a power change that is not the lab's own.
func (w *watcher) UpdateObject(ctx *simulator.Context, obj mo.Reference, changes []types.PropertyChange) {
	name := w.v.names[obj.Reference()]
	own := ctx.Context != nil && ctx.Context.Value(ownKey{}) != nil
	if name == "" || own || w.v.cfg.Changed == nil {
		return
	}
	for _, c := range changes {
		if power := powerOf(c.Val); c.Name == "runtime.powerState" && power != "" {
			w.v.cfg.Changed(name, power)
		}
	}
}

func powerOf(value any) Power {
	switch fmt.Sprint(reflect.Indirect(reflect.ValueOf(value))) {
	case string(types.VirtualMachinePowerStatePoweredOn):
		return On
	case string(types.VirtualMachinePowerStatePoweredOff):
		return Off
	case string(types.VirtualMachinePowerStateSuspended):
		return Suspended
	}
	return ""
}
