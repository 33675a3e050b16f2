package show

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// TestGroupsAreExact draws steps at random, groups them, and puts them together again from what is shown: nothing may be
// lost, and no command line may differ by a byte.
func TestGroupsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	grouped := 0
	for range 300 {
		var items []plan.Item
		want := map[string][]string{}
		for n := range 1 + r.IntN(12) {
			host := fmt.Sprintf("guest%d", n)
			i := plan.Item{Play: "p", Host: host, On: pick(host, "vc1"), Entry: "p/step." + pick("a", "a", "b"), Kind: engine.EntryStep, Disposition: plan.WillRun}
			for range r.IntN(3) {
				i.Diff.Commands = append(i.Diff.Commands, pick("stop ", "stop ", "‹host› ", "start  ")+pick(host, i.On, uuid(host), "x\ny", "ä-ö", "‹1›", "")+pick("", " --force", " "+host))
			}
			if r.IntN(4) == 0 {
				i.Args = []engine.Arg{{Name: "uuid", Value: uuid(host)}}
			}
			want[i.Entry+" "+i.Host+" "+i.On] = i.Diff.Commands
			items = append(items, i)
		}
		got := map[string][]string{}
		for _, s := range steps(items, reasons(items)) {
			grouped += len(s.Where) - 1
			for _, w := range s.Where {
				got[s.Entry+" "+w.Host+" "+w.On] = commandsAt(s, w)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d of %d steps are shown", len(got), len(want))
		}
		for k, commands := range want {
			if !slices.Equal(got[k], commands) {
				t.Fatalf("%s: shown %q, executed %q", k, got[k], commands)
			}
		}
	}
	if grouped == 0 {
		t.Error("nothing was grouped")
	}
}

// commandsAt puts a host's command lines together as a reader would.
func commandsAt(s step, w where) []string {
	if len(s.Where) == 1 || s.plain {
		return s.Diff.Commands
	}
	pairs := []string{ownSign, w.Host, onSign, w.On}
	for n, hole := range s.Holes {
		pairs = append(pairs, hole, w.Cells[n])
	}
	var out []string
	for _, c := range s.Diff.Commands {
		out = append(out, strings.NewReplacer(pairs...).Replace(c))
	}
	return out
}

// TestBig holds that what is the same on hundreds of hosts is shown once.
func TestBig(t *testing.T) {
	d := encoded(t, estateOf(100, 50, 10, 12))
	p := newPage(d, time.Time{})
	steps := 0
	for _, x := range p.Plays {
		steps += len(x.Steps)
	}
	if steps > 8 {
		t.Errorf("%d steps are shown for %d that act", steps, d.Worst.Entries)
	}
	if len(p.Estate.Boxes) != 101 || len(p.Estate.Boxes[0].Cells) != 51 {
		t.Errorf("%d boxes, the first with %d guests", len(p.Estate.Boxes), len(p.Estate.Boxes[0].Cells))
	}
	var text bytes.Buffer
	if err := Text(&text, d, Options{}); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text.Bytes(), []byte("\n")); n > 800 {
		t.Errorf("the text has %d lines", n)
	}
}

// BenchmarkBig shows a plan for 5,000 guests on 100 ESXi hosts.
func BenchmarkBig(b *testing.B) {
	d := encoded(b, estateOf(100, 50, 10, 12))
	for _, format := range Formats {
		b.Run(format, func(b *testing.B) {
			size := 0
			for b.Loop() {
				n := &counter{}
				if err := Write(n, d, format, Options{Lang: "ja"}); err != nil {
					b.Fatal(err)
				}
				size = n.n
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return io.Discard.Write(p) }
