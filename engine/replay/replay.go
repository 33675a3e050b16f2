package replay

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// Into tells a pass what is recorded of one of the run's passes, from the first item of the playbook to the last; with a nil
// record it tells nothing, so that every play is unknown. gaps say of plays of which nothing is known why that is so; the errors
// are those of locals that could not be evaluated.
func (r *Record) Into(to engine.Pass, b *engine.Playbook, pass string) (gaps map[string]string, errs []error) {
	gaps = map[string]string{}
	for _, item := range b.Items {
		switch {
		case item.Locals != nil:
			if err := to.Locals(item.Locals); err != nil {
				errs = append(errs, err)
			}
		case item.Play != nil:
			if gap := r.into(to, item.Play, pass); gap != "" {
				gaps[item.Play.Name] = gap
			}
		}
	}
	return gaps, errs
}

// into tells what is recorded of a play, and gives the reason when it leaves nothing.
func (r *Record) into(to engine.Pass, p *engine.Play, pass string) string {
	if r == nil {
		return "there is no record of a run (--record FILE)"
	}
	was := r.passes[pass][p.Name]
	if was == nil {
		return "it was not begun in this run"
	}
	scope := to.Begin(p)
	var outcomes []engine.Outcome
	var waits []string
	for _, name := range slices.Sorted(maps.Keys(was.hosts)) {
		h := was.hosts[name]
		o := h.outcome(name)
		x := telling{host: h, whole: o.Status == engine.HostOK && !o.Pending, pending: map[string]bool{}}
		if h.end != nil {
			for _, address := range h.end.Waits {
				x.pending[address] = true
			}
			waits = append(waits, h.end.Waits...)
		}
		x.entries(scope.Host(name), p.Entries)
		outcomes = append(outcomes, o)
	}
	if !was.ended {
		return "it did not end in this run"
	}
	if len(was.waits) > 0 {
		return fmt.Sprintf("its hosts wait for %s, which was not executed", strings.Join(was.waits, ", "))
	}
	to.End(p, outcomes)
	slices.Sort(waits)
	if waits = slices.Compact(waits); len(waits) > 0 {
		return fmt.Sprintf("it was planned, and not executed: %s", strings.Join(waits, ", "))
	}
	return ""
}

// outcome is how a host left the play; one that did not has none, which its play, that did not end either, never asks for.
func (h *host) outcome(name string) engine.Outcome {
	if h.end == nil {
		return engine.Outcome{Host: name}
	}
	return engine.Outcome{Host: name, Status: engine.HostStatus(h.end.Status), Err: asError(h.end.Error), Pending: len(h.end.Waits) > 0}
}

func asError(e *engine.EventError) error {
	if e == nil {
		return nil
	}
	return &engine.Error{Kind: e.Kind, Host: e.Host, Msg: e.Text, Hint: e.Hint, Unreachable: e.Unreachable}
}

// telling is one host of a play whose results are told to a scope.
type telling struct {
	*host
	whole   bool            // the host went to the end of the play: what is not recorded was skipped
	pending map[string]bool // entries that were planned, and not executed
}

func (t telling) entries(scope engine.HostScope, list []*engine.Entry) {
	for _, e := range list {
		t.entry(scope, e)
	}
}

func (t telling) entry(scope engine.HostScope, e *engine.Entry) {
	switch {
	case e.Recover != nil:
		t.entries(scope, e.Recover.Goal)
		for _, a := range e.Recover.Attempts {
			t.entries(scope, a.Entries)
		}
	case e.Block != nil:
		t.entries(scope, e.Block.Entries)
		t.block(scope, e)
		t.entries(scope, e.Block.Rescue)
		t.entries(scope, e.Block.Finally)
	case e.Include != nil:
		t.include(scope, e)
	case e.Module != nil:
		t.module(scope, e)
	}
}

// module tells the result of a probe or a step, or of its items.
func (t telling) module(scope engine.HostScope, e *engine.Entry) {
	results := t.host.entries[e.Address]
	end, ended := results[""]
	switch {
	case e.ForEach != nil && !ended && (len(results) > 0 || t.pending[e.Address]):
		t.items(scope, e, results)
	case t.pending[e.Address]:
		scope.Set(e, engine.Result{Value: unknown(e)})
	case ended:
		scope.Set(e, resultOf(e, end))
	case t.whole:
		scope.Set(e, engine.Result{Status: engine.StatusSkipped, Value: null(e)})
	}
}

// items tells the results of a for_each. One that is not recorded was planned.
func (t telling) items(scope engine.HostScope, e *engine.Entry, results map[string]engine.Event) {
	items, _, err := scope.Each(e)
	if err != nil { // what it names is not recorded: neither is this
		return
	}
	for _, item := range items {
		if end, ok := results[item.Key]; ok {
			item.Scope.Set(e, resultOf(e, end))
		} else {
			item.Scope.Set(e, engine.Result{Value: unknown(e)})
		}
	}
}

// block tells whether a block failed. One that failed and was not rescued ended its host and has no end of its own.
func (t telling) block(scope engine.HostScope, e *engine.Entry) {
	end, ended := t.host.entries[e.Address][""]
	switch {
	case ended && end.Error != nil:
		scope.Set(e, engine.Result{Status: engine.StatusFailed, Err: asError(end.Error)})
	case ended:
		scope.Set(e, engine.Result{Status: engine.Status(end.Status)})
	case t.whole:
		scope.Set(e, engine.Result{Status: engine.StatusSkipped})
	}
}

// include tells what an included file left: its outputs are evaluated again from what is recorded in it.
func (t telling) include(scope engine.HostScope, e *engine.Entry) {
	end, ended := t.host.entries[e.Address][""]
	switch {
	case ended: // only one that was skipped, or failed, has an end
		scope.Set(e, engine.Result{Status: engine.Status(end.Status), Err: asError(end.Error)})
		return
	case !t.reached(e.Include.Entries):
		if t.whole {
			scope.Set(e, engine.Result{Status: engine.StatusSkipped})
		}
		return
	}
	if err := scope.Enter(e); err != nil { // what its inputs name is not recorded
		return
	}
	t.entries(scope, e.Include.Entries)
	_ = scope.Leave(e) // outputs that cannot be evaluated stay unknown
}

// reached tells whether anything is recorded of entries.
func (t telling) reached(entries []*engine.Entry) bool {
	for e := range engine.Walk(entries) {
		if t.pending[e.Address] || len(t.host.entries[e.Address]) > 0 {
			return true
		}
	}
	return false
}
