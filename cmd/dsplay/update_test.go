package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// updating is an estate whose guest1-1 has just failed to update, or not.
type updating struct{ *estate }

const vendorMode, vendorURL = "Trend Micro ActiveUpdate Server", "http://"

func (u updating) vars() []string {
	w := u.World()
	uuid := ""
	inventory, err := os.ReadFile(filepath.Join(u.Dir(), "inventory.hcl"))
	if err != nil {
		u.t.Fatal(err)
	}
	for _, line := range strings.Split(string(inventory), "\n") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "bios_uuid = "); ok && uuid == "" {
			uuid = strings.Trim(v, `"`)
		}
	}
	return []string{"--var", "computer=" + uuid, "--var", `update_hosts=["` + w.Update.Host + `"]`, "--var", "proxy=" + w.Update.Proxy,
		"--var", "public_ca=" + w.Update.PublicCA, "--var", "source_url=https://" + strings.TrimSuffix(w.Update.Host, ":443") + "/iau_server.dll",
		"--var", "poll=50ms", "--var", "wait=20s"}
}

func (u updating) run(more ...string) outcome {
	u.t.Helper()
	return u.dsplay(append(append([]string{"run", "playbooks/update-failed.hcl", "--yes"}, u.vars()...), more...)...)
}

// update has the DSM try an update, as long as the faults are there that are there.
func (u updating) update() outcome {
	u.t.Helper()
	path := filepath.Join(u.t.TempDir(), "update.hcl")
	write(u.t, filepath.Dir(path), "update.hcl", `
variable "computer" { type = string }
play "update" {
  hosts = ["dsm1"]
  step "ds_update" "now" {
    bios_uuid = var.computer
    every     = "50ms"
  }
}
`)
	defer u.forget()
	return u.dsplay("run", path, "--yes", u.vars()[0], u.vars()[1])
}

// fail makes the DSM know of an update that failed.
func (u updating) fail() {
	u.t.Helper()
	if got := u.update(); !strings.Contains(got.String(), "it failed") {
		u.t.Fatalf("the update does not fail:\n%s", got)
	}
}

func newUpdating(t *testing.T, o lab.Options, faults ...string) updating {
	t.Helper()
	o.ESXi, o.Guests, o.Static = 1, 1, true
	u := updating{newEstate(t, o)}
	for _, f := range faults {
		u.inject(lab.Fault{Name: f})
	}
	return u
}

func (u updating) source(mode, url string) {
	u.t.Helper()
	if got := u.World().Update; got.Mode != mode || got.URL != url || got.Tasks != 0 {
		u.t.Errorf("the DSM has %q %q and %d tasks, want %q %q", got.Mode, got.URL, got.Tasks, mode, url)
	}
}

// Every cause is told, in whatever language DSM says it, and nothing is touched where no setting of the DSM helps, or nobody
// consented: whether somebody consented or not.
func TestUpdateFailedTellsTheCause(t *testing.T) {
	t.Parallel()
	for name, o := range dsms {
		t.Run(name, func(t *testing.T) {
			u := newUpdating(t, o)
			for _, c := range []struct {
				fault, heal string // heal: before it is asked what was the cause, as somebody else does it
				says        string
			}{
				{"update-intercepted", "", "Cause: intercepted; TLS is inspected by CN=dsplay lab TLS inspection CA. In this order: 1. exempt iaus.lab.invalid:443"},
				{"update-intercepted", "proxy1", "Cause: elsewhere; the relay cannot verify TLS, and seen from here it is genuine"},
				{"update-proxy-auth", "", "Cause: proxy auth; the proxy wants a login (407)"},
				{"update-dns", "", "Cause: dns; the update server has no address on the way"},
				{"update-signature-expired", "", "Cause: signature expired; the relay's build knows only an expired signing certificate: upgrade the relay (KA-0016311)"},
				{"relay-old", "", "Cause: relay old; the relay's build is too old"},
				{"licence-expired", "", "Cause: licence; DSM's words speak of its licence (they are documented nowhere)"},
			} {
				u.inject(lab.Fault{Name: c.fault})
				u.fail()
				if c.heal != "" {
					if err := u.Heal(c.heal); err != nil {
						t.Fatal(err)
					}
				}
				for _, more := range [][]string{nil, {"--var", "accept_no_tls_verification=true"}} {
					if more != nil && c.fault == "update-intercepted" && c.heal == "" {
						continue // that is the one case in which it counts
					}
					got := u.run(more...)
					if got.code != exitStopped || !strings.Contains(words(got), c.says) || !strings.Contains(words(got), "Nothing was touched") {
						t.Errorf("%s %v: exit %d, want %d and %q\n%s", c.fault, more, got.code, exitStopped, c.says, got)
					}
				}
				u.acted(map[string][]string{})
				u.source(vendorMode, vendorURL)
				if err := u.Clear(); err != nil {
					t.Fatal(err)
				}
				u.forget()
			}
		})
	}
}

// words is what was said, on one line whatever the width.
func words(o outcome) string { return strings.Join(strings.Fields(o.String()), " ") }

// A computer whose last update was successful needs nothing; one of which there is no event may need anything.
func TestUpdateFailedWithoutFailure(t *testing.T) {
	u := newUpdating(t, lab.Options{})
	consent := []string{"--var", "accept_no_tls_verification=true"}
	got := u.run(consent...)
	u.ended(got, exitStopped)
	if !strings.Contains(words(got), "DSM has no event of it") {
		t.Errorf("it does not say why:\n%s", got)
	}
	u.ended(u.update(), exitOK)
	got = u.run(consent...)
	u.ended(got, exitOK)
	if !strings.Contains(words(got), "was successful: nothing is to be mended") {
		t.Errorf("it does not say that all is well:\n%s", got)
	}
	u.acted(map[string][]string{})
	u.source(vendorMode, vendorURL)
}

// unattended wants that no policy lets cron weaken anything that nobody allowed, whatever the playbook's variables say.
func (u updating) unattended(consent []string) {
	u.t.Helper()
	const policy = `policy "night" {
  playbooks = ["update-failed.hcl"]
  modules   = ["ds_update", "ds_update_source"]
  max_hosts = { all = 5 }
  %s
}
`
	dir := u.t.TempDir()
	write(u.t, dir, "night.hcl", fmt.Sprintf(policy, `deny = ["reboot"]`))
	write(u.t, dir, "allowed.hcl", fmt.Sprintf(policy, `allow = ["weakens_security"]`))
	p := u.planOf("playbooks/update-failed.hcl", exitOK, append(u.vars(), consent...)...)
	u.ended(process(u.t, "policy", "check", p.path, "--policy", filepath.Join(dir, "night.hcl")), exitRefused, "weakens_security: 1 action has it")
	u.ended(process(u.t, "policy", "check", p.path, "--policy", filepath.Join(dir, "allowed.hcl")), exitOK, "permitted by policy night")
	u.ended(u.dsplay(append(append([]string{"run", "playbooks/update-failed.hcl", "--policy", filepath.Join(dir, "night.hcl")}, u.vars()...), consent...)...),
		exitRefused, "weakens_security: 1 action has it", "Left for a person:")
}

// With consent the URL ends in //, a real update proves it, and the other playbook puts it back. The plan says what it is.
func TestUpdateFailedWithConsent(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]lab.Options{"rest": {}, "soap": {NoREST: true, Japanese: true}} {
		t.Run(name, func(t *testing.T) {
			u := newUpdating(t, o, "update-intercepted")
			u.fail()
			consent := []string{"--var", "accept_no_tls_verification=true"}
			plan := u.dsplay(append(append([]string{"plan", "playbooks/update-failed.hcl"}, u.vars()...), consent...)...)
			if !strings.Contains(words(plan), "Effects WEAKENS SECURITY") || !strings.Contains(plan.String(), "iau_server.dll//") {
				t.Errorf("the plan does not say what it is:\n%s", plan)
			}
			u.unattended(consent)
			u.acted(map[string][]string{})
			u.ended(u.run(consent...), exitOK)
			u.source("Other update source", "https://iaus.lab.invalid/iau_server.dll//")
			if u.World().Update.RelayVersion == "" {
				t.Error("the relay has fetched nothing")
			}
			u.forget()
			u.ended(u.dsplay("run", "playbooks/rollback-update-source.hcl", "--yes"), exitOK)
			u.source(vendorMode, vendorURL)
			u.forget()
			u.ended(u.dsplay("run", "playbooks/rollback-update-source.hcl", "--yes"), exitOK)
			u.acted(map[string][]string{})
		})
	}
}

// A DSM that says yes and changes nothing is found out, and so is a remedy after which an update fails all the same.
func TestUpdateFailedAgain(t *testing.T) {
	t.Parallel()
	t.Run("ignored", func(t *testing.T) {
		u := newUpdating(t, lab.Options{}, "update-intercepted", "update-setting-ignored")
		u.fail()
		got := u.run("--var", "accept_no_tls_verification=true")
		if got.code == exitOK || !strings.Contains(words(got), "the DSM said yes, and has mode") {
			t.Errorf("exit %d\n%s", got.code, got)
		}
		u.source(vendorMode, vendorURL)
	})
	t.Run("a mirror that is none", func(t *testing.T) {
		u := newUpdating(t, lab.Options{}, "update-intercepted")
		u.fail()
		got := u.run("--var", "mirror=https://nowhere.lab.invalid/iau")
		if got.code == exitOK || !strings.Contains(words(got), "it failed (dns)") || !strings.Contains(words(got), "--var url=http://") {
			t.Errorf("exit %d\n%s", got.code, got)
		}
		u.source("Other update source", "https://nowhere.lab.invalid/iau")
		u.ended(u.dsplay("run", "playbooks/rollback-update-source.hcl", "--yes"), exitOK)
		u.source(vendorMode, vendorURL)
	})
}
