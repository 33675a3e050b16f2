package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
)

// toolsBook is a playbook around the part that ships.
const toolsBook = `
play "tools" {
  hosts = group.guests
  include "parts/tools-media.hcl" "tools" {
    vcenter  = self.vcenter
    uuid     = self.uuid
    features = ["VMCI", "FileIntrospection"]
    patience = "1500ms"
    wait     = "20s"
  }
  check "is_done" {
    severity      = "warning"
    condition     = include.tools.outcome == "done"
    error_message = "${self.name} ended as ${include.tools.outcome}"
  }
  probe "vm_log" "log" {
    on   = self.vcenter
    uuid = self.uuid
  }
}
`

// writeBook puts a playbook beside the parts that ship.
func writeBook(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "parts"), os.DirFS(filepath.Join("..", "..", "playbooks", "parts"))); err != nil {
		t.Fatal(err)
	}
	book := filepath.Join(dir, "book.hcl")
	if err := os.WriteFile(book, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return book
}

// toolsCase is what becomes of one guest.
type toolsCase struct {
	fault         string // besides that FileIntrospection is missing
	winrm, guest  string // the status of the host, over WinRM and over guest operations
	kind          engine.ErrorKind
	says          []string // the error
	outcome       string   // of the step, when it is known
	starts, runs  int      // of the installer; a start for each time that it was busy comes to it
	boots         int
	introspection bool // the feature is there in the end
	connected     bool // the driver has connected to the Mux anew
}

var toolsCases = []toolsCase{
	{"", "ok", "ok", "", nil, "done", 1, 1, 1, true, true},
	{"network-away", "ok", "ok", "", nil, "done", 1, 1, 1, true, true}, // for six seconds: longer than the module waits between two looks
	{"installer-wants-reboot", "ok", "ok", "", nil, "reboot_pending", 1, 1, 1, true, false},
	{"installer-reboots", "ok", "ok", "", nil, "rebooted", 1, 1, 2, true, true},
	{"installer-busy", "ok", "ok", "", nil, "done", 1, 1, 1, true, true},
	{"installation-running", "ok", "ok", "", nil, "done", 1, 1, 1, true, true},
	{"windows-update", "ok", "ok", "", nil, "done", 1, 1, 1, true, true},
	{"installer-fails", "failed", "failed", engine.KindModule, []string{"fatal error during the installation (1603)", "Error 28021. Setup failed to install the driver vsepflt",
		"VM_InstallVSEPFLT returned actual error code 1603"}, "", 1, 1, 1, false, false},
	{"installer-cancelled", "failed", "failed", engine.KindModule, []string{"cancelled (1602)"}, "", 1, 0, 1, false, false},
	{"installer-other-version", "failed", "failed", engine.KindModule, []string{"another version of VMware Tools is installed (1638)"}, "", 1, 0, 1, false, false},
	{"network-stuck", "unreachable", "ok", engine.KindTimeout, []string{"wait for the installer of VMware Tools"}, "done", 1, 1, 1, true, true},
	{"drive-busy", "failed", "failed", engine.KindBusy, []string{"another image is in its CD drive: [LocalDS_0] iso/erp-client-4.2.iso"}, "", 0, 0, 1, false, false},
	{"no-drive", "failed", "failed", engine.KindModule, []string{"it has no CD drive"}, "", 0, 0, 1, false, false},
}

// Each way in which a change of VMware Tools can end, on a guest of its own: the host, the report and the world agree, the
// installer ran once per attempt, and the drive is as it was.
func TestToolsWorkSurvives(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"winrm", "guest operations"} {
		t.Run(way, func(t *testing.T) {
			e := newEstate(t, lab.Options{ESXi: 1, Guests: len(toolsCases), Everyone: true, NoToolsMedia: true, GuestOps: way != "winrm", Japanese: true, Speed: 100})
			for i, c := range toolsCases {
				for _, fault := range []string{"tools-without-introspection", c.fault} {
					if fault != "" {
						e.injectOne(fault, toolsGuest(i))
					}
				}
			}
			before := e.World()
			stop := e.endInstallations()
			o := e.dsplay("run", writeBook(t, toolsBook), "--yes", "--json")
			stop()
			e.ended(o, exitFailed)
			statuses, outcomes := e.toolsReport(o)
			told, w := e.retriesWereTold(o), e.World()
			for i, c := range toolsCases {
				name := toolsGuest(i)
				g, _ := w.Guest(name)
				b, _ := before.Guest(name)
				want := c.winrm
				if e.over() == "guest" {
					want = c.guest
				}
				if c.fault == "installer-busy" {
					c.starts += told[name]
				}
				c.judge(t, name, statuses[name], want, outcomes[name], b, g)
			}
			if e.over() == "winrm" {
				e.comesBack(toolsGuest(slices.IndexFunc(toolsCases, func(c toolsCase) bool { return c.fault == "network-stuck" })))
			}
		})
	}
}

// comesBack powers a guest off and on, which has lost its network for good, and runs the same playbook again: it sees what the
// installer has done, and starts no second one.
func (e *estate) comesBack(name string) {
	e.t.Helper()
	e.injectOne("off", name)
	e.ended(e.dsplay("run", writeBook(e.t, powerBook), "--yes", "--limit", name), exitOK)
	e.forget()
	e.ended(e.dsplay("run", writeBook(e.t, toolsBook), "--yes", "--limit", name), exitOK)
	e.acted(map[string][]string{})
	if g, _ := e.World().Guest(name); g.InstallerStarts != 1 || g.Boots != 2 {
		e.t.Errorf("%s: the installer was started %d times, %d boots", name, g.InstallerStarts, g.Boots)
	}
}

const powerBook = `
play "power" {
  hosts = group.guests
  step "vm" "on" {
    on    = self.vcenter
    uuid  = self.uuid
    power = "on"
  }
  probe "service" "up" {
    name = "vsepflt"
    retry {
      attempts = 20
      delay    = "200ms"
      until    = result.running
    }
  }
}
`

func toolsGuest(i int) string { return fmt.Sprintf("guest1-%d", i+1) }

func (c toolsCase) judge(t *testing.T, name string, end engine.Event, status, outcome string, before, after lab.Guest) {
	t.Helper()
	name += " (" + c.fault + ")"
	if end.Status != status {
		t.Errorf("%s: the host is %s, want %s: %+v", name, end.Status, status, end.Error)
	}
	if status != "ok" {
		if end.Error == nil || end.Error.Kind != c.kind {
			t.Errorf("%s: %+v, want an error of kind %s", name, end.Error, c.kind)
			return
		}
		for _, text := range c.says {
			if !strings.Contains(end.Error.Text, text) {
				t.Errorf("%s: the error does not say %q: %s", name, text, end.Error.Text)
			}
		}
	} else if outcome != c.outcome {
		t.Errorf("%s: it ended as %q, want %q", name, outcome, c.outcome)
	}
	if after.InstallerStarts != c.starts || after.InstallerRuns != c.runs || after.Boots != c.boots {
		t.Errorf("%s: the installer was started %d times and let in %d times, %d boots; want %d, %d, %d", name, after.InstallerStarts, after.InstallerRuns, after.Boots, c.starts, c.runs, c.boots)
	}
	if slices.Contains(after.Features, "FileIntrospection") != c.introspection || slices.Contains(after.Features, "NetworkIntrospection") {
		t.Errorf("%s: features %v", name, after.Features)
	}
	if !slices.Contains(after.Features, "VMCI") {
		t.Errorf("%s: a driver was lost: %v", name, after.Features)
	}
	if (after.Connections > before.Connections) != c.connected {
		t.Errorf("%s: %d connections to the Mux, %d before", name, after.Connections, before.Connections)
	}
	if after.Image != before.Image {
		t.Errorf("%s: its drive holds %q, before %q", name, after.Image, before.Image)
	}
}

// injectOne brings a fault about without waiting for the DSM to hear of it.
func (e *estate) injectOne(fault, guest string) {
	e.t.Helper()
	if err := e.Inject(fault, guest); err != nil {
		e.t.Fatal(err)
	}
}

// over is the way to the guests.
func (e *estate) over() string {
	for _, r := range e.Received() {
		if r.Kind == "winrm" || r.Kind == "guest" {
			return r.Kind
		}
	}
	return ""
}

// endInstallations ends other installations in guests, once somebody who wanted to start the installer has met them.
func (e *estate) endInstallations() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		over := map[string]bool{}
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
			for _, r := range e.Received() {
				i := slices.IndexFunc(toolsCases, func(c toolsCase) bool { return c.fault == "installation-running" || c.fault == "windows-update" })
				if met := strings.Contains(r.Text, `Installer\InProgress`) && !strings.Contains(r.Text, "RebootPending"); i < 0 || !met || over[r.Host] {
					continue
				}
				if g := r.Host; g == toolsGuest(i) || g == toolsGuest(i+1) {
					over[g] = true
					_ = e.Inject("installation-ends", g) // it knows the guest
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

// toolsReport reads how hosts ended in the run, and what the step tells of the installer.
func (e *estate) toolsReport(o outcome) (map[string]engine.Event, map[string]string) {
	e.t.Helper()
	statuses, outcomes := map[string]engine.Event{}, map[string]string{}
	for line := range strings.Lines(o.stdout) {
		var ev engine.Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			e.t.Fatalf("%q: %v", line, err)
		}
		switch {
		case ev.Pass != "apply":
		case ev.Kind == engine.EventHostEnd:
			statuses[ev.Host] = ev
		case ev.Kind == engine.EventEntryEnd && ev.Module == "vmware_tools" && ev.Values != "":
			var values struct{ Outcome string }
			if err := json.Unmarshal([]byte(ev.Values), &values); err != nil {
				e.t.Errorf("%s: %v", ev.Values, err)
			}
			outcomes[ev.Host] = values.Outcome
		case ev.Kind == engine.EventEntryEnd && ev.Module == "vm_log":
			var values struct{ Connections int }
			g, _ := e.World().Guest(ev.Host)
			if err := json.Unmarshal([]byte(ev.Values), &values); err != nil || values.Connections != g.Connections {
				e.t.Errorf("%s: its log tells of %d connections to the Mux, the world of %d (%v)", ev.Host, values.Connections, g.Connections, err)
			}
		}
	}
	return statuses, outcomes
}

// retriesWereTold wants the report to say for which guests the step was repeated, and why. It counts them.
func (e *estate) retriesWereTold(o outcome) map[string]int {
	e.t.Helper()
	told, times := map[string]string{}, map[string]int{}
	for line := range strings.Lines(o.stdout) {
		var ev engine.Event
		if err := json.Unmarshal([]byte(line), &ev); err == nil && ev.Kind == engine.EventRetry && ev.Error != nil {
			told[ev.Host] = string(ev.Error.Kind) + ": " + ev.Error.Text
			times[ev.Host]++
		}
	}
	for i, c := range toolsCases {
		want := map[string]string{"installer-busy": "(1618)", "installation-running": "another installation is in progress", "windows-update": "TrustedInstaller runs"}[c.fault]
		got, retried := told[toolsGuest(i)]
		if retried != (want != "") || want != "" && (!strings.HasPrefix(got, "busy: ") || !strings.Contains(got, want)) {
			e.t.Errorf("%s (%s): the report tells of a retry %q", toolsGuest(i), c.fault, got)
		}
	}
	return times
}

// repairBook repairs with what Windows Installer has kept, and where it has lost its record, from the image.
const repairBook = `
play "repair" {
  hosts = group.guests
  block "kept" {
    step "vmware_tools" "repair" {
      repair = true
    }
    rescue {
      check "lost_record" {
        condition     = strcontains(block.kept.error.text, "1605")
        error_message = block.kept.error.text
      }
      include "parts/tools-media.hcl" "tools" {
        vcenter = self.vcenter
        uuid    = self.uuid
      }
    }
  }
}
`

// A repair needs no image, unless Windows Installer has lost its record of VMware Tools: then the image heals both.
func TestToolsAreRepaired(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 1, Guests: 2, Everyone: true, NoToolsMedia: true})
	for _, f := range []lab.Fault{{Name: "tools-broken", Target: "guest1-1"}, {Name: "tools-damaged", Target: "guest1-2"}, {Name: "tools-unregistered", Target: "guest1-2"}} {
		e.injectOne(f.Name, f.Target)
	}
	e.ended(e.dsplay("run", writeBook(t, repairBook), "--yes"), exitOK)
	for name, starts := range map[string]int{"guest1-1": 1, "guest1-2": 1} { // the one that was refused with 1605 is not counted: msiexec knows no such product
		if g, _ := e.World().Guest(name); g.InstallerStarts != starts || g.ToolsBroken || g.Image != "" || g.Engine != lab.EngineOnline {
			t.Errorf("%+v", g)
		}
	}
}
