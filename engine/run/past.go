package run

import (
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Past is what an interrupted run left, collected from its events in their order. With Options.Past, Apply goes on with it: a
// host that had begun keeps what has a result; one that had not is looked at anew.
type Past struct {
	// Doubt says why the times of the events are no measure for the age of a process; empty: they are one.
	Doubt string

	hosts map[stand]*pastHost
	last  time.Time
}

type stand struct{ play, host string }

// at is an entry, or one item of it, on a host of a play.
type at struct{ entry, item string }

// pastHost is what is recorded of a host in a play. A nil one says nothing.
type pastHost struct {
	ends     map[at]engine.Event // results
	open     map[at]engine.Event // intents that have none
	intents  map[at]engine.Event // the last of each
	tries    map[at]int          // executions after which retry began another one
	skips    map[at]bool
	checks   map[string]bool
	attempts map[string][]string // recover → attempts that were begun
	spared   map[at]bool         // attempts that were skipped; item is the name
	end      *engine.Event
	last     time.Time // of what was done last
	killed   at        // the result that only says that it was killed; nothing followed
	tail     at        // a failure that changed nothing; nothing followed
}

// NewPast is the past of a run of which nothing is known.
func NewPast() *Past { return &Past{hosts: map[stand]*pastHost{}} }

// Add takes one event. Those of planning count for nothing: a run that is gone on with looks anew.
func (p *Past) Add(e engine.Event) {
	if e.Time.After(p.last) {
		p.last = e.Time
	}
	if e.Pass != "apply" || e.Host == "" || e.Play == "" {
		return
	}
	h := p.hosts[stand{e.Play, e.Host}]
	if h == nil {
		h = &pastHost{ends: map[at]engine.Event{}, open: map[at]engine.Event{}, intents: map[at]engine.Event{}, tries: map[at]int{},
			skips: map[at]bool{}, checks: map[string]bool{}, attempts: map[string][]string{}, spared: map[at]bool{}}
		p.hosts[stand{e.Play, e.Host}] = h
	}
	h.add(e)
}

func (h *pastHost) add(e engine.Event) {
	k := at{e.Entry, e.Item}
	switch e.Kind { //nolint:exhaustive // the others leave nothing
	case engine.EventEntryStart, engine.EventGoal:
		h.killed, h.tail = at{}, at{}
	case engine.EventIntent:
		h.killed, h.tail, h.last = at{}, at{}, e.Time
		h.open[k], h.intents[k] = e, e
		delete(h.ends, k)
	case engine.EventEntryEnd:
		h.ended(k, e)
	case engine.EventRetry:
		h.tries[k] = e.Attempt
		delete(h.open, k)
		delete(h.ends, k)
	case engine.EventAttempt:
		h.attempt(e)
	case engine.EventCheck:
		h.checks[e.Entry] = true
	case engine.EventHostEnd:
		h.end = &e
		if k := h.killed; k != (at{}) && e.Status == string(engine.HostAborted) {
			h.open[k] = h.intents[k]
			delete(h.ends, k)
		}
	}
}

func (h *pastHost) ended(k at, e engine.Event) {
	if e.Status == string(engine.StatusSkipped) {
		h.skips[k] = true
		return
	}
	_, acted := h.open[k]
	delete(h.open, k)
	h.ends[k] = e
	switch {
	case e.Status != string(engine.StatusFailed) || e.Module == "":
	case !acted:
		h.tail = k
	case e.Error != nil && e.Error.Kind == engine.KindLost:
		h.killed = k
	}
	if acted {
		h.last = e.Time
	}
}

func (h *pastHost) attempt(e engine.Event) {
	if e.Status == string(engine.StatusSkipped) {
		h.spared[at{e.Entry, e.Title}] = true
		return
	}
	h.killed, h.tail = at{}, at{}
	if !slices.Contains(h.attempts[e.Entry], e.Title) {
		h.attempts[e.Entry] = append(h.attempts[e.Entry], e.Title)
	}
}

// Begun tells whether something was begun on a host of a play, or whether it has ended there: then it is gone on with as it
// was, and what is different today is no drift.
func (p *Past) Begun(play, host string) bool { return p.of(play, host) != nil }

// Acted tells whether anything was begun at all.
func (p *Past) Acted() bool {
	for _, h := range p.hosts {
		if len(h.intents) > 0 {
			return true
		}
	}
	return false
}

// Open are the changes that were begun and have no result.
func (p *Past) Open() []engine.Event {
	var out []engine.Event
	for _, h := range p.hosts {
		for _, e := range h.open {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b engine.Event) int { return a.Seq - b.Seq })
	return out
}

// Kept counts the results that are not asked for again.
func (p *Past) Kept() int {
	n := 0
	for s, h := range p.hosts {
		if p.Begun(s.play, s.host) {
			n += len(h.ends)
		}
	}
	return n
}

// of is what counts of a host of a play; nil: it begins anew. While nothing was changed anywhere, nothing counts.
func (p *Past) of(play, host string) *pastHost {
	if p == nil || !p.Acted() {
		return nil
	}
	h := p.hosts[stand{play, host}]
	if h == nil || len(h.intents) == 0 && !h.over() {
		return nil
	}
	return h
}

// over tells whether the host has left the play, other than by being stopped.
func (h *pastHost) over() bool {
	return h != nil && h.end != nil && h.end.Status != string(engine.HostAborted) && h.end.Status != string(engine.HostNotAttempted)
}

// outcome is how a host that is over left the play.
func (h *pastHost) outcome(host string) engine.Outcome {
	return engine.Outcome{Host: host, Status: engine.HostStatus(h.end.Status), Err: remembered(h.end.Error)}
}

// remembered is an error as it was recorded.
func remembered(e *engine.EventError) error {
	if e == nil {
		return nil
	}
	return &engine.Error{Kind: e.Kind, Host: e.Host, Msg: e.Text, Hint: e.Hint, Unreachable: e.Unreachable}
}

// result is what an entry left. A failure that changed nothing, and that nothing followed, is looked at again; so is a probe
// whose answer held a secret, which is not recorded. What a step gave is unknown then.
func (h *pastHost) result(k at, kind engine.EntryKind, t cty.Type) (engine.Result, bool) {
	e, ok := h.ends[k]
	secret := strings.Contains(e.Values, "«secret: ")
	if !ok || k == h.tail && !h.over() || secret && kind == engine.EntryProbe {
		return engine.Result{}, false
	}
	r := engine.Result{Status: engine.Status(e.Status), Value: cty.NullVal(t), Err: remembered(e.Error)}
	switch {
	case secret:
		r.Value = cty.UnknownVal(t)
	case e.Values != "":
		v, err := ctyjson.Unmarshal([]byte(e.Values), t)
		if err != nil { // another version of the module
			v = cty.UnknownVal(t)
		}
		r.Value = v
	}
	return r, true
}

// touched tells whether one of these entries was begun.
func (h *pastHost) touched(entries []*engine.Entry) bool {
	if h == nil {
		return false
	}
	for e := range engine.Walk(entries) {
		for k := range h.ends {
			if k.entry == e.Address {
				return true
			}
		}
		for k := range h.open {
			if k.entry == e.Address {
				return true
			}
		}
	}
	return false
}

// told tells whether an event stands in the record already, so that it is not told twice.
func (h *pastHost) told(e engine.Event) bool {
	if h == nil {
		return false
	}
	k := at{e.Entry, e.Item}
	switch {
	case e.Kind == engine.EventCheck:
		return h.checks[e.Entry]
	case e.Kind == engine.EventAttempt && e.Status == string(engine.StatusSkipped):
		return h.spared[at{e.Entry, e.Title}]
	case e.Kind == engine.EventAttempt:
		return slices.Contains(h.attempts[e.Entry], e.Title)
	case e.Kind == engine.EventEntryEnd && e.Status == string(engine.StatusSkipped):
		return h.skips[k]
	case e.Kind == engine.EventEntryEnd:
		return h.over() || e.Module == "" && h.ends[k].Status == e.Status
	}
	return h.over() && e.Kind != engine.EventHostEnd
}
