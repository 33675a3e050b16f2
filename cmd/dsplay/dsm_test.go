package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// dsms are the managers that there are.
var dsms = map[string]lab.Options{"rest": {}, "legacy": {LegacyDSM: true}}

// playbook writes a file into a folder of its own and returns its path.
func playbook(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "playbook.hcl", text)
	return filepath.Join(dir, "playbook.hcl")
}

// An appliance that is stuck, and a DSM that goes on showing the error: the agent is restarted and makes the DSM hear of it,
// then the errors are cleared, and they stay away. While the cause is there, nothing is cleared.
func TestErrorsStayShown(t *testing.T) {
	t.Parallel()
	remedy := `
variable "restart" { type = bool }
play "mend" {
  hosts = ["esx1"]
  probe "ds_computers" "before" {
    on         = "dsm1"
    bios_uuids = [for g in ["guest1-1", "guest1-2"] : host[g].bios_uuid]
  }
  step "ds_agent" "agent" {
    when      = var.restart
    on        = self.dsva
    state     = "restarted"
    heartbeat = true
    sudo {}
  }
  step "ds_clear_errors" "clear" {
    on         = "dsm1"
    bios_uuids = [for g in ["guest1-1", "guest1-2"] : host[g].bios_uuid]
    every      = "50ms"
    wait       = "20s"
    retry {
      attempts = var.restart ? 20 : 1
      delay    = "100ms"
    }
  }
  probe "ds_computers" "after" {
    on         = "dsm1"
    bios_uuids = [for g in ["guest1-1", "guest1-2"] : host[g].bios_uuid]
  }
  check "well" {
    condition     = length(probe.after.online) == 2 && length(probe.after.error_shown) == 0
    error_message = "after: ${jsonencode(probe.after)}"
  }
}
`
	for name, o := range dsms {
		t.Run(name, func(t *testing.T) {
			o.ESXi, o.Guests, o.Static = 1, 2, true
			e := newEstate(t, o)
			file := playbook(t, remedy)
			e.inject(lab.Fault{Name: "dsm-errors-stay"}, lab.Fault{Name: "dsva-stuck", Target: "esx1"})
			if shown := e.World().DSM.ErrorsShown; len(shown) != 2 {
				t.Fatalf("errors shown: %v", shown)
			}
			e.ended(e.dsplay("run", file, "--yes", "--var", "restart=false"), exitFailed, "the cause is not gone, so nothing was cleared: guest1-1: its engine is offline")
			e.acted(map[string][]string{})
			e.ended(e.dsplay("run", file, "--yes", "--var", "restart=true"), exitOK)
			e.acted(map[string][]string{"dsva1": {"service ds_agent restart", "/opt/ds_agent/dsa_control -m"},
				"dsm1": {"^hostClearWarningsErrors hostIDs=3$", "^hostClearWarningsErrors hostIDs=4$"}})
			if w := e.World().DSM; len(w.ErrorsShown) != 0 || w.Sessions != 0 {
				t.Errorf("%+v", w)
			}
			e.healthy()
			e.forget() // once more: nothing to do but the restart
			e.ended(e.dsplay("run", file, "--yes", "--var", "restart=false"), exitOK)
			e.acted(map[string][]string{})
		})
	}
}

// A DSM that shows an error again although the engine is well is found out, and one without SOAP says what is missing.
func TestErrorsReturn(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 1, Guests: 1, Static: true})
	file := playbook(t, `
play "clear" {
  hosts = ["guest1-1"]
  probe "ds_computer" "engine" {
    on        = self.dsm
    bios_uuid = self.bios_uuid
  }
  step "ds_clear_errors" "clear" {
    on         = self.dsm
    bios_uuids = [self.bios_uuid]
    every      = "50ms"
    wait       = "20s"
  }
}
`)
	e.inject(lab.Fault{Name: "dsm-errors-return"}, lab.Fault{Name: "driver-stopped", Target: "guest1-1"})
	if err := e.Heal("guest1-1"); err != nil {
		t.Fatal(err)
	}
	if err := e.WaitHeartbeat(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := e.dsplay("run", file, "--yes")
	e.ended(got, exitFailed, "the error has returned: Anti-Malware Engine Offline")
	e.inject(lab.Fault{Name: "dsm-soap-off"})
	got = e.dsplay("run", file, "--yes")
	if got.code != exitFailed || !strings.Contains(words(got), "SOAP Web Service API must be on (dsm_c -action changesetting -name settings.configuration.webserviceAPIEnabled -value true)") {
		t.Errorf("exit %d\n%s", got.code, got)
	}
}

// A guest whose appliance has lost its policy gets it, once, and no task stays; one that is off does not get it.
func TestSendPolicy(t *testing.T) {
	t.Parallel()
	for name, o := range dsms {
		t.Run(name, func(t *testing.T) {
			o.ESXi, o.Guests, o.Static = 1, 2, true
			e := newEstate(t, o)
			file := playbook(t, `
variable "guest" { type = string }
play "send" {
  hosts = [var.guest]
  recover "engine" {
    goal {
      probe "ds_computer" "now" {
        on        = self.dsm
        bios_uuid = self.bios_uuid
      }
      condition = probe.now.state == "online"
      within    = "2s"
      every     = "100ms"
    }
    attempt "send the policy" {
      step "ds_send_policy" "policy" {
        on        = self.dsm
        bios_uuid = self.bios_uuid
        wait      = "1s"
        every     = "50ms"
      }
    }
  }
}
`)
			e.inject(lab.Fault{Name: "policy-missing", Target: "guest1-1"}, lab.Fault{Name: "off", Target: "guest1-2"})
			e.ended(e.dsplay("run", file, "--yes", "--var", "guest=guest1-1"), exitOK)
			want := []string{"^POST /api/scheduledtasks .*send-policy", "^DELETE /api/scheduledtasks/1$"}
			if o.LegacyDSM {
				want = []string{"^hostUpdateNow hostIDs=3$"}
			}
			e.acted(map[string][]string{"dsm1": want})
			e.healthy()
			got := e.dsplay("run", file, "--yes", "--var", "guest=guest1-2")
			text := map[bool]string{true: "it is unable to do it for this computer", false: "it has not arrived within 1s"}[o.LegacyDSM]
			if got.code != exitFailed || !strings.Contains(words(got), text) {
				t.Errorf("exit %d\n%s", got.code, got)
			}
			if w := e.World(); w.Update.Tasks != 0 || w.DSM.Sessions != 0 {
				t.Errorf("%d tasks, %d sessions", w.Update.Tasks, w.DSM.Sessions)
			}
		})
	}
}

// An appliance that the DSM does not accept: dsa_control says 403 and ends with 0, which is a failure with its meaning. A guest
// that moves while it is healed is looked for where it is.
func TestUntrustedApplianceAndAGuestThatMoves(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 2, Guests: 2, Static: true})
	file := playbook(t, `
play "agent" {
  hosts = ["dsva1"]
  probe "ds_agent" "agent" {
    sudo {}
  }
  check "well" {
    condition     = probe.agent.healthy && probe.agent.mode == "on" && probe.agent.dsm == "https://dsm1:4120/"
    error_message = jsonencode(probe.agent)
  }
  step "ds_agent" "contact" {
    heartbeat = true
    sudo {}
  }
}
`)
	e.ended(e.dsplay("run", file, "--yes"), exitOK)
	e.inject(lab.Fault{Name: "dsva-untrusted", Target: "esx1"})
	e.ended(e.dsplay("run", file, "--yes"), exitFailed, "the DSM does not accept this appliance", "403 - Forbidden - untrusted peer.", "activate it there again")
	if err := e.Clear(); err != nil {
		t.Fatal(err)
	}
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"}, lab.Fault{Name: "moves-meanwhile", Target: "guest1-1"})
	e.ended(e.heal(), exitOK)
	w := e.World()
	moved := slices.IndexFunc(w.Guests, func(g lab.Guest) bool { return g.Name == "guest1-1" })
	if w.Guests[moved].ESXi != "esx2" || w.DSVA[1].AgentRestarts != 0 {
		t.Errorf("%+v, %d restarts of dsva2", w.Guests[moved], w.DSVA[1].AgentRestarts)
	}
	e.healthy()
}

// What a legacy DSM does to who asks it: yesterday's answers prove nothing, sessions that end in the middle are replaced, and what
// cannot be helped is said with what to do. No session is left.
func TestUnpleasantDSM(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 1, Guests: 6, Static: true, LegacyDSM: true})
	file := playbook(t, `
variable "state" { type = string }
play "look" {
  hosts    = group.guests
  parallel = 6
  probe "ds_computer" "engine" {
    on        = self.dsm
    bios_uuid = self.bios_uuid
  }
  check "state" {
    condition     = probe.engine.state == var.state
    error_message = "${probe.engine.state}: ${probe.engine.message}"
  }
}
`)
	for _, c := range []struct {
		fault, state string
		code         int
		says         string
	}{
		{"dsm-sessions-end", "online", exitOK, ""},
		{"dsm-yesterday", "unknown", exitOK, ""},
		{"dsm-sessions-full", "online", exitFailed, "give dsplay a user of its own, or raise settings.security.activeSessionsAllowed"},
		{"dsm-locked", "online", exitFailed, "unlock the account on the DSM: dsm_c -action unlockout -username USER"},
		{"dsm-soap-off", "online", exitFailed, "SOAP Web Service API must be on"},
	} {
		e.inject(lab.Fault{Name: c.fault})
		got := e.dsplay("run", file, "--yes", "--var", "state="+c.state)
		if got.code != c.code || !strings.Contains(words(got), c.says) {
			t.Errorf("%s: exit %d, want %d and %q\n%s", c.fault, got.code, c.code, c.says, got)
		}
		if n := e.World().DSM.Sessions; n != 0 {
			t.Errorf("%s: %d sessions are left", c.fault, n)
		}
		if err := e.Clear(); err != nil {
			t.Fatal(err)
		}
	}
}
