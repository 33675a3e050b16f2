package vsphere

import (
	"context"
	"slices"
	"strings"

	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// VM is a virtual machine as vCenter sees it. Texts are vSphere's own, empty where it does not tell.
type VM struct {
	Ref                    string // managed object id: "vm-17"
	Name                   string
	InstanceUUID, BIOSUUID string // config.instanceUuid, config.uuid; lower case
	Template               bool
	Power                  string // poweredOn, poweredOff, suspended
	Connection             string // connected, disconnected, orphaned, inaccessible, invalid
	GuestState             string // running, shuttingDown, resetting, standby, notRunning, unknown
	ToolsRunning           string // guestToolsRunning, guestToolsNotRunning, guestToolsExecutingScripts
	ToolsStatus            string // toolsOk, toolsOld, toolsNotRunning, toolsNotInstalled (deprecated by vSphere, but short)
	ToolsVersion           string // guestToolsCurrent, guestToolsNotInstalled, …
	Address, HostName      string // as VMware Tools report them
	ESXi                   string // name of the ESXi host; of one that the user may not see, its managed object id
}

// Host is an ESXi host.
type Host struct {
	Ref, Name   string
	Version     string // "7.0.3"
	Connection  string // connected, notResponding, disconnected
	Maintenance bool
}

// Estate is every machine and every ESXi host at one moment, each sorted by name.
type Estate struct {
	VMs   []VM
	Hosts []Host

	esxi map[string]string // managed object id → name
}

func (e *Estate) nameHost(vm *VM) {
	if name := e.esxi[vm.ESXi]; name != "" {
		vm.ESXi = name
	}
}

var (
	vmProperties = []string{"name", "config.uuid", "config.instanceUuid", "config.template", "runtime.powerState", "runtime.connectionState",
		"runtime.host", "guest.guestState", "guest.toolsRunningStatus", "guest.toolsStatus", "guest.toolsVersionStatus2", "guest.ipAddress", "guest.hostName"}
	hostProperties = []string{"name", "config.product.version", "runtime.connectionState", "runtime.inMaintenanceMode"}
)

// Fetch reads the whole estate with one view and two bulk requests: asking for machines one by one costs a vCenter
// far more. A property that the user may not read, or that a broken machine does not have, is empty.
func Fetch(ctx context.Context, api engine.API) (*Estate, error) {
	var e Estate
	err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		v, err := view.NewManager(c).CreateContainerView(ctx, c.ServiceContent.RootFolder, []string{"VirtualMachine", "HostSystem"}, true)
		if err != nil {
			return err
		}
		defer func() { _ = v.Destroy(context.WithoutCancel(ctx)) }() // the session's end frees it, too
		var hosts []mo.HostSystem
		if err := retrieve(ctx, v, "HostSystem", hostProperties, &hosts); err != nil {
			return err
		}
		var vms []mo.VirtualMachine
		if err := retrieve(ctx, v, "VirtualMachine", vmProperties, &vms); err != nil {
			return err
		}
		e = newEstate(vms, hosts)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &e, nil
}

func retrieve(ctx context.Context, v *view.ContainerView, kind string, properties []string, to any) error {
	var content []types.ObjectContent
	if err := v.Retrieve(ctx, []string{kind}, properties, &content); err != nil {
		return err
	}
	return load(content, to)
}

// load is mo.LoadObjectContent, which fails altogether when one object lacks one property.
func load(content []types.ObjectContent, to any) error {
	for i := range content {
		content[i].MissingSet = nil
	}
	return mo.LoadObjectContent(content, to)
}

func newEstate(vms []mo.VirtualMachine, hosts []mo.HostSystem) Estate {
	e := Estate{esxi: map[string]string{}}
	for _, h := range hosts {
		e.esxi[h.Self.Value] = h.Name
		e.Hosts = append(e.Hosts, newHost(h))
	}
	for _, m := range vms {
		vm := newVM(m)
		e.nameHost(&vm)
		e.VMs = append(e.VMs, vm)
	}
	slices.SortFunc(e.VMs, func(a, b VM) int { return strings.Compare(a.Name+"\x00"+a.Ref, b.Name+"\x00"+b.Ref) })
	slices.SortFunc(e.Hosts, func(a, b Host) int { return strings.Compare(a.Name+"\x00"+a.Ref, b.Name+"\x00"+b.Ref) })
	return e
}

func newHost(h mo.HostSystem) Host {
	host := Host{Ref: h.Self.Value, Name: h.Name, Connection: string(h.Runtime.ConnectionState), Maintenance: h.Runtime.InMaintenanceMode}
	if h.Config != nil {
		host.Version = h.Config.Product.Version
	}
	return host
}

// escapes are the three characters that vCenter writes as %XX in names, because its paths need them.
var escapes = strings.NewReplacer("%2f", "/", "%2F", "/", "%5c", `\`, "%5C", `\`, "%25", "%")

// newVM leaves the managed object id of the ESXi host in ESXi.
func newVM(m mo.VirtualMachine) VM {
	vm := VM{Ref: m.Self.Value, Name: escapes.Replace(m.Name), Power: string(m.Runtime.PowerState), Connection: string(m.Runtime.ConnectionState)}
	if m.Config != nil {
		vm.InstanceUUID, vm.BIOSUUID, vm.Template = strings.ToLower(m.Config.InstanceUuid), strings.ToLower(m.Config.Uuid), m.Config.Template
	}
	if g := m.Guest; g != nil {
		vm.GuestState, vm.ToolsRunning, vm.ToolsStatus = g.GuestState, g.ToolsRunningStatus, string(g.ToolsStatus)
		vm.ToolsVersion, vm.Address, vm.HostName = g.ToolsVersionStatus2, g.IpAddress, g.HostName
	}
	if m.Runtime.Host != nil {
		vm.ESXi = m.Runtime.Host.Value
	}
	return vm
}

// Asleep tells why a machine cannot be expected to answer or to be protected, or is "" when it is awake.
//
// Besides power and connection that is guestState standby, and notRunning while VMware Tools are installed and do
// not run: then vCenter cannot tell a sleeping guest from one whose Tools have stopped, and the careful reading is
// sleep. Without Tools guestState says nothing, so the power counts alone. Letter case is ignored: vSphere's own
// documents write notRunning and notrunning.
func (v VM) Asleep() string {
	state := strings.ToLower(v.GuestState)
	switch {
	case !strings.EqualFold(v.Power, string(types.VirtualMachinePowerStatePoweredOn)):
		return "it is " + v.Power
	case v.Connection != "" && !strings.EqualFold(v.Connection, string(types.VirtualMachineConnectionStateConnected)):
		return "vCenter sees it as " + v.Connection
	case state == "standby":
		return "its guest is in standby"
	case state == "notrunning" && !v.ToolsRun() && !strings.EqualFold(v.ToolsVersion, string(types.VirtualMachineToolsVersionStatusGuestToolsNotInstalled)):
		return "its guest does not run, or its VMware Tools do not"
	}
	return ""
}

// ToolsRun tells whether VMware Tools run.
func (v VM) ToolsRun() bool {
	return strings.EqualFold(v.ToolsRunning, string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)) ||
		strings.EqualFold(v.ToolsRunning, string(types.VirtualMachineToolsRunningStatusGuestToolsExecutingScripts))
}

// Find gives the machines with this instance UUID; without one, those with this BIOS UUID; without that, those
// with this name. With a BIOS UUID that several have, the name chooses among them. Templates are never found.
func (e *Estate) Find(instanceUUID, biosUUID, name string) []VM {
	var found []VM
	for _, vm := range e.VMs {
		switch {
		case vm.Template:
		case instanceUUID != "" && strings.EqualFold(vm.InstanceUUID, instanceUUID),
			instanceUUID == "" && biosUUID != "" && strings.EqualFold(vm.BIOSUUID, biosUUID),
			instanceUUID == "" && biosUUID == "" && name != "" && vm.Name == name:
			found = append(found, vm)
		}
	}
	if named := slices.DeleteFunc(slices.Clone(found), func(vm VM) bool { return vm.Name != name }); len(found) > 1 && len(named) > 0 {
		return named
	}
	return found
}
