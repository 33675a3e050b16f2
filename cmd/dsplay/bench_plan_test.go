//go:build unix

package main

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

// estates are the worlds in which engine-offline.hcl is planned.
var estates = []struct {
	name         string
	dark, lonely int // each n-th ESXi host is dark, each n-th guest offline; 0: none
}{
	{"healthy", 0, 0},
	{"sick", 20, 97},
}

func offlineRig(tb testing.TB, guests int) *rig {
	tb.Helper()
	return newRig(tb, "../../playbooks/engine-offline.hcl", estateText(guests))
}

func (r *rig) world(dark, lonely int) func(host, module string) any {
	var s sick
	if dark > 0 {
		s = sick{everyNth(dark, r.inv.Groups["esxi"]), everyNth(lonely, r.inv.Groups["guests"])}
	}
	return answers(r.inv, s)
}

// plan is one planning pass with everything that is shown of it.
func (r *rig) plan(tb testing.TB, answer func(host, module string) any) (*plan.Plan, run.Result) {
	tb.Helper()
	runner := r.runner(answer)
	p, res, err := runner.Plan(tb.Context())
	if err != nil || res.Stop != nil {
		tb.Fatal(err, res.Stop)
	}
	s := &session{app: r.app, inv: r.inv, loaded: r.loaded, redact: func(s string) string { return s }}
	d, err := s.estate(p)
	if err == nil {
		err = s.brief(d)
	}
	if err != nil {
		tb.Fatal(err)
	}
	_ = runner.Close()
	return p, res
}

// BenchmarkPlan plans the whole of engine-offline.hcl for 10,000 guests on 200 ESXi hosts.
func BenchmarkPlan(b *testing.B) {
	const guests = 10_000
	r := offlineRig(b, guests)
	for _, e := range estates {
		b.Run(e.name, func(b *testing.B) {
			answer := r.world(e.dark, e.lonely)
			b.ReportAllocs()
			items, peak := 0, uint64(0)
			began := used()
			for b.Loop() {
				p, _ := r.plan(b, answer)
				items, peak = len(p.Items()), max(peak, heap())
			}
			cpu(b, began)
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(items)*1e9, "ns/entry×host")
			b.ReportMetric(float64(peak)/(1<<20), "MB-live")
		})
	}
}

// heap is what is in use, garbage that was not collected yet included.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkPlanGrowth plans for 1,000 and for 10,000 guests, in turns. The ratio is 1 when time grows as guests do.
func BenchmarkPlanGrowth(b *testing.B) {
	small, large := offlineRig(b, 1000), offlineRig(b, 10_000)
	few, many := small.world(20, 97), large.world(20, 97)
	var least [2]cost
	for b.Loop() {
		fastest(&least[0], func() {
			for range 10 {
				small.plan(b, few)
			}
		})
		fastest(&least[1], func() { large.plan(b, many) })
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

// TestPlanOfTheBenchmark: what is measured is the real thing.
func TestPlanOfTheBenchmark(t *testing.T) {
	r := offlineRig(t, 2000)
	p, _ := r.plan(t, r.world(20, 97))
	acting := map[string]int{}
	for _, i := range p.Acting() {
		acting[i.Play]++
	}
	// two of 40 ESXi hosts: an appliance and a Mux each; the guests offline elsewhere: the driver or a repair
	if acting["case_b"] != 4 || acting["case_a"] != 40 {
		t.Errorf("got %v", acting)
	}
	var text bytes.Buffer
	r.app.out = &text
	if p, _ = r.plan(t, r.world(0, 0)); len(p.Acting()) != 0 || len(p.Items()) < 4000 {
		t.Errorf("%d of %d items act", len(p.Acting()), len(p.Items()))
	}
}
