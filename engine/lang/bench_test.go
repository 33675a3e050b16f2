package lang_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/zclconf/go-cty/cty"
)

// conditions are what twenty entries of a playbook ask on each host: mostly of the host's own results, some of what
// is the same for all hosts, some of a list with thousands of names.
var conditions = []string{
	`probe.driver.exists && !probe.driver.running`,
	`var.change && probe.vm.found`,
	`probe.vm.power == "poweredOn"`,
	`contains(local.dark, self.esxi)`,
	`contains(local.names, self.name)`,
	`length(local.names) > 100 && probe.vm.awake`,
	`count(local.names, self.name) == 1 || probe.driver.running`,
	`length(local.guests[self.esxi]) > 1`,
	`self.rack == null`,
	`self.rack != null && self.rack > 3`,
	`startswith(self.name, "vm") && probe.vm.awake`,
	`probe.vm.esxi == self.esxi`,
	`alltrue([probe.vm.found, probe.vm.awake, var.change])`,
	`anytrue([for n in local.dark : n == "esx-none"]) || probe.vm.found`,
	`contains(["poweredOn", "suspended"], probe.vm.power)`,
	`probe.driver.pid == null ? probe.driver.exists : probe.driver.pid > 100`,
	`host[self.vcenter].address != ""`,
	`lookup(local.sizes, self.esxi, 0) > 1`,
	`length([for h in play.triage.missing : h.name]) == 0`,
	`contains(group.guests, self.name) && !contains(local.dark, self.name)`,
}

func benchmarkPlaybook() string {
	var b strings.Builder
	b.WriteString(`
variable "change" { default = true }
play "triage" {
  hosts        = group.guests
  max_failures = "5%"
  probe "vm" "vm" { uuid = self.uuid }
}
locals {
  names  = [for g in play.triage.hosts : g.name if g.probe.vm.awake]
  guests = { for g in play.triage.hosts : g.probe.vm.esxi => g.bios_uuid... }
  sizes  = { for e, g in local.guests : e => length(g) }
  dark   = [for e, g in local.guests : e if length(g) > 3]
}
play "act" {
  hosts        = local.names
  max_failures = 0
  probe "vm" "vm" { uuid = self.uuid }
  probe "service" "driver" { name = "x" }
`)
	for i, c := range conditions {
		fmt.Fprintf(&b, "  step \"service\" \"s%d\" {\n    when  = %s\n    name  = \"x\"\n    state = \"started\"\n  }\n", i, c)
	}
	b.WriteString("}\n")
	return b.String()
}

// estate has n guests, 25 on each ESXi host.
func estate(n int) *engine.Inventory {
	inv := testInventory()
	inv.Groups["guests"] = nil
	for i := range n {
		name := fmt.Sprintf("vm%05d", i)
		inv.Groups["guests"] = append(inv.Groups["guests"], name)
		inv.Hosts[name] = &engine.Host{Name: name, Address: name + ".example", Groups: []string{"guests"}, Attrs: map[string]cty.Value{
			"vcenter": cty.StringVal("vc1"), "uuid": cty.StringVal("u" + name), "bios_uuid": cty.StringVal("b" + name), "esxi": cty.StringVal(fmt.Sprintf("esx%d", i/25))}}
	}
	return inv
}

// evaluate makes a pass over n hosts and evaluates every condition for each; it returns how often one was true.
func evaluate(tb testing.TB, program *lang.Program, inv *engine.Inventory) int {
	tb.Helper()
	pass := program.Pass(inv, cty.NilVal)
	result := func(v any) engine.Result {
		value, err := engine.ValueOf(v)
		if err != nil {
			tb.Fatal(err)
		}
		return engine.Result{Status: engine.StatusOK, Value: value}
	}
	holds := 0
	for _, item := range program.Playbook().Items {
		if item.Locals != nil {
			if err := pass.Locals(item.Locals); err != nil {
				tb.Fatal(err)
			}
			continue
		}
		target, err := pass.Play(item.Play)
		if err != nil {
			tb.Fatal(err)
		}
		scope := pass.Begin(item.Play)
		for _, host := range target.Hosts {
			h := scope.Host(host)
			for _, e := range item.Play.Entries {
				switch {
				case e.Kind == engine.EntryStep:
					v, err := h.Eval(e.When, cty.NilVal)
					if err != nil {
						tb.Fatal(err)
					}
					if v.True() {
						holds++
					}
				case e.Module.Name == "vm":
					h.Set(e, result(vmResult{Found: true, Awake: true, Power: "poweredOn", ESXi: inv.Hosts[host].Attrs["esxi"].AsString()}))
				default:
					h.Set(e, result(serviceResult{Exists: true}))
				}
			}
		}
		pass.End(item.Play, ok(target.Hosts...))
	}
	return holds
}

func benchmarkProgram(tb testing.TB, inv *engine.Inventory) *lang.Program {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "bench.hcl")
	if err := os.WriteFile(path, []byte(benchmarkPlaybook()), 0o600); err != nil {
		tb.Fatal(err)
	}
	o := options()
	o.Inventory = inv
	program, problems := lang.Load(path, o)
	if problems.Err() != nil {
		tb.Fatal(problems)
	}
	return program
}

// BenchmarkConditions is a whole pass over 10,000 hosts with 20 conditions each: results, locals and reasons included.
func BenchmarkConditions(b *testing.B) {
	const hosts = 10_000
	inv := estate(hosts)
	program := benchmarkProgram(b, inv)
	b.ReportAllocs()
	for b.Loop() {
		evaluate(b, program, inv)
	}
	per := float64(b.Elapsed()) / float64(b.N) / float64(hosts*len(conditions))
	b.ReportMetric(per, "ns/condition")
	b.ReportMetric(time.Duration(float64(b.Elapsed())/float64(b.N)).Seconds(), "s/pass")
}

// TestConditionsOfTheBenchmark: the benchmark measures what is right.
func TestConditionsOfTheBenchmark(t *testing.T) {
	const hosts = 200
	inv := estate(hosts)
	want := hosts * (len(conditions) - 1) // no host has a rack, so self.rack > 3 never holds
	if got := evaluate(t, benchmarkProgram(t, inv), inv); got != want {
		t.Errorf("%d conditions were true, want %d", got, want)
	}
}
