//go:build unix

package main

import (
	"context"
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/dsplay/dsplay/modules/appliance"
	"github.com/dsplay/dsplay/modules/deepsecurity"
	"github.com/dsplay/dsplay/modules/esxi"
	"github.com/dsplay/dsplay/modules/service"
	"github.com/dsplay/dsplay/modules/tools"
	"github.com/dsplay/dsplay/modules/vsphere"
	"github.com/zclconf/go-cty/cty"
)

// mocked is a playbook whose modules are answered for in Go, without any system behind: what is left is what the
// engine itself takes. Arguments, conditions, plans and events are the real ones.
type mocked struct {
	engine.Program
	answer func(host, module string) any
}

func (m mocked) Pass(inv *engine.Inventory, vars cty.Value) engine.Pass {
	return mockedPass{m.Program.Pass(inv, vars), m}
}

type mockedPass struct {
	engine.Pass
	m mocked
}

func (p mockedPass) Begin(play *engine.Play) engine.PlayScope {
	return mockedPlay{p.Pass.Begin(play), p.m}
}

type mockedPlay struct {
	engine.PlayScope
	m mocked
}

func (p mockedPlay) Host(name string) engine.HostScope {
	return mockedHost{p.PlayScope.Host(name), p.m, name}
}

type mockedHost struct {
	engine.HostScope
	m    mocked
	name string
}

func (h mockedHost) Args(e *engine.Entry) (engine.Args, error) {
	args, err := h.HostScope.Args(e)
	if err == nil && args.Module != nil {
		args.Module = mock{h.m.answer(h.name, e.Module.Name)}
	}
	return args, err
}

// mock reaches its host as a module does, and gives an answer, or restarts something that does not exist.
type mock struct{ answer any }

func (m mock) Probe(ctx context.Context, host engine.Reader) (any, error) {
	_, err := host.API(ctx)
	return m.answer, err
}

func (m mock) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	_, err := host.API(ctx)
	return engine.Diff{Act: "restart", Commands: []string{"restart"}}, err
}

func (m mock) Apply(context.Context, engine.Machine, engine.Diff) (any, error) { return m.answer, nil }

// nowhere is a transport that opens nothing.
type nowhere struct{}

func (nowhere) Settings() any { return nil }
func (nowhere) Open(context.Context, *engine.Host) (engine.Conn, error) {
	return wire{}, nil
}

// wire is a connection to nothing, on which nothing but its being there is asked.
type wire struct{ engine.API }

func (wire) Identity() string { return "none" }
func (wire) Close() error     { return nil }

// sick is what is wrong in an estate: ESXi hosts with all their guests, and guests alone.
type sick struct{ esxi, guests []string }

// everyNth are the first name and each n-th after it.
func everyNth(n int, names []string) []string {
	var out []string
	for i := 0; i < len(names); i += n {
		out = append(out, names[i])
	}
	return out
}

// answers knows what the probes of engine-offline.hcl see on a host, by module.
func answers(inv *engine.Inventory, s sick) func(host, module string) any {
	onESXi := map[string]*deepsecurity.Guests{}
	state := map[string]string{}
	for _, name := range inv.Groups["guests"] {
		esxi, uuid := text(inv, name, "esxi"), text(inv, name, "bios_uuid")
		if onESXi[esxi] == nil {
			onESXi[esxi] = &deepsecurity.Guests{}
		}
		if slices.Contains(s.esxi, esxi) || slices.Contains(s.guests, name) {
			state[name], onESXi[esxi].Offline = "offline", append(onESXi[esxi].Offline, uuid)
		} else {
			state[name], onESXi[esxi].Online = "online", append(onESXi[esxi].Online, uuid)
		}
	}
	return func(host, module string) any {
		switch module {
		case "vm":
			runsOn := host // the appliance of an ESXi host runs there
			if slices.Contains(inv.Groups["guests"], host) {
				runsOn = text(inv, host, "esxi")
			}
			return vsphere.Machine{Found: true, Name: host, Power: "poweredOn", Awake: true, GuestState: "running",
				ToolsRunning: true, ToolsStatus: "toolsOk", ToolsVersion: "guestToolsCurrent", ESXi: runsOn, Connection: "connected"}
		case "esxi_service":
			return vsphere.Services{Found: true, Exists: true, Running: true, Policy: "on"}
		case "esxi_lockdown":
			return vsphere.Lockdown{Found: true, Mode: "lockdownDisabled"}
		case "ds_agent":
			return appliance.Status{Exists: true, Running: true, Answers: true, DSM: "https://dsm1:4120/"}
		case "esxi_mux":
			return esxi.Status{Prepared: true, Service: "nsx-context-mux", Running: true, Generation: "nsx-t"}
		case "ds_computer":
			return deepsecurity.Guest{Found: true, Name: host, Agentless: true, State: state[host], ESXi: text(inv, host, "esxi")}
		case "ds_computers":
			return *onESXi[host]
		case "service":
			return service.Status{Exists: true, State: "STOPPED"}
		case "vmware_tools":
			return tools.Status{Installed: true, Version: "12.1.5", FileIntrospection: true}
		}
		return nil
	}
}

func text(inv *engine.Inventory, host, attr string) string {
	return inv.Hosts[host].Attrs[attr].AsString()
}

// rig is a playbook that is loaded for an inventory, ready to be run in mocked worlds.
type rig struct {
	app *app
	inv *engine.Inventory
	*loaded
}

func newRig(tb testing.TB, playbook, inventory string) *rig {
	tb.Helper()
	a := quietApp()
	l, err := a.load(playbook, loadFlags{inventory: writeFile(tb, "inventory.hcl", inventory)})
	if err != nil {
		tb.Fatal(err)
	}
	return &rig{a, l.model.Inventory(), l}
}

// runner has the readers of events that "dsplay run --json" has.
func (r *rig) runner(answer func(host, module string) any) *run.Runner {
	transports := map[string]engine.Transport{}
	for name := range r.wires.transports {
		transports[name] = nowhere{}
	}
	return run.New(run.Options{ID: "bench", Program: mocked{r.program, answer}, Inventory: r.inv, Transports: transports, Stop: r.app.stop,
		Journal: report.Sinks{Redactor: report.NewRedactor(&r.app.secrets), To: r.app.sinks(passFlags{json: true})}})
}
