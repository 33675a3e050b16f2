// Package vcenter is a simulated vCenter: govmomi's simulator with the machines of the lab in it.
//
// What it adds: logins are enforced, machines are copied into the registry (creating 5,000 takes minutes otherwise),
// power changes made over the API are told to the lab, every method call is recorded, and guest operations, for which
// the simulator wants containers and crashes without them, are those of package guestops.
package vcenter

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/guestops"
)

// Power is the power of a machine; standby is a guest that sleeps in a powered-on machine.
type Power string

// The power states.
const (
	On        Power = "on"
	Off       Power = "off"
	Suspended Power = "suspended"
	Standby   Power = "standby"
)

// VM is a virtual machine.
type VM struct {
	Name, Host         string
	UUID, InstanceUUID string // config.uuid (the BIOS UUID) and config.instanceUuid
	HostName, Address  string // as VMware Tools report them
	GuestID, GuestName string // "windows2019srv_64Guest", "Microsoft Windows Server 2019 (64-bit)"
	Power              Power
	Image              string // in its CD drive: ToolsImage, another one, or none
}

// State is what changes of a machine.
type State struct {
	Power Power
	Tools bool      // VMware Tools run
	Boot  time.Time // when it was powered on; zero: not known
}

// Config is what a vCenter is made of.
type Config struct {
	User, Password string
	Hosts          []string
	VMs            []VM
	// Record is called with every method before it runs. May be nil.
	Record func(user, text string, mutates bool)
	// Changed is told of a power change that came over the API, while the machine is locked: it must not call Set
	// before it returns. Rebooted likewise of RebootGuest. May be nil.
	Changed  func(vm string, power Power)
	Rebooted func(vm string)
	// Log is the vmware.log of a machine. May be nil.
	Log func(vm string) string
	// Inserted is told of what the API has put into a machine's CD drive, likewise: "" nothing, or ToolsImage. May be nil.
	Inserted func(vm, image string)
	// Guest is the inside of a machine, for guest operations; nil: nobody gets there.
	Guest func(vm string) *guestops.Guest
	// Refuse may refuse a guest operation with a fault; nil: it does not. Host in the URLs of files: see guestops.Config.
	Refuse   func(method, vm string) types.BaseMethodFault
	Transfer string
	Clock    clock.Clock // of the guests
	// Booted is when the operating system in a machine was booted, as VMware Tools tell it; nil: nobody does.
	Booted func(vm string) (at time.Time, ok bool)
	// Agent is the management agent of a host; nil: hosts have no service system and no access manager.
	Agent func(host string) Agent
}

// VCenter is the simulated vCenter. It is an http.Handler, safe for use by several goroutines.
type VCenter struct {
	cfg    Config
	model  *simulator.Model
	mux    *http.ServeMux
	refs   map[string]types.ManagedObjectReference // VM name → reference
	names  map[types.ManagedObjectReference]string // of machines, hosts, and what belongs to a host
	tools  *guestops.Tools
	drives *drives
	rights *rights
	files  *folder

	readonly atomic.Bool // the user may look and change nothing
	noFiles  atomic.Bool // the user may not read files of datastores
}

// New makes a vCenter with one cluster.
func New(cfg Config) (*VCenter, error) {
	v := &VCenter{cfg: cfg, refs: map[string]types.ManagedObjectReference{}, names: map[types.ManagedObjectReference]string{}}
	if len(cfg.Hosts) == 0 {
		return nil, fmt.Errorf("a vCenter needs at least one host")
	}
	v.drives, v.rights, v.files = newDrives(v), newRights(v), &folder{v: v, sessions: map[string]string{}}
	if err := v.build(); err != nil {
		return nil, fmt.Errorf("build the vCenter: %w", err)
	}
	svc := v.model.Service
	svc.Listen = &url.URL{User: url.UserPassword(cfg.User, cfg.Password)} // another value than DefaultLogin makes it check passwords
	registry := svc.Context.Map
	svc.RegisterSDK(registry, registry.Path+"/vimService")
	v.mux = svc.ServeMux
	v.mux.HandleFunc(registry.Path+"/vimServiceVersions.xml", svc.ServiceVersions)
	registry.Handler = v.handle
	v.tools = guestops.New(guestops.Config{Clock: cfg.Clock, Guest: v.inside, Before: v.refuse, Transfer: cfg.Transfer})
	if err := v.tools.Register(registry); err != nil {
		return nil, err
	}
	v.mux.Handle(guestops.Path, v.tools)
	registry.Put(v.drives)
	registry.Put(v.rights)
	v.mux.Handle("/folder/", v.files)
	if err := v.addPerformance(); err != nil {
		return nil, err
	}
	registry.AddHandler(&watcher{v})
	return v, nil
}

// ServeHTTP answers one request.
func (v *VCenter) ServeHTTP(w http.ResponseWriter, r *http.Request) { v.mux.ServeHTTP(w, r) }

// InstanceUUID is what the vCenter calls itself: about.instanceUuid.
func (v *VCenter) InstanceUUID() string {
	return v.model.ServiceContent.About.InstanceUuid
}

// Close frees what the simulator keeps on disk.
func (v *VCenter) Close() { v.model.Remove() }

// Set makes a machine look like this. It does not come back through Changed.
func (v *VCenter) Set(vm string, s State) {
	registry := v.model.Map()
	if obj := registry.Get(v.refs[vm]); obj != nil {
		registry.AtomicUpdate(v.own(), obj, changes(s))
	}
}

// Refs gives the managed object ids of everything by name: "vm-17", "host-10".
func (v *VCenter) Refs() map[string]string {
	all := map[string]string{}
	for ref, name := range v.names {
		if ref.Type == "VirtualMachine" || ref.Type == "HostSystem" {
			all[name] = ref.Value
		}
	}
	return all
}

// Move makes a machine run on another host.
func (v *VCenter) Move(vm, host string) {
	registry := v.model.Map()
	machine, ok := registry.Get(v.refs[vm]).(*simulator.VirtualMachine)
	if !ok {
		return
	}
	from := *machine.Runtime.Host
	for ref, name := range v.names {
		if to, ok := registry.Get(ref).(*simulator.HostSystem); ok && name == host {
			registry.AtomicUpdate(v.own(), machine, []types.PropertyChange{{Name: "runtime.host", Val: &ref}, {Name: "summary.runtime.host", Val: &ref}})
			registry.WithLock(v.own(), to, func() { to.Vm = append(to.Vm, machine.Self) })
		}
	}
	if old, ok := registry.Get(from).(*simulator.HostSystem); ok && v.names[from] != host {
		registry.WithLock(v.own(), old, func() { simulator.RemoveReference(&old.Vm, machine.Self) })
	}
}

// SetCertificate is what the vCenter knows of an ESXi host's certificate, in DER.
func (v *VCenter) SetCertificate(host string, der []byte) {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	v.configure(host, func(config *types.HostConfigInfo) { config.Certificate = text })
}

// ownKey marks the lab's own changes in a context.
type ownKey struct{}

// own is a fresh context for one change by the lab: the simulator's locks belong to contexts.
func (v *VCenter) own() *simulator.Context {
	ctx := *v.model.Service.Context
	ctx.Context = context.WithValue(ctx.Context, ownKey{}, true)
	return &ctx
}

func changes(s State) []types.PropertyChange {
	power, guest, running, status := types.VirtualMachinePowerStatePoweredOn, "notRunning", "guestToolsNotRunning", types.VirtualMachineToolsStatusToolsNotRunning
	switch s.Power {
	case Off:
		power = types.VirtualMachinePowerStatePoweredOff
	case Suspended:
		power = types.VirtualMachinePowerStateSuspended
	case Standby:
		guest = "standby"
	case On:
		guest = "unknown"
		if s.Tools {
			guest, running, status = "running", "guestToolsRunning", types.VirtualMachineToolsStatusToolsOk
		}
	}
	list := []types.PropertyChange{
		{Name: "runtime.powerState", Val: power},
		{Name: "summary.runtime.powerState", Val: power},
		{Name: "guest.guestState", Val: guest},
		{Name: "guest.toolsRunningStatus", Val: running},
		{Name: "guest.toolsStatus", Val: status},
		{Name: "summary.guest.toolsRunningStatus", Val: running},
	}
	if !s.Boot.IsZero() {
		list = append(list, types.PropertyChange{Name: "runtime.bootTime", Val: s.Boot}, types.PropertyChange{Name: "summary.runtime.bootTime", Val: s.Boot})
	}
	return list
}
