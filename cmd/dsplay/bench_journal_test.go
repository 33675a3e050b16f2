//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/report"
	"github.com/dsplay/dsplay/engine/run"
)

// journaled plans and applies as BenchmarkRun does, with a journal in state; "": without one. It gives the bytes that were written.
func (r *rig) journaled(tb testing.TB, state string, trip time.Duration) int64 {
	tb.Helper()
	rec := &record{sinks: report.Sinks{Redactor: report.NewRedactor(&r.app.secrets), To: r.app.sinks(passFlags{json: true})}}
	id := runID(time.Now())
	if state != "" {
		var err error
		if rec.file, err = journal.Create(state, journal.Head{Run: id, Process: journal.This("bench")}); err != nil {
			tb.Fatal(err)
		}
		rec.sinks.To = append([]engine.Journal{rec.file}, rec.sinks.To...)
	}
	answer := r.world(0, 0)
	world := func(host, module string) any {
		time.Sleep(trip)
		return answer(host, module)
	}
	transports := map[string]engine.Transport{}
	for name := range r.wires.transports {
		transports[name] = nowhere{}
	}
	runner := run.New(run.Options{ID: id, Program: mocked{r.program, world}, Inventory: r.inv, Transports: transports, Stop: r.app.stop, Journal: rec})
	p, res, err := runner.Plan(tb.Context())
	if err == nil && res.Stop == nil {
		res, err = runner.Apply(tb.Context(), p)
	}
	if err != nil || res.Stop != nil {
		tb.Fatal(err, res.Stop)
	}
	_ = runner.Close()
	if rec.file == nil {
		return 0
	}
	if err := rec.file.Close(); err != nil {
		tb.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(journal.Dir(state, id), journal.Events))
	if err != nil {
		tb.Fatal(err)
	}
	return info.Size()
}

// BenchmarkJournal is BenchmarkRun without and with a journal, in turns: 20 entries, 5 intents a host, each of them on the disk
// before its change. With near hosts answer at once; else an entry takes as long as with a host that is not far.
func BenchmarkJournal(b *testing.B) {
	for _, c := range []struct {
		name   string
		guests int
		trip   time.Duration
	}{{"near-1000", 1000, 0}, {"5ms-1000", 1000, 5 * time.Millisecond}, {"near", 10_000, 0}, {"5ms", 10_000, 5 * time.Millisecond}} {
		b.Run(c.name, func(b *testing.B) {
			r := twentyRig(b, c.guests)
			var clock [2][]float64
			var least [2]cost
			var ratios []float64
			var bytes int64
			for b.Loop() {
				var took [2]float64
				for i, state := range []string{"", b.TempDir()} {
					runtime.GC()
					began := time.Now()
					fastest(&least[i], func() { bytes = r.journaled(b, state, c.trip) })
					took[i] = time.Since(began).Seconds()
					clock[i] = append(clock[i], took[i])
				}
				ratios = append(ratios, took[1]/took[0])
			}
			b.ReportMetric(middle(clock[0]), "s-without")
			b.ReportMetric(middle(clock[1]), "s-with")
			b.ReportMetric(100*(middle(ratios)-1), "%-wall") // the median of pairs: what others do on the machine meets both
			b.ReportMetric(100*(float64(least[1].took)/float64(least[0].took)-1), "%-cpu")
			b.ReportMetric(float64(bytes)/float64(20*c.guests), "bytes/entry×host")
		})
	}
}

// middle is the median.
func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkHistory is "dsplay runs" with 10,000 runs on the disk, and what a policy asks of the last six hours.
func BenchmarkHistory(b *testing.B) {
	state := b.TempDir()
	const runs = 10_000
	for i := range runs {
		began := time.Now().Add(time.Duration(i-runs) * time.Minute)
		id := runID(began)
		f, err := journal.Create(state, journal.Head{Run: id, Process: journal.This("bench")})
		if err != nil {
			b.Fatal(err)
		}
		for seq, kind := range []engine.EventKind{engine.EventRunStart, engine.EventIntent, engine.EventRunEnd} {
			_ = f.Append(engine.Event{V: 1, Run: id, Seq: seq + 1, Time: began, Kind: kind, Pass: "apply", Play: "p", Host: "h", Module: "service", Status: "ok"})
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		if err := os.Chtimes(f.Path(), began, began); err != nil {
			b.Fatal(err)
		}
	}
	b.Setenv("XDG_STATE_HOME", filepath.Dir(state))
	if err := os.Rename(state, filepath.Join(filepath.Dir(state), "dsplay")); err != nil {
		b.Fatal(err)
	}
	state, _ = stateDir()
	for name, f := range map[string]func() error{
		"list":       func() error { return quietApp().listRuns(runsFlags{last: 20}) },
		"unfinished": func() error { return quietApp().listRuns(runsFlags{last: 20, unfinished: true}) },
		"6h": func() error {
			past, err := journal.History(state, time.Now().Add(-6*time.Hour))
			if n := len(past); n < 300 || n > 361 {
				return fmt.Errorf("%d runs", n)
			}
			return err
		},
		"7d": func() error {
			_, err := journal.Recovered(state, time.Now().Add(-7*24*time.Hour), "")
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
