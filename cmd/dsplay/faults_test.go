package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
)

const (
	restartAgent = `ds_agent.*restart|restart.*ds_agent`
	heartbeat    = `dsa_control -m$` // follows a restart of the agent
	restartMux   = `nsx-context-mux.*restart`
	startDriver  = `sc(\.exe)? start vsepflt`
)

var anything = []string{"*"}

// Every fault alone: the right remedy on the right host, nothing else anywhere, and the world is well again.
func TestEachFaultGetsItsRemedyAndNothingElse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults []lab.Fault
		acted  map[string][]string
		world  func(e *estate, w lab.World)
	}{
		{"healthy", nil, map[string][]string{}, nil},
		{"dsva-stuck", []lab.Fault{{Name: "dsva-stuck", Target: "esx2"}}, map[string][]string{"dsva2": {restartAgent, heartbeat}}, func(e *estate, w lab.World) {
			restarts(e, w, map[string]int{"dsva2": 1})
		}},
		{"mux-stuck", []lab.Fault{{Name: "mux-stuck", Target: "esx3"}}, map[string][]string{"dsva3": {restartAgent, heartbeat}, "esx3": {restartMux}}, func(e *estate, w lab.World) {
			restarts(e, w, map[string]int{"dsva3": 1, "esx3": 1})
		}},
		{"both on one host", []lab.Fault{{Name: "mux-stuck", Target: "esx1"}, {Name: "dsva-stuck", Target: "esx1"}},
			map[string][]string{"dsva1": {restartAgent, heartbeat}, "esx1": {restartMux}}, func(e *estate, w lab.World) {
				restarts(e, w, map[string]int{"dsva1": 1, "esx1": 1})
			}},
		{"driver-stopped", []lab.Fault{{Name: "driver-stopped", Target: "guest1-2"}}, map[string][]string{"guest1-2": {startDriver}}, noInstaller},
		{"lone-guest", []lab.Fault{{Name: "lone-guest", Target: "esx2"}}, map[string][]string{"guest2-1": {startDriver}}, noInstaller},
		{"tools-without-introspection", []lab.Fault{{Name: "tools-without-introspection", Target: "guest3-4"}}, map[string][]string{"guest3-4": anything}, oneInstaller("guest3-4")},
		{"tools-broken", []lab.Fault{{Name: "tools-broken", Target: "guest4-1"}}, map[string][]string{"dsm1": anything, "guest4-1": anything}, oneInstaller("guest4-1")},
		{"asleep", []lab.Fault{{Name: "asleep", Target: "guest2-3"}}, map[string][]string{}, nil},
		{"asleep in a dark host", []lab.Fault{{Name: "asleep", Target: "guest2-3"}, {Name: "dsva-stuck", Target: "esx2"}}, map[string][]string{"dsva2": {restartAgent, heartbeat}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEstate(t, lab.Options{})
			e.inject(tt.faults...)
			e.ended(e.heal(), exitOK)
			e.acted(tt.acted)
			e.healthy()
			if tt.world != nil {
				tt.world(e, e.World())
			}
		})
	}
}

// restarts wants exactly these restarts of agents and Muxes.
func restarts(e *estate, w lab.World, want map[string]int) {
	e.t.Helper()
	for _, d := range w.DSVA {
		if d.AgentRestarts != want[d.Name] {
			e.t.Errorf("ds_agent on %s was restarted %d times, want %d", d.Name, d.AgentRestarts, want[d.Name])
		}
	}
	for _, h := range w.ESXi {
		if h.MuxRestarts != want[h.Name] {
			e.t.Errorf("the Mux on %s was restarted %d times, want %d", h.Name, h.MuxRestarts, want[h.Name])
		}
	}
}

func noInstaller(e *estate, w lab.World) {
	e.t.Helper()
	restarts(e, w, nil)
	for _, g := range w.Guests {
		if g.InstallerRuns != 0 || g.Boots > 1 {
			e.t.Errorf("%s: %d installer runs, %d boots", g.Name, g.InstallerRuns, g.Boots)
		}
	}
}

func oneInstaller(name string) func(*estate, lab.World) {
	return func(e *estate, w lab.World) {
		e.t.Helper()
		restarts(e, w, nil)
		for _, g := range w.Guests {
			want := 0
			if g.Name == name {
				want = 1
			}
			if g.InstallerRuns != want || g.Boots > 1 {
				e.t.Errorf("%s: %d installer runs, %d boots", g.Name, g.InstallerRuns, g.Boots)
			}
		}
	}
}

func TestDarkHostWithAGuestOfItsOwnFault(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "driver-stopped", Target: "guest2-4"})
	e.ended(e.heal(), exitOK, "run again for case A", "guest2-4")
	e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}})
	e.healthy("guest2-4")
	e.ended(e.heal(), exitOK)
	e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}, "guest2-4": {startDriver}})
	e.healthy()
}

func TestMixedFaults(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "mux-stuck", Target: "esx3"}, lab.Fault{Name: "driver-stopped", Target: "guest1-2"},
		lab.Fault{Name: "tools-without-introspection", Target: "guest1-5"}, lab.Fault{Name: "tools-broken", Target: "guest4-3"}, lab.Fault{Name: "asleep", Target: "guest4-6"})
	e.ended(e.heal(), exitOK, "Asleep, left alone; they heal when they wake: guest4-6")
	e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}, "dsva3": {restartAgent, heartbeat}, "esx3": {restartMux},
		"guest1-2": {startDriver}, "guest1-5": anything, "guest4-3": anything, "dsm1": anything})
	e.healthy()
}

func TestWakeOnlyWithConsent(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "asleep", Target: "guest2-3"})
	e.ended(e.heal("--var", "wake=true"), exitOK)
	e.acted(map[string][]string{"vc1": {"PowerOnVM_Task"}})
	if g, _ := e.World().Guest("guest2-3"); g.Power != lab.On {
		t.Errorf("guest2-3 is %s", g.Power)
	}
}

func TestRebootOnlyWithConsent(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "disconnected", Target: "guest2-3"})
	e.ended(e.heal("-v", "--var", "change_tools=false"), exitFailed, "guest2-3: failed", `not attempted, because of their conditions`, `"reboot the guest"`, "var.reboot = false")
	e.acted(map[string][]string{"dsm1": anything}) // its policy is sent
	e.ended(e.heal("--var", "change_tools=false", "--var", "reboot=true"), exitOK)
	e.acted(map[string][]string{"dsm1": anything, "guest2-3": {"shutdown"}})
	e.healthy()
	if g, _ := e.World().Guest("guest2-3"); g.Boots != 2 {
		t.Errorf("guest2-3 has booted %d times, want 2", g.Boots)
	}
}

// Deep Security 11.0 has no REST API and may speak Japanese; NSX-V has another Mux; WinRM may be plain HTTP with sealing.
func TestOtherGenerations(t *testing.T) {
	e := newEstate(t, lab.Options{NoREST: true, Japanese: true, NSXV: true, PlainWS: true, ESXi: 3, Guests: 5})
	e.inject(lab.Fault{Name: "mux-stuck", Target: "esx2"}, lab.Fault{Name: "driver-stopped", Target: "guest1-2"}, lab.Fault{Name: "tools-without-introspection", Target: "guest1-3"})
	e.ended(e.heal(), exitOK)
	e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}, "esx2": {`vShield-Endpoint-Mux.*restart`}, "guest1-2": {startDriver}, "guest1-3": anything})
	e.healthy()
}

// Where nobody can judge, nothing is touched.
func TestNothingIsTouchedWithoutEvidence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults []lab.Fault
		says   string
	}{
		{"everything-dark", []lab.Fault{{Name: "everything-dark"}}, "No engine is online on any of 4 ESXi hosts"},
		{"everything dark, one host with a lone guest", []lab.Fault{{Name: "lone-guest", Target: "esx2"}, {Name: "everything-dark"}}, "No engine is online"},
		{"dsm-stale", []lab.Fault{{Name: "dsm-stale"}}, "DSM cannot say"},
		{"dsm-stale after a fault", []lab.Fault{{Name: "dsva-stuck", Target: "esx1"}, {Name: "dsm-stale"}}, "DSM cannot say"},
		{"dsm-down", []lab.Fault{{Name: "dsva-stuck", Target: "esx1"}, {Name: "dsm-down"}}, "failed or did not answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEstate(t, lab.Options{})
			e.inject(tt.faults...)
			e.ended(within(t, time.Minute, func() outcome { return e.heal() }), exitStopped, tt.says)
			e.acted(map[string][]string{})
		})
	}
}

func TestLimitDoesNotFalsifyTheEvidence(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"})
	e.ended(e.heal("--limit", "guest2-1"), exitOK)
	e.acted(map[string][]string{})
	e.ended(e.heal("--limit", "esx2"), exitOK)
	e.acted(map[string][]string{"dsva2": {restartAgent, heartbeat}})
}

func TestCheckChangesNothing(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "tools-broken", Target: "guest4-3"})
	e.ended(e.heal("--check"), exitChanges, "ds_agent restart", "nsx-context-mux restart", "ONLY IF the goal does not hold by then", "What is lost at worst:")
	e.acted(map[string][]string{})
}

// What might be needed and cannot be planned stands in the plan: the approver has to know it.
func TestThePlanSaysWhatItCannotPlan(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "mux-stuck", Target: "esx2"}, lab.Fault{Name: "unreachable", Target: "esx2"})
	e.ended(e.heal("--check"), exitChanges, "probe.mux in play around — no answer", "its Mux cannot be restarted", "ds_agent restart")
	e.acted(map[string][]string{})
}

// Connections that fail: each ends in bounded time as a named error of that host, and the others are finished.
func TestOneHostThatCannotBeReached(t *testing.T) {
	t.Parallel()
	ill := []lab.Fault{{Name: "driver-stopped", Target: "guest1-2"}, {Name: "driver-stopped", Target: "guest1-3"}}
	tests := []struct {
		fault string
		says  string
	}{
		{"unreachable", "refused"},
		{"silent", "guest1-3"},
		{"wrong-password", "refuses user"},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			e := newEstate(t, lab.Options{})
			impatient(t, e.Lab)
			// Of the two guests that are ill, one cannot be reached: play case_a allows 25 % failures of its hosts.
			more := []lab.Fault{{Name: "driver-stopped", Target: "guest3-1"}, {Name: "driver-stopped", Target: "guest3-2"}, {Name: tt.fault, Target: "guest1-3"}}
			e.inject(append(ill, more...)...)
			o := within(t, 90*time.Second, func() outcome { return e.heal() })
			e.ended(o, exitUnreachable, "guest1-3: unreachable", tt.says)
			e.acted(map[string][]string{"guest1-2": {startDriver}, "guest3-1": {startDriver}, "guest3-2": {startDriver}})
			e.healthy("guest1-3")
		})
	}
}

func TestWrongHostKeyOfAnAppliance(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "wrong-host-key", Target: "dsva2"}, lab.Fault{Name: "driver-stopped", Target: "guest1-2"})
	o := within(t, 90*time.Second, func() outcome { return e.heal("--var", "patience=2s") }) // nothing helps, however long one waits
	// The appliance cannot be trusted, so its attempt counts as tried; the Mux does not help; the run stops there (batch).
	e.ended(o, exitStopped, "dsva2: unreachable", "host key")
	e.acted(map[string][]string{"esx2": {restartMux}})
}

const lookBook = `
play "look" {
  hosts = group.esxi
  probe "service" "mux" {
    name    = "nsx-context-mux"
    timeout = "1m"
  }
}
`

// Each connection that fails over SSH is a named error of that host; the others are finished.
func TestConnectionFaultsOverSSHAreNamed(t *testing.T) {
	e := newEstate(t, lab.Options{})
	impatient(t, e.Lab)
	book := filepath.Join(t.TempDir(), "look.hcl")
	if err := os.WriteFile(book, []byte(lookBook), 0o600); err != nil {
		t.Fatal(err)
	}
	e.inject(lab.Fault{Name: "wrong-host-key", Target: "esx1"}, lab.Fault{Name: "unreachable", Target: "esx2"}, lab.Fault{Name: "silent", Target: "esx3"})
	o := within(t, 90*time.Second, func() outcome { return e.dsplay("run", book, "--yes", "--json") })
	e.ended(o, exitUnreachable)
	got := map[string]string{}
	for line := range strings.Lines(o.stdout) {
		var ev engine.Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if ev.Kind == engine.EventHostEnd && ev.Play == "look" {
			got[ev.Host] = ev.Status
			if ev.Error != nil {
				got[ev.Host] += " " + string(ev.Error.Kind) + " " + ev.Error.Host
			}
		}
	}
	want := map[string]string{"esx1": "unreachable hostkey esx1", "esx2": "unreachable refused esx2", "esx3": "unreachable timeout esx3", "esx4": "ok"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v\n%s", got, want, o)
	}
}
