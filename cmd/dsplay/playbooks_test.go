package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// What nobody can mend from here is told, host by host, and keeps nobody from being healed.
func TestFindingsStandInNobodysWay(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 5, Guests: 4})
	e.inject(lab.Fault{Name: "mux-missing", Target: "esx1"}, lab.Fault{Name: "appliance-moved", Target: "esx2"}, lab.Fault{Name: "appliance-off", Target: "esx3"},
		lab.Fault{Name: "dsva-stuck", Target: "esx4"}, lab.Fault{Name: "ssh-off", Target: "esx4"}, lab.Fault{Name: "tag-missing", Target: "guest5-1"})
	if err := e.WaitHeartbeat(t.Context()); err != nil { // an appliance that is off is missed after the second
		t.Fatal(err)
	}
	e.ended(e.heal(), exitFailed, "it is not prepared for Guest Introspection", "has moved to esx3", "--var power_on_appliance=true", "SSH is off (dsplay run playbooks/esxi-ssh.hcl")
	e.acted(map[string][]string{"dsva4": {restartAgent, heartbeat}, "nsx1": {"add_tags"}})
	e.forget()
	e.ended(e.heal("--var", "power_on_appliance=true"), exitFailed)
	e.acted(map[string][]string{"vc1": {"PowerOnVM_Task"}})
	e.healthy("guest1-1", "guest1-2", "guest1-3", "guest1-4", "guest2-1", "guest2-2", "guest2-3", "guest2-4")
}

// Without NSX nobody knows how the estate is.
func TestNothingIsTouchedWithoutNSX(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 2, Guests: 3})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "nsx-down"})
	e.ended(e.heal(), exitStopped, "nsx1")
	e.acted(map[string][]string{})
}

// A survey asks nobody, changes nothing, and names what is wrong.
func TestHealthLooksOnly(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 3, Guests: 3})
	e.ended(e.dsplay("run", "playbooks/health.hcl"), exitOK, "No security update for 3d")
	e.inject(lab.Fault{Name: "mux-stopped", Target: "esx1"}, lab.Fault{Name: "tools-without-introspection", Target: "guest2-1"}, lab.Fault{Name: "wrong-password", Target: "guest3-1"})
	e.ended(e.dsplay("run", "playbooks/health.hcl", "--var", "alarm=true"), exitStopped, "The Mux does not run on ESXi hosts: esx1", "guests: guest2-1. dsplay run playbooks/tools-introspection.hcl -i INVENTORY adds it",
		"could not be looked into: guest3-1", "Engines are offline: guest1-1, guest1-2, guest1-3, guest2-1")
	e.acted(map[string][]string{})
}

// Clones with one BIOS UUID are two guests by their names, and an engine that is offline in one is not overlooked.
func TestHealthTellsClonesApart(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 1, Guests: 2, Twins: true})
	e.inject(lab.Fault{Name: "driver-stopped", Target: "guest1-2"})
	e.ended(e.dsplay("run", "playbooks/health.hcl", "--var", "inside=false"), exitOK, "Engines are offline: guest1-2.")
}

// The missing feature comes in waves, the one guest first; nobody reboots unasked, and what was taken before can be removed again.
func TestToolsIntrospection(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 2, Guests: 3})
	e.inject(lab.Fault{Name: "tools-without-introspection", Target: "guest1-1"}, lab.Fault{Name: "tools-without-introspection", Target: "guest2-2"},
		lab.Fault{Name: "tools-media-absent", Target: "guest2-2"}, lab.Fault{Name: "installer-wants-reboot", Target: "guest2-2"})
	e.ended(e.dsplay("run", "playbooks/tools-introspection.hcl", "--yes", "--var", "snapshot=true", "--var", "busy=1s"), exitOK,
		"batch 1 of 2, 1 host", "They wait for a reboot, and are perhaps not protected until then: guest2-2")
	w := e.World()
	oneEach := map[string]int{"guest1-1": 1, "guest2-2": 1}
	for _, g := range w.Guests {
		if g.InstallerRuns != oneEach[g.Name] || g.Boots > 1 {
			t.Errorf("%s: %d installer runs, %d boots", g.Name, g.InstallerRuns, g.Boots)
		}
	}
	e.forget()
	e.ended(e.dsplay("run", "playbooks/remove-snapshots.hcl", "--yes"), exitOK)
	e.acted(map[string][]string{"vc1": {"RemoveSnapshot_Task", "RemoveSnapshot_Task"}})
}

// TestManualOfPlaybooks: docs/playbooks.md names every playbook that ships, and every variable of it.
func TestManualOfPlaybooks(t *testing.T) {
	manual := read(t, "../../docs/playbooks.md")
	files, err := filepath.Glob("../../playbooks/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no playbooks: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasSuffix(name, ".test.hcl") {
			continue
		}
		if !strings.Contains(manual, "](../playbooks/"+name+")") {
			t.Errorf("the manual does not link to %s", name)
		}
		for _, v := range regexp.MustCompile(`(?m)^variable "(\w+)"`).FindAllStringSubmatch(read(t, file), -1) {
			if !strings.Contains(manual, "`"+v[1]+"`") {
				t.Errorf("the manual does not name the variable %s of %s", v[1], name)
			}
		}
	}
}
