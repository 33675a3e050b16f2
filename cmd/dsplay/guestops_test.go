package main

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// The guests' own faults heal in the same way when nothing but the vCenter can reach them.
func TestGuestOperationsHealAsWinRMDoes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults []lab.Fault
		acted  map[string][]string
		world  func(e *estate, w lab.World)
	}{
		{"driver-stopped", []lab.Fault{{Name: "driver-stopped", Target: "guest1-2"}}, map[string][]string{"guest1-2": {startDriver}}, noInstaller},
		{"tools-without-introspection", []lab.Fault{{Name: "tools-without-introspection", Target: "guest2-2"}}, map[string][]string{"guest2-2": anything}, oneInstaller("guest2-2")},
		{"tools-broken", []lab.Fault{{Name: "tools-broken", Target: "guest2-1"}}, map[string][]string{"dsm1": anything, "guest2-1": anything}, oneInstaller("guest2-1")},
		{"lone-guest", []lab.Fault{{Name: "lone-guest", Target: "esx2"}}, map[string][]string{"guest2-1": {startDriver}}, noInstaller},
		{"asleep", []lab.Fault{{Name: "asleep", Target: "guest2-3"}}, map[string][]string{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEstate(t, lab.Options{GuestOps: true, ESXi: 3, Guests: 4})
			e.inject(tt.faults...)
			e.ended(e.heal(), exitOK)
			e.acted(tt.acted)
			e.healthy()
			if tt.world != nil {
				tt.world(e, e.World())
			}
			e.overVCenter()
		})
	}
}

// overVCenter wants nothing to have come by WinRM, one login at the vCenter per process, and no temporary file left.
func (e *estate) overVCenter() {
	e.t.Helper()
	made, removed := 0, 0
	for _, r := range e.Received() {
		if r.Kind == "winrm" {
			e.t.Errorf("%s got %q over WinRM", r.Host, r.Text)
		}
		if r.Kind == "vsphere" {
			made += strings.Count(r.Text, "CreateTemporaryDirectoryInGuest")
		}
		if r.Kind == "guest" && strings.HasPrefix(r.Text, "DeleteDirectoryInGuest ") && strings.Count(r.Text, `\`) == strings.Count(`C:\Users\ops\AppData\Local\Temp\x`, `\`) {
			removed++
		}
	}
	if made != removed {
		e.t.Errorf("%d temporary directories were made in guests, %d removed", made, removed)
	}
}

// What is planned over guest operations can be shown and applied; the guest is known by its BIOS UUID and the vCenter.
func TestGuestOperationsPlanAndApply(t *testing.T) {
	e := newEstate(t, lab.Options{GuestOps: true, ESXi: 2, Guests: 3})
	e.inject(lab.Fault{Name: "driver-stopped", Target: "guest1-2"})
	file := filepath.Join(t.TempDir(), "p.plan")
	g, _ := e.World().Guest("guest1-2")
	e.ended(e.dsplay("plan", "playbooks/engine-offline.hcl", "--out", file, "--var", "poll=100ms", "--var", "patience=8s"), exitOK)
	e.ended(process(t, "show", file, "--format", "json"), exitOK, "guest vm "+g.BIOSUUID+" via tls sha256:")
	e.ended(e.dsplay("apply", file), exitOK)
	e.acted(map[string][]string{"guest1-2": {startDriver}})
	e.healthy()
	e.overVCenter()
}

// A password that the guest refuses is tried once, and named as the guest's.
func TestGuestOperationsWrongPassword(t *testing.T) {
	e := newEstate(t, lab.Options{GuestOps: true, ESXi: 2, Guests: 3})
	e.inject(lab.Fault{Name: "driver-stopped", Target: "guest1-2"}, lab.Fault{Name: "wrong-password", Target: "guest1-2"})
	o := e.heal()
	if o.code == exitOK || !strings.Contains(o.String(), "the guest refused the account") {
		t.Errorf("exit %d:\n%s", o.code, o)
	}
	e.acted(map[string][]string{})
	tried := 0
	for _, r := range e.Received() {
		if strings.Contains(r.Text, "ValidateCredentialsInGuest") && strings.Contains(r.Text, "guest1-2") {
			tried++
		}
	}
	if tried != 1 {
		t.Errorf("the password was tried %d times", tried)
	}
}

// The module copy brings a file of some size to a guest that has no network: as a file, after the plan was approved, once.
func TestGuestOperationsCopy(t *testing.T) {
	e := newEstate(t, lab.Options{GuestOps: true, ESXi: 1, Guests: 2})
	dir := t.TempDir()
	data := make([]byte, 5<<20)
	_, _ = rand.Read(data) // it does not fail
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("setup.bin", string(data))
	book := write("copy.hcl", `
play "files" {
  hosts = ["guest1-1"]
  step "copy" "setup" {
    src  = "setup.bin"
    dest = "C:\\ProgramData\\setup.bin"
  }
  step "copy" "note" {
    content = "installed by ${self.name}\n"
    dest    = "C:\\ProgramData\\note.txt"
  }
  probe "copy" "arrived" {
    src  = "setup.bin"
    dest = "C:\\ProgramData\\setup.bin"
  }
  check "it_is_the_same" {
    condition     = probe.arrived.sha256 == "`+fmt.Sprintf("%x", sha256.Sum256(data))+`"
    error_message = "it has ${probe.arrived.sha256}"
  }
}
`)
	file := filepath.Join(dir, "p.plan")
	e.ended(e.dsplay("plan", book, "--out", file), exitOK, "guest operations: write C:\\ProgramData\\.dsplay-")
	e.ended(e.dsplay("apply", file), exitOK)
	uploads := func() (n int) {
		for _, r := range e.Received() {
			if r.Kind == "guest" && r.Host == "guest1-1" && strings.HasPrefix(r.Text, `upload C:\ProgramData\`) && strings.HasSuffix(r.Text, "(5242880 bytes)") {
				n++
			}
		}
		return n
	}
	if n := uploads(); n != 1 {
		t.Errorf("the file was sent %d times", n)
	}
	e.ended(e.dsplay("run", book, "--yes"), exitOK)
	if n := uploads(); n != 1 {
		t.Errorf("it was sent %d times, although the guest has it", n)
	}
	e.overVCenter()
}
