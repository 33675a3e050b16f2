package show

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// where is one execution of a step: for a host of the play, by the host that does it, for an item of its for_each.
type where struct {
	Host, On, Item string
	Disposition    plan.Disposition
	Cells          []string // what stands in the step's holes here
}

// step is what is done in the same way on one host or many. Holes stand for what differs from host to host, and cells of
// each host say what: with them every command line is exact.
type step struct {
	plan.Item     // of the first host, with holes
	No        int // counts on the page, in the order of the plan
	Where     []where
	Holes     []string // "‹1›", "‹2›"
	Whys      []why
	plain     bool // the signs in it are its own
}

// arm is where a step is done under the same condition.
type arm struct {
	Disposition plan.Disposition
	Where       []where
}

// arms are the step's places: first where it will run, then where it depends on something.
func (s step) arms() []arm {
	var out []arm
	for _, part := range partition(s.Where, func(w where) string { return string(w.Disposition) }) {
		out = append(out, arm{part[0].Disposition, part})
	}
	slices.SortStableFunc(out, func(a, b arm) int { return cmp.Compare(surety(a.Disposition), surety(b.Disposition)) })
	return out
}

func surety(d plan.Disposition) int {
	return slices.Index([]plan.Disposition{plan.RescueOnly, plan.Attempt, plan.Depends, plan.WillRun}, d) * -1
}

// why is a reason, and the hosts that have it.
type why struct {
	Text  string
	Hosts []string
}

// The signs that stand for the name of the host of the play, and for that of another host that does it.
const (
	ownSign = "‹host›"
	onSign  = "‹on›"
)

// weakens tells whether the step makes something less secure.
func (s step) weakens() bool { return slices.Contains(s.Effects, engine.EffectWeakens) }

// signed tells whether signs stand for the names of hosts in it.
func (s step) signed() bool {
	return len(s.Where) > 1 && slices.ContainsFunc(fields(&s.Item), func(f *string) bool {
		return strings.Contains(*f, ownSign) || strings.Contains(*f, onSign)
	}) && !s.plain
}
