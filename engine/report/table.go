package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/dsplay/dsplay/engine"
)

// table collects what the end of a run tells: hosts that are not ok, and what was done on which host.
type table struct {
	hosts  map[string]row
	begun  map[string]bool // host and entry: what may have changed something
	acting bool            // the pass that acts has begun
}

type row struct {
	status string
	err    *engine.EventError
	done   []string
	failed []string // what may have changed something all the same
}

func (b *table) add(e engine.Event) {
	acts := e.Pass == "apply" && !b.acting
	if b.hosts == nil || acts { // the pass that acts tells its own story; without one, the plan's is the end
		b.hosts, b.begun, b.acting = map[string]row{}, map[string]bool{}, acts
	}
	r := b.hosts[e.Host]
	entry := strings.Join([]string{e.Host, e.Play, e.Entry, e.Item}, "\n")
	switch e.Kind {
	case engine.EventApply: // where another process goes on with the run, it tells anew how hosts end; what was done stays
		for host, r := range b.hosts {
			b.hosts[host] = row{done: r.done, failed: r.failed}
		}
		return
	case engine.EventIntent:
		b.begun[entry] = true
		return
	case engine.EventHostEnd:
		if r.status == "" || r.status == string(engine.HostOK) {
			r.status, r.err = e.Status, e.Error
		}
	case engine.EventEntryEnd:
		switch status := engine.Status(e.Status); {
		case e.Module == "": // a recover is told by its steps
		case status == engine.StatusChanged || status == engine.StatusRan:
			r.done = append(r.done, e.EntryTitle()+on(e))
		case status == engine.StatusFailed && b.begun[entry] && e.Error != nil:
			r.failed = append(r.failed, e.EntryTitle()+on(e)+": failed: "+blamed(e.Host, e.Error))
		default:
			return
		}
	default:
		return
	}
	b.hosts[e.Host] = r
}

// ends is how a host ended, and what was done there.
func (r row) ends(host string) string {
	what := strings.Join(r.done, "; ")
	if r.err != nil {
		what = strings.TrimPrefix(what+"; "+blamed(host, r.err), "; ")
	}
	return r.status + "\t" + strings.ReplaceAll(what, "\n", " ")
}

// same are the hosts on which nothing was done, in order, by how they ended: forty that were not begun are one row.
func (b *table) same() map[string][]string {
	out := map[string][]string{}
	for _, host := range slices.Sorted(maps.Keys(b.hosts)) {
		if r := b.hosts[host]; len(r.done) == 0 {
			out[r.ends(host)] = append(out[r.ends(host)], host)
		}
	}
	return out
}

// write prints the rows worth reading, and the sum.
func (b *table) write(t *Terminal, end engine.Event) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	same := b.same()
	for _, host := range slices.Sorted(maps.Keys(b.hosts)) {
		r := b.hosts[host]
		if r.status == string(engine.HostOK) { // something else helped, or it was rescued
			r.done = append(r.done, r.failed...)
		}
		if len(r.done) == 0 && (r.status == string(engine.HostOK) || r.status == "") {
			continue
		}
		ends, name := r.ends(host), host
		if alikes := same[ends]; len(r.done) == 0 && len(alikes) > alike && t.Verbose == 0 {
			if host != alikes[0] {
				continue
			}
			name = fmt.Sprintf("%s and %d more", host, len(alikes)-1)
		}
		fmt.Fprintf(w, "  %s\t%s\n", name, ends)
	}
	_ = w.Flush() // a strings.Builder does not fail
	t.play = ""
	if text.Len() > 0 {
		t.line(bold, "\nHosts that were changed or are not ok")
		t.line("", "%s", strings.TrimRight(text.String(), "\n"))
	}
	if len(end.Waits) > 0 {
		t.line(yellow, "\nnot begun: %s", quoted(end.Waits))
	}
	color := green
	if end.Exit != nil && *end.Exit != 0 {
		color = red
	}
	t.line(color, "\n%s: %s", end.Status, end.Reason)
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strconv.Quote(name)
	}
	return strings.Join(out, ", ")
}

// counts lists statuses and how many hosts have them, the most important last.
func counts(c map[string]int) string {
	if len(c) == 0 {
		return "none"
	}
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, fmt.Sprintf("%d %s", c[status], status))
	}
	return strings.Join(parts, ", ")
}
