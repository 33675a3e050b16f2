//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

// twentyEntries is a playbook of 10 probes and 10 steps, of which 5 act, on every guest.
func twentyEntries() string {
	var b strings.Builder
	b.WriteString("play \"all\" {\n  hosts        = group.guests\n  max_failures = \"5%\"\n")
	for i := range 10 {
		fmt.Fprintf(&b, "  probe \"service\" \"s%d\" {\n    name = \"s%d\"\n  }\n", i, i)
	}
	for i := range 10 {
		not := ""
		if i%2 == 0 {
			not = "!"
		}
		fmt.Fprintf(&b, "  step \"service\" \"start%d\" {\n    when  = probe.s%d.exists && %sprobe.s%d.running\n    name  = \"s%d\"\n    state = \"started\"\n  }\n", i, i, not, i, i)
	}
	b.WriteString("}\n")
	return b.String()
}

func twentyRig(tb testing.TB, guests int) *rig {
	tb.Helper()
	return newRig(tb, writeFile(tb, "twenty.hcl", twentyEntries()), estateText(guests))
}

// both plans and applies.
func (r *rig) both(tb testing.TB) (*plan.Plan, run.Result) {
	tb.Helper()
	runner := r.runner(r.world(0, 0))
	p, res, err := runner.Plan(tb.Context())
	if err == nil && res.Stop == nil {
		res, err = runner.Apply(tb.Context(), p)
	}
	if err != nil || res.Stop != nil {
		tb.Fatal(err, res.Stop)
	}
	_ = runner.Close()
	return p, res
}

// BenchmarkRun plans and applies 20 entries for 10,000 guests, 5 of which act on each, over connections that do nothing.
func BenchmarkRun(b *testing.B) {
	const guests = 10_000
	r := twentyRig(b, guests)
	b.ReportAllocs()
	began := used()
	for b.Loop() {
		r.both(b)
	}
	cpu(b, began)
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/(20*guests)*1e9, "ns/entry×host")
}

// BenchmarkRunGrowth is BenchmarkRun for 1,000 and for 10,000 guests, in turns.
func BenchmarkRunGrowth(b *testing.B) {
	small, large := twentyRig(b, 1000), twentyRig(b, 10_000)
	var least [2]cost
	for b.Loop() {
		fastest(&least[0], func() {
			for range 10 {
				small.both(b)
			}
		})
		fastest(&least[1], func() { large.both(b) })
	}
	growth(b, least[0], least[1])
}

func TestRunOfTheBenchmark(t *testing.T) {
	p, res := twentyRig(t, 50).both(t)
	changed := 0
	for _, h := range res.Hosts {
		changed += h.Changed
	}
	if len(p.Acting()) != 250 || changed != 250 || len(p.Items()) != 1000 {
		t.Errorf("%d of %d items act, %d changed", len(p.Acting()), len(p.Items()), changed)
	}
}
