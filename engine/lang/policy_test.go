package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
)

func policiesOf(t *testing.T, src string) ([]engine.Policy, engine.Problems) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.hcl")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	return lang.LoadPolicies(path, []engine.Module{{Name: "service"}, {Name: "esxi_mux"}})
}

func TestPolicyIsRead(t *testing.T) {
	got, problems := policiesOf(t, `
policy "night" {
  description = "cron"
  playbooks   = ["a.hcl", "sha256:`+strings.Repeat("ab", 32)+`"]
  modules     = ["service", "esxi_mux"]
  max_hosts   = { esxi = 1, all = 12 }
  deny        = ["reboot", "identity_none"]
  allow       = ["unknown_arguments"]
  window      = "Sat,Sun 01:00-05:00 Asia/Tokyo"
  cooldown    = "6h"
  per_hour    = 10
  breaker     = { host = 2 }
  require     = { approvals = 1, signed_playbook = true }
}
policy "least" {
  playbooks = ["a.hcl"]
  modules   = []
  max_hosts = { all = 0 }
}`)
	if problems != nil || len(got) != 2 {
		t.Fatal(got, problems)
	}
	p := got[0]
	if p.Name != "night" || p.MaxHosts["esxi"] != 1 || p.MaxHosts["all"] != 12 || p.Cooldown != 6*time.Hour || p.PerHour != 10 || len(p.Playbooks) != 2 ||
		p.Breaker != (engine.Breaker{Host: 2, Within: 24 * time.Hour}) || p.Require != (engine.Require{Approvals: 1, SignedPlaybook: true}) || p.Window.String() != "Sat,Sun 01:00-05:00 Asia/Tokyo" {
		t.Errorf("%+v", p)
	}
	if deny := strings.Join(p.Deny, " "); deny != "identity_none reboot weakens_security" {
		t.Errorf("denied: %s", deny)
	}
	if deny := strings.Join(got[1].Deny, " "); deny != "identity_none unknown_arguments weakens_security" {
		t.Errorf("denied unless allowed: %s", deny)
	}
	if p.Places["cooldown"].Line != 10 {
		t.Errorf("places: %+v", p.Places)
	}
}

// Every mistake of a policy is found when it is read, where it stands: a rule that is not understood must not be one less.
func TestPolicyMistakes(t *testing.T) {
	policy := func(lines string) string {
		src := "policy \"p\" {\n" + lines + "\n"
		for name, text := range map[string]string{"playbooks": `["a.hcl"]`, "modules": `["service"]`, "max_hosts": "{ all = 1 }"} {
			if !strings.Contains(lines, name) {
				src += name + " = " + text + "\n"
			}
		}
		return src + "}\n"
	}
	for _, tt := range []struct{ src, line, says string }{
		{policy(`modules = ["servcie"]`), "2", `Did you mean "service"?`},
		{policy(`deny = ["rebot"]`), "2", `Did you mean "reboot"?`},
		{policy(`allow = ["reboot"]`), "2", "Known are: identity_none, unknown_arguments, weakens_security"},
		{policy("deny = [\"identity_none\"]\nallow = [\"identity_none\"]"), "3", "stands in deny, too"},
		{policy(`window = "Sat 01:00"`), "2", "is no window"},
		{policy(`window = ""`), "2", "is no window"},
		{policy(`cooldown = "six hours"`), "2", "cooldown"},
		{policy(`cooldown = "-1h"`), "2", "no duration"},
		{policy(`cooldown = ""`), "2", "no duration"},
		{policy(`cooldown = "0s"`), "2", "longer than nothing"},
		{policy(`max_hosts = { esxi = -1 }`), "2", "0 or more"},
		{policy(`max_hosts = {}`), "2", "names no group"},
		{policy(`max_hosts = { esxi = 1.5 }`), "2", "max_hosts"},
		{policy(`max_hosts = { esxi = "many" }`), "2", "max_hosts"},
		{policy(`per_hour = -2`), "2", "0 or more"},
		{policy(`per_hour = 0`), "2", "leave it out"},
		{policy(`breaker = { hosts = 2 }`), "2", `Did you mean "host"?`},
		{policy(`breaker = { within = "1h" }`), "2", "needs host, estate or both"},
		{policy(`breaker = {}`), "2", "needs host, estate or both"},
		{policy(`require = { aprovals = 1 }`), "2", `Did you mean "approvals"?`},
		{policy(`require = { signed_playbook = true }`), "2", "by its hash"},
		{policy(`playbooks = ["sha256:xyz"]`), "2", "is no hash"},
		{policy(`playbooks = ["sha256:` + strings.Repeat("ab", 32) + `"]`), "2", "count only with"},
		{policy(`playbooks = []`), "2", "no playbook at all"},
		{policy(`playbooks = ["a.yml"]`), "2", "ends in .hcl"},
		{policy(`cooldwon = "1h"`), "2", `Did you mean "cooldown"?`},
		{policy(`breaker { host = 2 }`), "2", "It is an argument: breaker = { … }"},
		{policy(`description = secret("env:HOME")`), "2", "secret"},
		{policy(`playbooks = ["a.hcl", "sha256:${filesha256("policy_test.go")}"]`), "2", "reads no other file"},
		{policy(`description = var.x`), "2", "var"},
		{"policy {\n}", "1", `policy "NAME"`},
		{"policy \"p\" {\n}", "1", "playbooks"},
		{"play \"p\" {\n}", "1", `no block "play"`},
		{"a = 1\n" + policy(""), "1", "everything stands in a policy block"},
		{policy("") + policy(""), "7", "stands at line 1"},
		{"", "1", "at least one policy"},
		{"policy", "1", ""},
	} {
		got, problems := policiesOf(t, tt.src)
		if text := problems.Error(); problems.Err() == nil || got != nil || !strings.Contains(text, "p.hcl:"+tt.line+":") || !strings.Contains(text, tt.says) {
			t.Errorf("%s\nwant line %s and %q:\n%s", tt.src, tt.line, tt.says, text)
		}
	}
	if _, problems := lang.LoadPolicies("/nowhere/p.hcl", nil); problems.Err() == nil {
		t.Error("a policy that cannot be read is a mistake")
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add(`policy "p" { playbooks = ["a.hcl"], require = { approvals = 1 } }`)
	f.Fuzz(func(t *testing.T, src string) {
		got, problems := policiesOf(t, src)
		if (problems.Err() == nil) != (got != nil) {
			t.Errorf("%d policies with %v", len(got), problems)
		}
	})
}
