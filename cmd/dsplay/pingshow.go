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
	"unicode"

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

// host writes one host: the first line says how it ended, those below it why, and what there is to know besides.
func (p *pingView) host(h ping.Host) {
	if h.Status == ping.NoWay {
		p.put("%-*s  no connection in the inventory: nothing to try", p.width, inLine(h.Name))
		return
	}
	p.put("%-*s  %s", p.width, inLine(h.Name), strings.Join([]string{p.word(h), duration(h.Ms), way(h)}, "  "))
	if h.Error != nil {
		p.line("why", h.Error.Text)
		p.line("try", h.Error.Hint)
	}
	p.line("", strings.Join(facts(h), " · "))
	p.line("", h.Identity)
	if h.Status == ping.Unreachable || p.verbose { // where the login works nobody asks for another one
		p.line("offers", strings.Join(h.Offered, " "))
	}
	for _, w := range h.Weakenings {
		p.line("weak", w)
	}
	for _, w := range h.Warnings {
		p.line("warning", w.Text)
		p.line("try", w.Hint)
	}
	if p.verbose {
		p.waterfall(h.Stages)
	} else if bars := picture(h.Stages); bars != "" {
		p.line("", bars)
	}
}

func (p *pingView) line(key, text string) {
	if text == "" {
		return
	}
	if key != "" {
		key += ": "
	}
	for i, part := range strings.Split(text, "\n") {
		if i > 0 {
			key = strings.Repeat(" ", len(key))
		}
		p.put("%s", strings.TrimRight(fmt.Sprintf("%-*s  %s%s", p.width, "", key, inLine(part)), " "))
	}
}

func (p *pingView) word(h ping.Host) string {
	word, color := string(h.Status), "\x1b[31m"
	switch {
	case h.Status == ping.OK:
		color = "\x1b[32m"
	case h.Status == ping.NotTried:
		word = "not tried"
		if h.Error != nil {
			return "stopped"
		}
	case h.At != "":
		word += " at " + inLine(h.At)
	}
	if h.Error != nil {
		word += " [" + string(h.Error.Kind) + "]"
	}
	if !p.color {
		return word
	}
	return color + word + "\x1b[0m"
}

// way is how the host is reached, and as whom.
func way(h ping.Host) string {
	parts := []string{h.Connection, h.Address}
	if h.User != "" {
		parts = append(parts, "as", h.User)
	}
	if h.Via != "" { // last, for with a configuration it is long
		parts = append(parts, "via", h.Via)
	}
	return inLine(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " "))
}

// facts are what works.
func facts(h ping.Host) []string {
	var list []string
	add := func(text string) {
		if text != "" {
			list = append(list, text)
		}
	}
	add(h.Platform)
	add(h.System)
	if h.Sudo != nil {
		add(map[ping.Status]string{ping.OK: "sudo to " + h.Sudo.User, ping.Failed: "no sudo to " + h.Sudo.User, ping.NotNeeded: "no sudo needed",
			ping.Restricted: "sudo to " + h.Sudo.User + " for some commands only"}[h.Sudo.Status])
	}
	if a := h.API; a != nil {
		add(strings.TrimSpace(a.Kind + " " + a.Version))
		add(map[ping.Status]string{ping.OK: "login works", ping.Failed: "no login", ping.NotTried: "login not tried"}[a.Login])
	}
	if h.ValidUntil != "" {
		add("certificate until " + h.ValidUntil[:len(time.DateOnly)])
	}
	return list
}

// eighths of a cell, from one to all of it.
var eighths = []string{"▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"}

// bar is as long as share (0 to 1) of cells; something is always seen.
func bar(share float64, cells int) string {
	n := max(int(share*float64(cells*8)+0.5), 1)
	full, rest := n/8, n%8
	text := strings.Repeat("█", full)
	if rest > 0 {
		text += eighths[rest-1]
	}
	return text
}

// picture is all stages in one line, each with its milliseconds and a bar that compares it with the longest.
func picture(stages []ping.Stage) string {
	longest := 0.0
	for _, s := range stages {
		longest = max(longest, s.Ms)
	}
	if longest == 0 {
		return ""
	}
	parts := make([]string, len(stages))
	for i, s := range stages {
		parts[i] = strings.TrimSuffix(s.Name+" "+duration(s.Ms), " ms") + " " + bar(s.Ms/longest, 4)
		if s.Failed {
			parts[i] += "✗"
		}
	}
	return strings.Join(parts, "  ")
}

// waterfall is a line for each stage: when it began and how long it took, as a picture, and what was found.
func (p *pingView) waterfall(stages []ping.Stage) {
	const cells = 24
	end, width := 0.0, 0
	for _, s := range stages {
		end, width = max(end, s.At+s.Ms), max(width, len(s.Name))
	}
	for _, s := range stages {
		picture := strings.Repeat(" ", int(s.At/max(end, 0.001)*cells)) + bar(s.Ms/max(end, 0.001), cells)
		detail := s.Detail
		if s.Failed {
			detail = "failed"
		}
		p.line("", fmt.Sprintf("  %-*s %7s  %-*s  %s", width, s.Name, duration(s.Ms), cells+1, picture, detail))
	}
}

// duration is a number of milliseconds for a person.
func duration(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

// inLine is what a host said, without what could drive a terminal.
func inLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}
