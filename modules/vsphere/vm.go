// Package vsphere knows virtual machines as a vCenter sees them: whether they are powered on and awake, where they
// run, and how to power one on.
package vsphere

import (
	"context"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// VM looks at a virtual machine, powers it on, or reboots its guest.
func VM() engine.Module {
	return engine.Module{
		Name: "vm",
		Doc: `Looks at a virtual machine in vCenter, powers it on, or reboots its guest.
The host that does it (on) is the vCenter. However many machines are asked for, they are read in one bulk request per pass.
A machine is found by uuid; without one by bios_uuid; without that by name. When several fit, the name chooses; when it cannot, the machine is not found: nobody is guessed. Templates are never found.
awake is false when a machine is off, suspended, not connected to vCenter, in standby, or when its guest does not run while VMware Tools are installed: vCenter cannot tell a sleeping guest from one whose Tools have stopped. Without Tools the power alone counts.
power = "on" resumes a suspended machine, too. A guest in standby is powered on already: vSphere cannot wake it.
guest = "rebooted" asks its VMware Tools, so no login to the guest is needed. It is proven by the uptime of the guest that they tell (the counter sys.osUptime, every 20 seconds); where they do not, by their going and coming back, which the plan says. The module reboot proves it better, over a connection of the guest's own.`,
		New:     func() any { return &vm{Wait: "15m"} },
		Result:  Machine{},
		Targets: []string{"vsphere"},
	}
}

type vm struct {
	UUID     string `hcl:"uuid,optional" executed:"true" doc:"Instance UUID: config.instanceUuid in vCenter, unique there."`
	BIOSUUID string `hcl:"bios_uuid,optional" executed:"true" doc:"BIOS UUID: config.uuid in vCenter; clones may share it."`
	Name     string `hcl:"name,optional" executed:"true" doc:"Name in vCenter, exact; it may not be unique."`
	Power    string `hcl:"power,optional" executed:"true" oneof:"on" doc:"What a step makes of it: on. A probe takes none."`

	Guest string `hcl:"guest,optional" executed:"true" oneof:"rebooted" doc:"What a step makes of the guest in it, through VMware Tools: rebooted. A probe takes none."`
	Wait  string `hcl:"wait,optional" doc:"How long a reboot may take until VMware Tools run again, like 15m."`

	ref      string // what the last Check found
	request  vsphere.Request
	returned bool // VMware Tools went and came back, and tell no uptime
}

// Machine is what vCenter says of one virtual machine. Words of vSphere are as vSphere writes them.
type Machine struct {
	Found        bool   `hcl:"found" doc:"Whether exactly one machine is meant."`
	Name         string `hcl:"name" doc:"Its name in vCenter; empty when it was not found, as every other text."`
	BIOSUUID     string `hcl:"bios_uuid" doc:"config.uuid, lower case."`
	Power        string `hcl:"power" doc:"poweredOn, poweredOff or suspended."`
	Awake        bool   `hcl:"awake" doc:"Whether it is on and its guest can be expected to run."`
	Message      string `hcl:"message" doc:"Why it is not awake or not found; empty otherwise."`
	GuestState   string `hcl:"guest_state" doc:"running, standby, notRunning, shuttingDown, resetting or unknown."`
	ToolsRunning bool   `hcl:"tools_running" doc:"Whether VMware Tools run."`
	ToolsStatus  string `hcl:"tools_status" doc:"toolsOk, toolsOld, toolsNotRunning or toolsNotInstalled."`
	ToolsVersion string `hcl:"tools_version_status" doc:"guestToolsCurrent, guestToolsNotInstalled, guestToolsTooOld …"`
	ESXi         string `hcl:"esxi" doc:"Name in vCenter of the ESXi host that it runs on, or is registered on while it is off."`
	Connection   string `hcl:"connection_state" doc:"connected, disconnected, orphaned, inaccessible or invalid."`
}

// Validate refuses a step that says of no machine.
func (v *vm) Validate() error {
	if d, err := time.ParseDuration(v.Wait); err != nil || d <= 0 {
		return engine.BadArg{Arg: "wait", Problem: fmt.Sprintf("%q is not a duration like 15m", v.Wait)}
	}
	switch acts := v.Power != "" || v.Guest != ""; {
	case v.Power != "" && v.Guest != "":
		return engine.BadArg{Arg: "guest", Problem: "and power exclude each other: what was powered on has booted"}
	case acts && v.key() == machineKey{}:
		return engine.BadArg{Arg: "uuid", Problem: "or bios_uuid or name must say which machine is meant"}
	}
	return nil
}

// Effects are those of power, or of a reboot.
func (v *vm) Effects() []engine.Effect {
	switch {
	case v.Power != "":
		return []engine.Effect{engine.EffectPower}
	case v.Guest != "":
		return []engine.Effect{engine.EffectReboot, engine.EffectNetwork}
	}
	return nil
}

func (v *vm) key() machineKey { return machineKey{v.UUID, v.BIOSUUID, v.Name} }

// Probe asks.
func (v *vm) Probe(ctx context.Context, host engine.Reader) (any, error) {
	found, why, err := v.key().find(ctx, host)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return Machine{Message: why}, nil
	}
	return machine(found), nil
}

func machine(m vsphere.VM) Machine {
	asleep := m.Asleep()
	return Machine{Found: true, Name: m.Name, BIOSUUID: m.BIOSUUID, Power: m.Power, Awake: asleep == "", Message: asleep,
		GuestState: m.GuestState, ToolsRunning: m.ToolsRun(), ToolsStatus: m.ToolsStatus, ToolsVersion: m.ToolsVersion,
		ESXi: m.ESXi, Connection: m.Connection}
}

// fetch gives the estate, which is read once for all probes of a pass.
func fetch(ctx context.Context, host engine.Reader) (*vsphere.Estate, error) {
	e, err := host.Once(ctx, "vsphere estate", func(ctx context.Context) (any, error) {
		api, err := host.API(ctx)
		if err != nil {
			return nil, err
		}
		e, err := vsphere.Fetch(ctx, api)
		return e, engine.Blame(err, host.Name())
	})
	if err != nil {
		return nil, err
	}
	return e.(*vsphere.Estate), nil
}
