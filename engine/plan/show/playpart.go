package show

import (
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// playPart is a play in which something may be done.
type playPart struct {
	Opens string // when its window opens, which was closed when the plan was made; "": it was open
	plan.Play
	No      int // counts all plays
	Batches [][]string
	Steps   []step
	Idle    int // hosts in which nothing needs to be done
	Blind   int // hosts of which something could not be planned
}

func (p *page) plays() []playPart {
	items := map[string][]plan.Item{}
	var names []string
	for _, x := range p.Document.Plays {
		names = added(names, x.Name)
	}
	for _, i := range p.Items {
		if items[i.Play] == nil {
			names = added(names, i.Play)
		}
		items[i.Play] = append(items[i.Play], i)
	}
	var out []playPart
	steps := 0
	for n, name := range names {
		part := playPart{Play: plan.Play{Name: name}, No: n + 1}
		if at := slices.IndexFunc(p.Document.Plays, func(x plan.Play) bool { return x.Name == name }); at >= 0 {
			part.Play = p.Document.Plays[at]
			part.Opens = opens(part.Window, p.Document.Made)
		}
		part.fill(items[name])
		for s := range part.Steps {
			steps++
			part.Steps[s].No = steps
		}
		if len(part.Steps) > 0 || len(part.Waits) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// opens is when a window opens that is closed at a time, by its own clock; "": it is open, or there is none.
func opens(window string, at time.Time) string {
	w, err := engine.ParseWindow(window)
	if err != nil || w.Open(at) || w.Opens(at).IsZero() {
		return ""
	}
	return w.Clock(w.Opens(at))
}

// fill adds to a play what was planned in it.
func (x *playPart) fill(items []plan.Item) {
	var acting []plan.Item
	busy, blind := map[string]bool{}, map[string]bool{}
	for _, i := range items {
		if i.Acts() {
			acting = append(acting, i)
			busy[i.Host] = true
		}
		if isBlind(i) {
			blind[i.Host] = true
		}
	}
	x.Steps = steps(acting, reasons(items))
	x.Blind = len(blind)
	for _, h := range x.Hosts {
		if !busy[h] && !blind[h] {
			x.Idle++
		}
	}
	x.Batches = batches(x.Hosts, x.Play.Batches)
}

// batches cuts hosts into parts; the last size repeats. nil: there is only one.
func batches(hosts []string, sizes []int) [][]string {
	var out [][]string
	for n := 0; len(hosts) > 0 && len(sizes) > 0; n++ {
		size := min(max(sizes[min(n, len(sizes)-1)], 1), len(hosts))
		out, hosts = append(out, hosts[:size]), hosts[size:]
	}
	return out
}

// reasons tells why an item may be done: its own condition, and what the recover or block around it says.
func reasons(items []plan.Item) func(plan.Item) []string {
	type key struct{ host, entry string }
	around := map[key]string{}
	for _, i := range items {
		if !leaf(i) && i.Reason != "" {
			around[key{i.Host, i.Entry}] = i.Reason
		}
	}
	return func(i plan.Item) []string {
		var out []string
		for at := i.Entry; strings.Contains(at, "/"); {
			at = at[:strings.LastIndex(at, "/")]
			if text, ok := around[key{i.Host, at}]; ok {
				out = append(out, text)
			}
		}
		slices.Reverse(out)
		if i.Reason != "" {
			out = append(out, i.Reason)
		}
		return out
	}
}
