package guest

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// machine is the virtual machine as the vCenter sees it.
type machine struct {
	ref     types.ManagedObjectReference
	name    string
	bios    string
	windows bool
}

// wanted says how the machine is found: exactly one of the fields is set.
type wanted struct{ moref, uuid, bios, name string }

// want is what the settings say, else the host's attributes, else its name.
func want(h *engine.Host, s *Settings) wanted {
	switch uuid, bios := text(h, "uuid"), text(h, "bios_uuid"); {
	case s.Moref != "":
		return wanted{moref: s.Moref}
	case s.UUID != "":
		return wanted{uuid: strings.ToLower(s.UUID)}
	case s.Name != "":
		return wanted{name: s.Name}
	case uuid != "":
		return wanted{uuid: strings.ToLower(uuid)}
	case bios != "":
		return wanted{bios: strings.ToLower(bios)}
	}
	return wanted{name: h.Name}
}

func (w wanted) String() string {
	switch {
	case w.moref != "":
		return w.moref
	case w.name != "":
		return "the name " + w.name
	}
	return "the UUID " + w.uuid + w.bios
}

func text(h *engine.Host, name string) string {
	v, ok := h.Attrs[name]
	if !ok || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

// find gives the one machine that is wanted.
func (c *center) find(ctx context.Context, w wanted) (types.ManagedObjectReference, error) {
	op := "find the virtual machine with " + w.String()
	var found []types.ManagedObjectReference
	var err error
	switch {
	case w.moref != "":
		return types.ManagedObjectReference{Type: "VirtualMachine", Value: w.moref}, nil
	case w.name != "":
		found, err = c.byName(ctx, w.name)
	default:
		if w.uuid != "" {
			found, err = c.byUUID(ctx, op, w.uuid, true)
		}
		if err == nil && len(found) == 0 {
			found, err = c.byUUID(ctx, op, w.uuid+w.bios, false)
		}
	}
	if err == nil && len(found) != 1 {
		err = &engine.Error{Kind: engine.KindModule, Host: c.host, Op: op, Unreachable: true, Msg: c.vc + " has " + count(len(found)),
			Hint: "set moref, uuid (the instance UUID, which is never given twice) or name in the connection; does the vCenter's user see the machine?"}
	}
	if err != nil {
		return types.ManagedObjectReference{}, err
	}
	return found[0], nil
}

func count(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n) + " of them"
}

func (c *center) byUUID(ctx context.Context, op, uuid string, instance bool) (found []types.ManagedObjectReference, err error) {
	err = c.ask(ctx, op, func(ctx context.Context, v *vim25.Client) error {
		r, err := methods.FindAllByUuid(ctx, v, &types.FindAllByUuid{This: *v.ServiceContent.SearchIndex, Uuid: uuid, VmSearch: true, InstanceUuid: &instance})
		if err == nil {
			found = r.Returnval
		}
		return err
	})
	return found, err
}

// byName looks through the whole estate, which is read once for all: a vCenter has no index of names.
func (c *center) byName(ctx context.Context, name string) ([]types.ManagedObjectReference, error) {
	x, err := c.api.Session(ctx, "guest names", func(ctx context.Context) (any, func(context.Context) error, error) {
		e, err := vsphere.Fetch(ctx, c.api)
		return e, nil, err
	})
	if err != nil {
		return nil, err
	}
	var found []types.ManagedObjectReference
	for _, vm := range x.(*vsphere.Estate).Find("", "", name) {
		found = append(found, types.ManagedObjectReference{Type: "VirtualMachine", Value: vm.Ref})
	}
	return found, nil
}

var properties = []string{"name", "config.uuid", "runtime.powerState", "guest.guestState", "guest.guestFamily", "guest.toolsInstallType", "guest.toolsRunningStatus", "guest.toolsVersionStatus2"}

// look tells what the machine is, or why nobody can get into it.
func (c *center) look(ctx context.Context, ref types.ManagedObjectReference, os string) (machine, error) {
	var vm mo.VirtualMachine
	op := "look at the virtual machine " + ref.Value
	err := c.ask(ctx, op, func(ctx context.Context, v *vim25.Client) error {
		return property.DefaultCollector(v).RetrieveOne(ctx, ref, properties, &vm)
	})
	if err != nil {
		return machine{}, err
	}
	m := machine{ref: ref, name: vm.Name}
	if vm.Config != nil {
		m.bios = strings.ToLower(vm.Config.Uuid)
	}
	if err := c.awake(&vm); err != nil {
		return m, err
	}
	m.windows, err = c.isWindows(vm.Guest, os)
	return m, err
}

// awake refuses what is off, asleep or without VMware Tools before any account is tried.
func (c *center) awake(vm *mo.VirtualMachine) error {
	e := &engine.Error{Kind: engine.KindRefused, Host: c.host, Op: "run commands in " + vm.Name, Unreachable: true}
	tools, state, version := "", "", ""
	if vm.Guest != nil {
		tools, state, version = vm.Guest.ToolsRunningStatus, vm.Guest.GuestState, vm.Guest.ToolsVersionStatus2
	}
	switch {
	case vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn:
		e.Msg, e.Hint = "it is "+string(vm.Runtime.PowerState), "power it on, or resume it, in the vCenter"
	case strings.EqualFold(version, string(types.VirtualMachineToolsVersionStatusGuestToolsNotInstalled)):
		e.Msg, e.Hint = "VMware Tools are not installed in it", "install them; guest operations are their work"
	case tools != "" && strings.EqualFold(tools, string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning)):
		e.Msg, e.Hint = "VMware Tools do not run in it", vsphere.ToolsHint
		if strings.EqualFold(state, "standby") {
			e.Msg = "its guest sleeps (standby)"
		}
	default:
		return nil
	}
	return e
}

// isWindows: a Windows that the ESXi host is too old to know is "otherGuestFamily" with Tools from an MSI.
func (c *center) isWindows(g *types.GuestInfo, os string) (bool, error) {
	family := ""
	if g != nil {
		family = g.GuestFamily
		if family != string(types.VirtualMachineGuestOsFamilyLinuxGuest) && g.ToolsInstallType == string(types.VirtualMachineToolsInstallTypeGuestToolsTypeMSI) {
			family = string(types.VirtualMachineGuestOsFamilyWindowsGuest)
		}
	}
	switch {
	case os != "":
		return os == "windows", nil
	case family == string(types.VirtualMachineGuestOsFamilyWindowsGuest):
		return true, nil
	case family == string(types.VirtualMachineGuestOsFamilyLinuxGuest):
		return false, nil
	}
	return false, &engine.Error{Kind: engine.KindModule, Host: c.host, Op: "find out what runs in the guest", Unreachable: true,
		Msg: fmt.Sprintf("VMware Tools call it %q", family), Hint: `set os = "windows" or os = "linux" in its connection`}
}
