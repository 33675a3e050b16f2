// Package plan knows forecasts: what every entry of a playbook will do on every host, the worst case in numbers,
// and the envelope that a run must not leave.
package plan

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Disposition is what a plan says of one entry on one host.
type Disposition string

// The dispositions. Only WillRun, Attempt, RescueOnly and Depends are in the envelope: they may change something.
const (
	Probed      Disposition = "probed"
	WillRun     Disposition = "will_run"
	NoOp        Disposition = "no_op"
	Skipped     Disposition = "skipped"
	Depends     Disposition = "depends"     // on entries that have not run
	Attempt     Disposition = "attempt"     // only if the goal does not hold by then
	RescueOnly  Disposition = "rescue_only" // only if the block fails
	Unreachable Disposition = "unreachable"
	Error       Disposition = "error"
)

// Item is the forecast of one entry on one host of a play.
type Item struct {
	Play        string             `json:"play"`
	Host        string             `json:"host,omitempty"` // empty: the hosts of the play are not known yet
	On          string             `json:"on,omitempty"`   // the host that does it
	Entry       string             `json:"entry"`          // address
	Item        string             `json:"item,omitempty"` // key of a for_each; empty: it has none
	Kind        engine.EntryKind   `json:"kind"`
	Module      string             `json:"module,omitempty"`
	Title       string             `json:"title,omitempty"`
	Impact      string             `json:"impact,omitempty"` // what its author says is lost meanwhile
	Place       string             `json:"place"`            // file:line:col
	Disposition Disposition        `json:"disposition"`
	Reason      string             `json:"reason,omitempty"` // expressions and the values in them
	Waits       []string           `json:"waits,omitempty"`
	Args        []engine.Arg       `json:"args,omitempty"`
	Unknown     []string           `json:"unknown,omitempty"` // arguments that are not known yet
	Diff        engine.Diff        `json:"diff,omitzero"`
	Effects     []engine.Effect    `json:"effects,omitempty"`
	Values      string             `json:"values,omitempty"` // JSON of what a probe saw
	Error       *engine.EventError `json:"error,omitempty"`
}

// Acts tells whether the item may change something.
func (i Item) Acts() bool {
	return i.Kind == engine.EntryStep && slices.Contains([]Disposition{WillRun, Attempt, RescueOnly, Depends}, i.Disposition)
}

// Redacted is the item with every text from outside passed through hide.
func (i Item) Redacted(hide func(string) string) Item {
	i.Reason, i.Values = hide(i.Reason), hide(i.Values)
	i.Args = slices.Clone(i.Args)
	for n := range i.Args {
		i.Args[n].Value = hide(i.Args[n].Value)
	}
	i.Diff.Changes = slices.Clone(i.Diff.Changes)
	for n, c := range i.Diff.Changes {
		i.Diff.Changes[n] = engine.Change{What: hide(c.What), Before: hide(c.Before), After: hide(c.After)}
	}
	i.Diff.Commands = slices.Clone(i.Diff.Commands)
	for n := range i.Diff.Commands {
		i.Diff.Commands[n] = hide(i.Diff.Commands[n])
	}
	i.Diff.Act, i.Diff.Note = hide(i.Diff.Act), hide(i.Diff.Note)
	if i.Error != nil {
		e := *i.Error
		e.Text, e.Hint = hide(e.Text), hide(e.Hint)
		i.Error = &e
	}
	return i
}

type key struct{ play, host, entry, item string }

// Plan is a forecast while it is made, and the envelope while it is applied. Its methods may be used by several goroutines.
type Plan struct {
	Playbook *engine.Playbook
	Made     time.Time

	mu         sync.Mutex
	items      map[key]Item
	order      map[string]int // entry → its place in the playbook
	identities map[string]string
	plays      []Play
	checks     []Check
	stop       *Stop
	looked     map[string]map[string]int // host → line → times
}

// New begins an empty plan.
func New(p *engine.Playbook, now time.Time) *Plan {
	plan := &Plan{Playbook: p, Made: now, items: map[key]Item{}, order: map[string]int{}, identities: map[string]string{},
		looked: map[string]map[string]int{}}
	for _, item := range p.Items {
		if item.Play != nil {
			for e := range engine.Walk(item.Play.Entries) {
				plan.order[e.Address] = len(plan.order)
			}
		}
	}
	return plan
}

// Target records for whom a play was planned.
func (p *Plan) Target(play Play) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plays = append(p.plays, play)
}

// Play is what was recorded for a play.
func (p *Plan) Play(name string) (Play, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.plays, func(x Play) bool { return x.Name == name })
	if i < 0 {
		return Play{}, false
	}
	return p.plays[i], true
}

// Judge records what a check said.
func (p *Plan) Judge(c Check) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks = append(p.checks, c)
}

// End records why planning ended early; nil: it did not.
func (p *Plan) End(s *Stop) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop = s
}

// Look records a command line or a request that planning sent to a host.
func (p *Plan) Look(host, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.looked[host] == nil {
		p.looked[host] = map[string]int{}
	}
	p.looked[host][line]++
}

// Add records a forecast; a later one for the same entry and host replaces it.
func (p *Plan) Add(i Item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.items[key{i.Play, i.Host, i.Entry, i.Item}] = i
}

// Cannot makes everything that would be done on a host impossible, because it does not answer.
func (p *Plan) Cannot(on string, err *engine.EventError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, i := range p.items {
		if i.On == on && i.Acts() {
			i.Disposition, i.Error, i.Reason = Unreachable, err, err.Text
			p.items[k] = i
		}
	}
}

// Identify records what a host proved to be.
func (p *Plan) Identify(host, identity string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.identities[host] = identity
}

// Identities returns host → identity of every host that was contacted.
func (p *Plan) Identities() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.identities)
}

// Items returns all forecasts in the order of the playbook, then by host and item.
func (p *Plan) Items() []Item { return p.pick(func(Item) bool { return true }) }

// pick returns some of the forecasts, in order: sorting all of them costs more than the little that mostly is wanted.
func (p *Plan) pick(wanted func(Item) bool) []Item {
	p.mu.Lock()
	defer p.mu.Unlock()
	var items []Item
	for _, i := range p.items {
		if wanted(i) {
			items = append(items, i)
		}
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(p.order[a.Entry], p.order[b.Entry]), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Item, b.Item))
	})
	return items
}

// Find returns the forecast of an entry on a host of a play.
func (p *Plan) Find(play, host, entry string) (Item, bool) {
	return p.FindItem(play, host, entry, "")
}

// FindItem is Find for one item of a for_each.
func (p *Plan) FindItem(play, host, entry, item string) (Item, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.items[key{play, host, entry, item}]
	return i, ok
}

// Acting returns the items that may change something, in order.
func (p *Plan) Acting() []Item {
	return p.pick(Item.Acts)
}
