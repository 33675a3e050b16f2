package run_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// expr is a condition written in Go over the results of one host.
type expr struct {
	text string
	f    func(results map[string]engine.Result) cty.Value
}

func (e expr) Range() engine.Range { return engine.Range{File: "t.hcl", Line: 1, Col: 1} }
func (e expr) Text() string        { return e.text }

// isTrue reads a boolean attribute of an entry's result; unknown and null stay what they are.
func isTrue(entry, attr string) expr {
	return expr{entry + "." + attr, func(r map[string]engine.Result) cty.Value {
		v := r[entry].Value
		if !v.IsKnown() || v.IsNull() {
			return cty.UnknownVal(cty.Bool)
		}
		return v.GetAttr(attr)
	}}
}

// program is a playbook whose expressions are Go functions.
type program struct {
	items    []engine.Item
	targets  map[string]engine.Target
	args     func(e *engine.Entry, host string) any
	settings func(e *engine.Entry, host string) engine.Settings
	ended    map[string][]engine.Outcome
	// unknown names the arguments of an entry that are not known; they are at their zero values in its module.
	unknown func(e *engine.Entry) []string
	shown   []engine.Arg // further arguments, the same for all
	// looks changes what the probe of a name sees; nil: nothing.
	looks func(entry string, s seen) seen
	// evalFails is the error of conditions that read "result".
	evalFails error
	each      map[string][]string // of for_each, by the entry's name; nil: unknown
}

func (p *program) Playbook() *engine.Playbook                    { return &engine.Playbook{Path: "t.hcl", Items: p.items} }
func (p *program) Pass(*engine.Inventory, cty.Value) engine.Pass { return p }
func (p *program) Locals(*engine.Locals) error                   { return nil }
func (p *program) Check(*engine.Check) (engine.Judged, error)    { return engine.Judged{OK: true}, nil }
func (p *program) Play(x *engine.Play) (engine.Target, error)    { return p.targets[x.Name], nil }
func (p *program) Begin(*engine.Play) engine.PlayScope           { return p }
func (p *program) End(x *engine.Play, outcomes []engine.Outcome) {
	if p.ended == nil {
		p.ended = map[string][]engine.Outcome{}
	}
	p.ended[x.Name] = outcomes
}

func (p *program) Host(name string) engine.HostScope {
	return &scope{p, name, map[string]engine.Result{}, ""}
}

type scope struct {
	p       *program
	host    string
	results map[string]engine.Result
	key     string // of an item
}

func (s *scope) Eval(e engine.Expr, extra cty.Value) (engine.Evaluated, error) {
	results := s.results
	if extra != cty.NilVal {
		if s.p.evalFails != nil {
			return engine.Evaluated{}, s.p.evalFails
		}
		results = map[string]engine.Result{"result": {Value: extra}}
	}
	v := e.(expr).f(results)
	out := engine.Evaluated{Value: v, Why: e.Text()}
	if !v.IsKnown() {
		out.Waits = []string{"something"}
	}
	return out, nil
}

func (s *scope) Judge(*engine.Check) (engine.Judged, error) { return engine.Judged{OK: true}, nil }

func (s *scope) Args(e *engine.Entry) (engine.Args, error) {
	m := s.p.args(e, s.host)
	a := engine.Args{Module: m, Shown: []engine.Arg{{Name: "m", Value: strings.TrimPrefix(fmt.Sprintf("%T", m), "*run_test.")}}}
	a.Shown = append(a.Shown, s.p.shown...)
	if s.p.unknown != nil {
		a.Unknown = s.p.unknown(e)
		a.Waits = a.Unknown
	}
	return a, nil
}

func (s *scope) Settings(e *engine.Entry) (engine.Settings, error) {
	if s.key != "" {
		return engine.Settings{On: s.key}, nil
	}
	if s.p.settings != nil {
		return s.p.settings(e, s.host), nil
	}
	return engine.Settings{On: s.host}, nil
}

func (s *scope) Goal(*engine.Entry) (engine.Polling, error) {
	return engine.Polling{Within: 60 * time.Millisecond, Every: 10 * time.Millisecond}, nil
}

func (s *scope) Set(e *engine.Entry, r engine.Result) { s.results[string(e.Kind)+"."+e.Name] = r }

// lookAt is a probe.
type lookAt struct {
	w    *world
	name string
	p    *program
}

func (m *lookAt) Probe(_ context.Context, h engine.Reader) (any, error) {
	s, err := m.w.look(h.Name())
	if m.p.looks != nil {
		s = m.p.looks(m.name, s)
	}
	return s, err
}

func (s *scope) Enter(*engine.Entry) error { return nil }

func (s *scope) Leave(*engine.Entry) error { return nil }

// Each gives the items that the test names, as hosts of their own: the fake modules look at what is called so.
func (s *scope) Each(e *engine.Entry) ([]engine.Each, []string, error) {
	if s.p.each == nil {
		return nil, []string{"p/step.before"}, nil
	}
	var out []engine.Each
	for _, key := range s.p.each[e.Name] {
		out = append(out, engine.Each{Key: key, Scope: &scope{s.p, s.host, s.results, key}})
	}
	return out, nil, nil
}

// world is what the fake modules look at and change.
type world struct {
	mu    sync.Mutex
	on    map[string]bool        // host → it is well
	asOf  map[string]time.Time   // what a look says of its own age
	done  []string               // every change, in order
	times map[string][]time.Time // what@host → when
	// heals says whether a change makes the host well; nil: always.
	heals func(what, host string) bool
	fails map[string]error // what → the error of its Apply
	dead  map[string]bool  // hosts that do not answer
}

func (w *world) look(host string) (seen, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead[host] {
		return seen{}, &engine.Error{Kind: engine.KindRefused, Host: host, Op: "connect", Unreachable: true}
	}
	s := seen{On: w.on[host]}
	if t, ok := w.asOf[host]; ok {
		text := t.Format(time.RFC3339Nano)
		s.AsOf = &text
	}
	return s, nil
}

func (w *world) change(what, host string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fails[what]; err != nil {
		return err
	}
	w.done = append(w.done, what+"@"+host)
	if w.times == nil {
		w.times = map[string][]time.Time{}
	}
	w.times[what+"@"+host] = append(w.times[what+"@"+host], time.Now())
	if w.heals == nil || w.heals(what, host) {
		w.on[host] = true
	}
	return nil
}

func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := slices.Clone(w.done)
	slices.Sort(done)
	return strings.Join(done, " ")
}

type seen struct {
	On   bool    `hcl:"on" doc:"it is well"`
	AsOf *string `hcl:"as_of" doc:"age of the answer"`
}

// turnOn is a step with an end state: it can be compared.
type turnOn struct {
	w    *world
	what string
}

func (m *turnOn) Check(_ context.Context, h engine.Reader) (engine.Diff, error) {
	s, err := m.w.look(h.Name())
	if err != nil || s.On {
		return engine.Diff{Note: "it is on"}, err
	}
	return engine.Diff{Changes: []engine.Change{{What: "state", Before: "off", After: "on"}}, Commands: []string{m.what + " " + h.Name()}}, nil
}

func (m *turnOn) Apply(_ context.Context, h engine.Machine, _ engine.Diff) (any, error) {
	return seen{On: true}, m.w.change(m.what, h.Name())
}

func (m *turnOn) Effects() []engine.Effect { return []engine.Effect{engine.EffectPower} }

// kick is an act: done whatever the state, and proven.
type kick struct {
	w      *world
	what   string
	proven bool
}

func (m *kick) Check(_ context.Context, h engine.Reader) (engine.Diff, error) {
	if _, err := m.w.look(h.Name()); err != nil {
		return engine.Diff{}, err
	}
	return engine.Diff{Act: m.what, Commands: []string{m.what}}, nil
}

func (m *kick) Apply(_ context.Context, h engine.Machine, _ engine.Diff) (any, error) {
	m.proven = true
	return seen{}, m.w.change(m.what, h.Name())
}

func (m *kick) Prove(context.Context, engine.Reader, time.Time) error {
	if !m.proven {
		return &engine.Error{Kind: engine.KindCheck, Msg: "it did not happen"}
	}
	return nil
}

// recorder keeps events; it can fail.
type recorder struct {
	mu     sync.Mutex
	events []engine.Event
	refuse engine.EventKind
}

func (r *recorder) Append(e engine.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind == r.refuse {
		return fmt.Errorf("disk full")
	}
	r.events = append(r.events, e)
	return nil
}
