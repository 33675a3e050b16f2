package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rehearsed runs "dsplay test" and gives its exit code and what it said.
func rehearsed(args ...string) (int, string) {
	var out bytes.Buffer
	code := dsplay(append([]string{"test"}, args...), os.Stdin, &out, &out)
	return code, out.String()
}

func TestShippedPlaybooksPass(t *testing.T) {
	t.Parallel()
	code, out := rehearsed("../../playbooks")
	if code != exitOK || strings.Count(out, "ok  ") < 20 {
		t.Errorf("exit %d\n%s", code, out)
	}
}

const itemsPlaybook = `variable "services" {
  default = { web = "nginx", db = "postgres" }
}
play "p" {
  hosts = group.web
  block "all" {
    step "service" "start" {
      for_each = var.services
      name     = each.value
      state    = "started"
    }
    rescue {
      include "restart.hcl" "again" {
        service = "nginx"
      }
    }
    finally {
      include "restart.hcl" "once_more" {
        service = "postgres"
      }
    }
  }
}
`

const restartPart = `input "service" {
  type = string
}
step "service" "restart" {
  name  = input.service
  state = "restarted"
}
`

// A test knows the items of for_each, and the steps inside of blocks and of parts.
func TestItemsBlocksAndPartsAreRehearsed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "p.hcl", itemsPlaybook)
	write(t, dir, "restart.hcl", restartPart)
	write(t, dir, "p.test.hcl", `
inventory {
  group "web" {}
  hosts = { a = { groups = ["web"] } }
}
mock "step" "service" {}
test "nothing fails" {
  expect {
    acts = ["start[db] on a", "start[web] on a", "p/all/include.once_more/step.restart on a"]
    plan = {
      "start[db] on a"                           = "will_run"
      "start[web] on a"                          = "will_run"
      "p/all/include.again/step.restart on a"     = "rescue_only"
      "p/all/include.once_more/step.restart on a" = "will_run"
    }
  }
}
test "one item fails" {
  mock "step" "service" "start[db]" {
    error = { kind = "exit", text = "no room for ${args.name}, ${item}" }
  }
  expect {
    acts = ["start[db] on a", "start[web] on a", "p/all/include.again/step.restart on a", "p/all/include.once_more/step.restart on a"]
    says = ["no room for postgres, db"]
  }
}
test "wrong" {
  expect {
    acts = ["start[web] on a", "start[db] on a", "restart on a"]
  }
}
`)
	code, out := rehearsed(dir)
	if code != exitFailed || !strings.Contains(out, "3 tests, 1 failed") || !strings.Contains(out, "- restart on a") || !strings.Contains(out, "+ p/all/include.once_more/step.restart on a") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// Every change below makes engine-offline.hcl worse; the test that is named must notice.
func TestMutantsOfEngineOfflineAreCaught(t *testing.T) {
	t.Parallel()
	mutants := []struct{ name, from, to, caughtBy string }{
		{"the Mux first", "@appliance", "@mux", "case B, by the Mux"},
		{"no check of the estate", "!contains(local.states, \"offline\") || contains(local.states, \"online\")", "true", "everything dark$"},
		{"one offline guest is dark", `> max(1, count(s, "unknown")`, `> max(0, count(s, "unknown")`, "lone guest of an ESXi host$"},
		{"the unknown do not count against dark", `max(1, count(s, "unknown") + count(local.unseen, esxi))`, `1`, "two offline and two"},
		{"the unseen do not count against dark", `+ count(local.unseen, esxi)`, ``, "two offline and two"},
		{"sleepers count", `if g.probe.vm.awake && contains`, `if contains`, "sleepers alone"},
		{"all must be online", `length(concat(probe.guests.online, probe.guests.error_shown)) > 0`, `length(probe.guests.offline) == 0`, "case B, and one guest"},
		{"no failure is enough to stop", "# one host first, then a quarter at a time\n  max_failures = 0\n", "\n  max_failures = 5\n", "that nothing heals"},
		{"NSX need not answer", "hosts        = [for esxi, s in local.by_esxi : esxi if contains(s, \"offline\") && contains(keys(host), esxi)]\n  max_failures = 0\n",
			"hosts = [for esxi, s in local.by_esxi : esxi if contains(s, \"offline\") && contains(keys(host), esxi)]\n", "NSX Manager"},
		{"half of the estate may be missing", `max_failures = "5%"`, `max_failures = "100%"`, "DSM unreachable"},
		{"DSM need not know", `* 20 <= length(local.states)`, `* 0 <= length(local.states)`, "not heard of anybody"},
		{"no patience", `default     = "15m"`, `default     = "5m"`, "case B, by the appliance"},
		{"the driver is never started", `when = probe.driver.exists && !probe.driver.running &&`, `when = probe.driver.exists && probe.driver.running &&`, "the driver is stopped"},
		{"repair before add", `when = var.change_tools && probe.tools.file_introspection &&`, `when = var.change_tools &&`, "without file introspection"},
		{"Tools are changed although forbidden", `when = var.change_tools && !probe.tools.file_introspection`, `when = !probe.tools.file_introspection`, "nobody may change"},
		{"Tools are repaired although forbidden", `when = var.change_tools && probe.tools.file_introspection`, `when = probe.tools.file_introspection`, "nobody may repair"},
		{"a repair against a defect", `&& !(var.reboot && can(`, `&& !(false && can(`, "by a defect"},
		{"an appliance is powered on unasked", `contains(local.off, e.name) && !var.power_on_appliance`, `false`, "nobody has consented"},
		{"a moved appliance is restarted", `e.probe.appliance.found && e.probe.appliance.esxi != e.name`, `false`, "has moved"},
		{"a host that is not prepared is restarted", `!e.probe.mux.prepared`, `false`, "not prepared"},
		{"one guest is no evidence, whatever NSX says", `if e.probe.nsx.status == "ok" && e.probe.nsx.state == "down"`, `if false`, "NSX calls down"},
		{"a Mux that does not run comes last", `e.probe.mux.prepared && !e.probe.mux.running]`, `false]`, "it is started first"},
		{"an error that stays is believed", `g.probe.engine.error_shown ? "online" : g.probe.engine.state`, `g.probe.engine.state`, "errors that DSM goes on showing from before"},
		{"errors are cleared unasked", `var.clear_errors ? local.leftover : []`, `local.leftover`, "nobody may clear"},
		{"an appliance that is not activated is restarted", `e.probe.agent.answers && e.probe.agent.dsm == ""`, `false`, "not activated"},
		{"no tag", `g.probe.engine.state == "unsupported" && lookup`, `false && lookup`, "lost its tag"},
		{"a reboot unasked", "      when = var.reboot\n", "", "the driver is stopped"},
		{"lone guests of dark hosts, too", `&& !contains(concat(local.dark, local.silent), g.probe.vm.esxi)`, ``, "case B, by the appliance"},
		{"wakes whom nobody asked to wake", `var.wake ? local.suspended : []`, `local.suspended`, "sleepers$"},
		{"the wrong doer", "        on        = self.dsva\n", "", "an appliance unreachable"},
	}
	playbook, err := os.ReadFile("../../playbooks/engine-offline.hcl")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("../../playbooks/engine-offline.test.hcl")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			dir := t.TempDir()
			mutant := mutate(t, string(playbook), m.from, m.to)
			if err := os.CopyFS(filepath.Join(dir, "parts"), os.DirFS("../../playbooks/parts")); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "engine-offline.hcl", mutant)
			write(t, dir, "engine-offline.test.hcl", string(tests))
			if code, out := rehearsed(dir, "--run", m.caughtBy); code != exitFailed || !strings.Contains(out, "\n1 test, 1 failed") {
				t.Errorf("exit %d: it was not noticed\n%s", code, out)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mutate replaces what stands there exactly once; "@mux" puts the attempt of the Mux before that of the appliance.
func mutate(t *testing.T, text, from, to string) string {
	t.Helper()
	if to != "@mux" {
		if strings.Count(text, from) != 1 {
			t.Fatalf("%q stands %d times in the playbook", from, strings.Count(text, from))
		}
		return strings.Replace(text, from, to, 1)
	}
	a := strings.Index(text, `    attempt "restart the agent of the appliance"`)
	b := strings.Index(text, `    attempt "restart the Mux"`)
	if a < 0 || b < a {
		t.Fatal("the attempts are not where they were")
	}
	end := b + strings.Index(text[b:], "\n    }\n") + len("\n    }\n")
	return text[:a] + text[b:end] + text[a:b] + text[end:]
}

const webPlaybook = `variable "poll" {
  type    = string
  default = "10m"
}
play "web" {
  hosts = group.web
  probe "service" "web" {
    name = "nginx"
    retry {
      attempts = 3
      delay    = var.poll
      until    = result.running
    }
  }
  step "service" "start" {
    when  = !probe.web.running
    name  = "nginx"
    state = "started"
  }
  check "cool" {
    severity      = "warning"
    condition     = probe.web.state != "hot"
    error_message = "${self.name} is hot"
  }
}
`

const webTests = `state = { down = [], hot = [] }
inventory {
  group "web" {}
  host "db" {}
  hosts = { for n in ["web1", "web2"] : n => { groups = ["web"], rack = n } }
}
`

const webMocks = `mock "probe" "service" {
  result = { exists = true, running = !contains(state.down, self.name), state = contains(state.hot, self.name) ? "hot" : "active" }
}
mock "step" "service" "start" {
  set = { down = setsubtract(state.down, [self.name]) }
}
test "all is well" {
  expect {}
}
test "one is down" {
  state = { down = ["web2"] }
  expect { acts = ["start on web2"] }
}
`

func TestTester(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		code       int
		says       []string
	}{
		{"what is right passes", webMocks, exitOK, []string{"2 tests, 0 failed", "one is down (20m0s)"}},
		{"an act that nobody expected", webMocks + `test "x" {
  state = { down = ["web1"] }
  expect {}
}`, exitFailed, []string{"FAIL", "web.test.hcl:22:3: acts", "+ start on web1"}},
		{"an act that did not happen", webMocks + `test "x" {
  expect { acts = ["start on web1"] }
}`, exitFailed, []string{"web.test.hcl:21:12: acts", "- start on web1"}},
		{"a warning that nobody expected", webMocks + `test "x" {
  state = { hot = ["web1"] }
  expect {}
}`, exitFailed, []string{"+ cool on web1"}},
		{"a warning that did not come", webMocks + `test "x" {
  expect { warnings = ["cool on web1"] }
}`, exitFailed, []string{"- cool on web1"}},
		{"a stop that did not come", webMocks + `test "x" {
  expect { stopped_by = "cool" }
}`, exitFailed, []string{"- cool"}},
		{"a host that is not ok", webMocks + `test "x" {
  unreachable = ["web2"]
  expect {}
}`, exitFailed, []string{"- web2 ok", "+ web2 unreachable (in play web: connect to web2: no answer)"}},
		{"a host that took no part", webMocks + `test "x" {
  expect { hosts = { db = "ok" } }
}`, exitFailed, []string{"db took no part"}},
		{"a text that nobody said", webMocks + `test "x" {
  state = { hot = ["web1"] }
  expect {
    warnings = ["cool on web1"]
    says     = ["web1 is cold"]
  }
}`, exitFailed, []string{"web1 is cold", "web1 is hot"}},
		{"a plan that is another one", webMocks + `test "x" {
  state = { down = ["web1"] }
  expect {
    acts = ["start on web1"]
    plan = { "start on web2" = "will_run" }
  }
}`, exitFailed, []string{"+ start on web1 = will_run", "- start on web2 = will_run", "+ start on web2 = skipped"}},
		{"a step that fails", webMocks + `test "x" {
  state = { down = ["web1"] }
  mock "step" "service" { error = "disk full" }
  mock "step" "service" "start" { error = { kind = "exit", text = "no such unit" } }
  expect {
    acts  = ["start on web1"]
    hosts = { web1 = "failed" }
    says  = ["no such unit"]
  }
}`, exitFailed, []string{`web.test.hcl:22:3: unused`, `mock "step" "service" was never asked`}},
		{"a probe without a mock", `test "x" {
  expect {}
}`, exitFailed, []string{"web.hcl:7:3: error: Not mocked", `probe "service" "web"`, "probe.web of play \"web\" is needed (for web1", `mock "probe" "service" {`, "running = …   # bool"}},
		{"a step without a mock", strings.Replace(webMocks, `mock "step" "service" "start"`, `mock "step" "service" "stop"`, 1), exitFailed,
			[]string{"web.hcl:15:3: error: Not mocked", `mock "step" "service" {}`, "unused"}},
		{"a probe without an answer", webMocks + `test "x" {
  mock "probe" "service" "web" { result = null }
  expect {}
}`, exitOK, nil}, // the file's mock answers
		{"nobody answers", strings.Replace(webMocks, `result = {`, `result = self.name == "web2" ? null : {`, 1), exitFailed,
			[]string{"web.test.hcl:7:1: error: No answer", "For web2"}},
		{"a mock of the file that no test uses", webMocks + `mock "probe" "vmware_tools" { error = "no" }`, exitFailed, []string{`mock "probe" "vmware_tools" was never asked`}},
		{"a misspelt result", strings.Replace(webMocks, "exists =", "exist =", 1), exitUsage, []string{"web.test.hcl:8:12", `service gives no "exist". Did you mean "exists"?`}},
		{"a result that is missing", strings.Replace(webMocks, "exists = true, ", "", 1), exitUsage, []string{"service always gives exists (bool)"}},
		{"a result of a wrong type", strings.Replace(webMocks, "exists = true", "exists = \"perhaps\"", 1), exitUsage, []string{"web.test.hcl:8:12", "a bool is required"}},
		{"a result that is wrong on one host", strings.Replace(webMocks, "exists = true", `exists = self.name == "web2" ? self.rack : "true"`, 1), exitFailed,
			[]string{"web.test.hcl:8:12: error: It does not fit", "On web2"}},
		{"an attribute that hosts do not have", strings.Replace(webMocks, "exists = true", "exists = self.rak", 1), exitFailed, []string{"web.test.hcl:8:", "rak"}},
		{"a misspelt argument", strings.Replace(webMocks, "exists = true", `exists = args.nam != ""`, 1), exitUsage, []string{"nam"}},
		{"a misspelt state", strings.Replace(webMocks, `state = { down = ["web2"] }`, `state = { dwn = ["web2"] }`, 1), exitUsage, []string{`no "dwn". Did you mean "down"?`}},
		{"a state that is set and not there", strings.Replace(webMocks, `set = { down`, `set = { dwn`, 1), exitUsage, []string{`no state "dwn"`, `Did you mean "down"?`}},
		{"an unknown module", webMocks + `mock "probe" "servce" {}`, exitUsage, []string{`no module "servce". Did you mean "service"?`}},
		{"the same mocked twice", webMocks + `mock "probe" "service" { error = "x" }`, exitUsage, []string{"Mocked twice", "line 7"}},
		{"no expectation", webMocks + `test "x" {}`, exitUsage, []string{"proves nothing"}},
		{"a misspelt expectation", webMocks + `test "x" {
  expect { act = [] }
}`, exitUsage, []string{`"act" is no argument of expect. Did you mean "acts"?`}},
		{"a status that is none", webMocks + `test "x" {
  expect { hosts = { web1 = "fine" } }
}`, exitUsage, []string{`"fine" of "web1" is none of ok, failed`}},
		{"a host that is none", webMocks + `test "x" {
  expect { hosts = { web9 = "ok" } }
}`, exitFailed, []string{`no host "web9"`}},
		{"unreachable that is none", webMocks + `test "x" {
  unreachable = ["web9"]
  expect {}
}`, exitFailed, []string{`no host "web9"`}},
		{"a variable that the playbook does not have", "variables = { pol = \"1m\" }\n" + webMocks, exitUsage, []string{"pol"}},
		{"a group that is none", "inventory {\n  host \"a\" { groups = [\"wbe\"] }\n}\n" + webMocks, exitUsage, []string{"wbe"}},
		{"no test at all", "", exitUsage, []string{"at least one test block"}},
		{"two tests with one name", webMocks + webMocks[strings.Index(webMocks, "test \"one"):], exitUsage, []string{"Two tests with one name"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "web.hcl", webPlaybook)
			write(t, dir, "web.test.hcl", webTests+tt.text)
			code, out := rehearsed(dir)
			if code != tt.code {
				t.Errorf("exit %d, want %d", code, tt.code)
			}
			for _, text := range tt.says {
				if !strings.Contains(out, text) {
					t.Errorf("it does not say %q", text)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

func TestJUnitAndFilter(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "web.hcl", webPlaybook)
	write(t, dir, "web.test.hcl", webTests+webMocks+"test \"wrong\" {\n  expect { acts = [\"start on web1\"] }\n}\n")
	report := filepath.Join(dir, "report.xml")
	if code, out := rehearsed(dir, "--junit", report); code != exitFailed {
		t.Fatalf("exit %d\n%s", code, out)
	}
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`tests="3" failures="1" errors="0"`, `<testcase name="wrong"`, `<failure message="acts">`, "- start on web1"} {
		if !strings.Contains(string(data), text) {
			t.Errorf("no %q in\n%s", text, data)
		}
	}
	if code, out := rehearsed(dir, "--run", "^all"); code != exitOK || !strings.Contains(out, "1 test, 0 failed") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out := rehearsed(dir, "--run", "nothing like it"); code != exitUsage {
		t.Errorf("exit %d although no test was run\n%s", code, out)
	}
	if code, _ := rehearsed(filepath.Join(dir, "no")); code != exitUsage {
		t.Errorf("exit %d for a path that does not exist", code)
	}
}

// The inventory says how to reach the hosts, and somebody listens there: nobody may come.
func TestRehearsalOpensNoConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan bool, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_ = conn.Close()
		}
		came <- err == nil
	}()
	dir := t.TempDir()
	write(t, dir, "web.hcl", webPlaybook)
	write(t, dir, "web.test.hcl", fmt.Sprintf(`state = { down = [], hot = [] }
inventory {
  group "web" {
    connection "ssh" {
      user = "u"
      port = %d
    }
  }
  host "web2" {
    address = "127.0.0.1"
    groups  = ["web"]
  }
}
`, listener.Addr().(*net.TCPAddr).Port)+webMocks)
	if code, out := rehearsed(dir); code != exitOK {
		t.Errorf("exit %d\n%s", code, out)
	}
	_ = listener.Close()
	if <-came {
		t.Error("a rehearsal opened a connection")
	}
}
