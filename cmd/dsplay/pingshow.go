package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/ping"
)

// pingView shows hosts to a person.
type pingView struct {
	w              io.Writer
	live           io.Writer // a terminal for what goes on meanwhile; nil: there is none
	color, verbose bool
	total, width   int // hosts, and the longest of their names
	columns        int // of the terminal; 0: not known

	mu    sync.Mutex
	ended int
	under map[string]progress // hosts that are under way
	err   error               // of writing
}

// progress is how far a host is.
type progress struct {
	stage string // the last one that ended
	since time.Time
}

// told hears how far a host is.
func (p *pingView) told(host string, s engine.Stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.under == nil {
		p.under = map[string]progress{}
	}
	p.under[host] = progress{s.Name, time.Now()}
}

// animate keeps a line up to date that says how many hosts are done and which one makes everybody wait. The function that
// it returns ends that.
func (p *pingView) animate() (end func()) {
	if p.live == nil {
		return func() {}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.mu.Lock()
				fmt.Fprint(p.live, "\r\x1b[K"+p.waiting(time.Now()))
				p.mu.Unlock()
			case <-over:
				return
			}
		}
	}()
	return func() { close(over); <-ended }
}

// waiting says who is waited for, the longest first.
func (p *pingView) waiting(now time.Time) string {
	hosts := slices.SortedFunc(maps.Keys(p.under), func(a, b string) int {
		return cmp.Or(p.under[a].since.Compare(p.under[b].since), cmp.Compare(a, b))
	})
	line := fmt.Sprintf("%d of %d done", p.ended, p.total)
	for _, name := range hosts {
		line += fmt.Sprintf("; %s: %s after %s", inLine(name), now.Sub(p.under[name].since).Round(time.Second), p.under[name].stage)
	}
	if r, most := []rune(line), cmp.Or(p.columns, 80)-2; len(r) > max(most, 1) {
		line = string(r[:max(most, 1)-1]) + "…" // a line that wraps cannot be taken back
	}
	return line
}

func (p *pingView) clear() {
	if p.live != nil {
		fmt.Fprint(p.live, "\r\x1b[K")
	}
}

func (p *pingView) put(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format+"\n", args...); err != nil && p.err == nil {
		p.err = err
	}
}

func (p *pingView) done(h ping.Host) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.host(h)
}

// over hears that a host is done; it may have to wait for its turn to be shown.
func (p *pingView) over(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended++
	delete(p.under, host)
}

func (p *pingView) sum(r ping.Report, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	parts := []string{fmt.Sprintf("%d ok", r.OK)}
	for _, x := range []struct {
		n    int
		what string
	}{{r.Failed, "failed"}, {r.Unreachable, "unreachable"}, {r.NotTried, "not tried"}, {r.NoWay, "without a connection"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	if len(r.Hosts) > manyHosts {
		p.names("failed", r, ping.Failed)
		p.names("unreachable", r, ping.Unreachable)
	}
	p.put("%s: %s (%s)", plural(len(r.Hosts), "host"), strings.Join(parts, ", "), duration(float64(took)/1e6))
}

// manyHosts are so many that those with a fault are out of sight by the end.
const manyHosts = 10

// names lists the hosts that ended so.
func (p *pingView) names(word string, r ping.Report, s ping.Status) {
	var list []string
	for _, h := range r.Hosts {
		if h.Status == s {
			list = append(list, inLine(h.Name))
		}
	}
	if len(list) > 0 {
		p.put("%s: %s", word, strings.Join(list, " "))
	}
}
