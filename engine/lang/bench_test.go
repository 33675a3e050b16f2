//go:build unix

package lang_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
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

// evaluate makes a pass over all hosts and evaluates every condition for each; it returns how often one was true.
func evaluate(tb testing.TB, program *lang.Program, inv *engine.Inventory) int {
	tb.Helper()
	holds := 0
	walk(tb, program, program.Pass(inv, cty.NilVal), inv, func(h engine.HostScope, e *engine.Entry) {
		v, err := h.Eval(e.When, cty.NilVal)
		if err != nil {
			tb.Fatal(err)
		}
		if v.True() {
			holds++
		}
	})
	return holds
}

// walk makes a pass in which probes have answers, and calls step for every step of every host.
func walk(tb testing.TB, program *lang.Program, pass engine.Pass, inv *engine.Inventory, step func(engine.HostScope, *engine.Entry)) {
	tb.Helper()
	result := func(v any) engine.Result {
		value, err := engine.ValueOf(v)
		if err != nil {
			tb.Fatal(err)
		}
		return engine.Result{Status: engine.StatusOK, Value: value}
	}
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
					step(h, e)
				case e.Module.Name == "vm":
					h.Set(e, result(vmResult{Found: true, Awake: true, Power: "poweredOn", ESXi: inv.Hosts[host].Attrs["esxi"].AsString()}))
				default:
					h.Set(e, result(serviceResult{Exists: true}))
				}
			}
		}
		pass.End(item.Play, ok(target.Hosts...))
	}
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
	began := used()
	for b.Loop() {
		evaluate(b, program, inv)
	}
	b.ReportMetric((used()-began).Seconds()/float64(b.N), "cpu-s/pass")
	per := float64(b.Elapsed()) / float64(b.N) / float64(hosts*len(conditions))
	b.ReportMetric(per, "ns/condition")
	b.ReportMetric(time.Duration(float64(b.Elapsed())/float64(b.N)).Seconds(), "s/pass")
}

// BenchmarkConditionsGrowth is BenchmarkConditions for 1,000 and for 10,000 hosts, in turns. The ratio is 1 when time grows
// as hosts do; each side is the fastest of its passes, by processor time.
func BenchmarkConditionsGrowth(b *testing.B) {
	small, large := estate(1000), estate(10_000)
	few, many := benchmarkProgram(b, small), benchmarkProgram(b, large)
	var least [2]cost
	for b.Loop() {
		fastest(&least[0], func() {
			for range 10 {
				evaluate(b, few, small)
			}
		})
		fastest(&least[1], func() { evaluate(b, many, large) })
	}
	growth(b, least[0], least[1])
}

// cost is the processor time and the number of allocations of something.
type cost struct {
	took    time.Duration
	mallocs uint64
}

// fastest keeps the cost of f in least when it took less. The least of several is what others on the machine disturb least.
func fastest(least *cost, f func()) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := used()
	f()
	took := used() - began
	runtime.ReadMemStats(&after)
	if least.took == 0 || took < least.took {
		*least = cost{took, after.Mallocs - before.Mallocs}
	}
}

// growth reports what the large one costs in units of the small one.
func growth(b *testing.B, small, large cost) {
	b.Helper()
	b.ReportMetric(float64(large.took)/float64(small.took), "growth")
	b.ReportMetric(float64(large.mallocs)/float64(small.mallocs), "allocs-growth")
}

// used is the processor time of this process: what others do on the machine is not in it.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEstateLocal evaluates, for one host, a condition that names locals over the whole estate. What it costs must
// not depend on how large the estate is: "growth" is the cost in one of 10,000 hosts to that in one of 200.
func BenchmarkEstateLocal(b *testing.B) {
	for _, condition := range []int{3, 4, 5, 6, 19} {
		b.Run(conditions[condition], func(b *testing.B) {
			var ask [2]func()
			for i, hosts := range []int{200, 10_000} {
				ask[i] = asker(b, hosts, condition)
			}
			var least [2]cost
			for b.Loop() {
				for i := range ask {
					fastest(&least[i], func() {
						for range 1000 {
							ask[i]()
						}
					})
				}
			}
			b.ReportMetric(float64(least[1].took.Nanoseconds())/1000, "ns/condition")
			growth(b, least[0], least[1])
		})
	}
}

// asker gives a function that evaluates a condition for one host of an estate, of which everything else is known.
func asker(tb testing.TB, hosts, condition int) func() {
	tb.Helper()
	inv := estate(hosts)
	program := benchmarkProgram(tb, inv)
	pass := program.Pass(inv, cty.NilVal)
	var ask func()
	walk(tb, program, pass, inv, func(h engine.HostScope, e *engine.Entry) {
		if e.Name != fmt.Sprintf("s%d", condition) || ask != nil {
			return
		}
		ask = func() {
			if v, err := h.Eval(e.When, cty.NilVal); err != nil || !v.True() {
				tb.Fatal(v, err)
			}
		}
		ask() // what is evaluated once was evaluated
	})
	return ask
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
