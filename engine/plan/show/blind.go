package show

import (
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// blind is what could not be looked at or planned, and therefore is not done.
type blind struct {
	plan.Item // of the first host
	Error     engine.EventError
	Hosts     []string
}

// checks are checks that say the same about some hosts.
type checks struct {
	plan.Check
	Hosts []string
}

func isBlind(i plan.Item) bool {
	return i.Disposition == plan.Unreachable || i.Disposition == plan.Error
}

// blinds groups what could not be planned by what went wrong. A recover or a block that only repeats an error of what is in
// it is left out.
func (p *page) blinds() []blind {
	said := map[[3]string]bool{}
	for _, i := range p.Items {
		if isBlind(i) && leaf(i) {
			said[[3]string{i.Play, i.Host, errorOf(i).Text}] = true
		}
	}
	var out []blind
	index := map[string]int{}
	for _, i := range p.Items {
		e := errorOf(i)
		if !isBlind(i) || !leaf(i) && said[[3]string{i.Play, i.Host, e.Text}] {
			continue
		}
		k := strings.Join([]string{i.Play, i.Entry, string(i.Disposition), string(e.Kind), e.Host, e.Text, e.Hint}, "\x00")
		n, ok := index[k]
		if !ok {
			n = len(out)
			index[k], out = n, append(out, blind{Item: i, Error: e})
		}
		out[n].Hosts = append(out[n].Hosts, i.Host)
	}
	for n := range out {
		slices.SortFunc(out[n].Hosts, natural)
	}
	return out
}

// leaf tells an entry that does something from one that only holds others.
func leaf(i plan.Item) bool { return i.Kind == engine.EntryStep || i.Kind == engine.EntryProbe }

func errorOf(i plan.Item) engine.EventError {
	if i.Error == nil {
		return engine.EventError{Text: i.Reason}
	}
	return *i.Error
}

// judge groups the checks that do not simply hold.
func (p *page) judge() {
	index := map[string]int{}
	for _, c := range p.Document.Checks {
		if c.Status == "ok" {
			p.Fine++
			continue
		}
		k := strings.Join(append([]string{c.Play, c.Name, c.Status, c.Reason}, c.Waits...), "\x00")
		n, ok := index[k]
		if !ok {
			n = len(p.Checks)
			index[k], p.Checks = n, append(p.Checks, checks{Check: c})
		}
		if c.Host != "" {
			p.Checks[n].Hosts = append(p.Checks[n].Hosts, c.Host)
		}
	}
}
