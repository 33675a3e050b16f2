package lang_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/zclconf/go-cty/cty"
)

// results are what modules of the tests give on their n-th call.
func results(t *testing.T, module string, n int) engine.Result {
	pid := n
	odd := n%2 == 1
	all := map[string]any{
		"vm":           vmResult{Found: true, Awake: odd, Power: "poweredOn", ESXi: "esx1"},
		"ds_computer":  dsComputerResult{Agentless: true, State: "offline"},
		"ds_computers": dsComputersResult{Online: []string{"x"}},
		"service":      serviceResult{Exists: true, Running: odd, PID: &pid},
		"vmware_tools": vmwareToolsResult{Installed: odd, FileIntrospection: true},
		"login":        loginResult{Token: engine.Plain("t"), Tags: map[string]string{"x": "y", "a": "b"}, Disks: []disk{{"/", n}, {"/var", 1}}},
		"esxi_mux":     struct{}{}, "reboot": struct{}{},
	}
	status := engine.StatusOK
	if odd {
		status = engine.StatusChanged
	}
	return did(t, status, all[module])
}

// whole runs a whole playbook: every expression is evaluated. What fails is given to report.
type whole struct {
	*runner
	calls  int
	plan   bool                                // no step has run: their results are unknown
	result func(e *engine.Entry) engine.Result // nil: results
	report func(place string, err error)
}

func (w *whole) run(missing string) {
	for _, item := range w.program.Playbook().Items {
		switch {
		case item.Locals != nil:
			w.note("locals", w.pass.Locals(item.Locals))
		case item.Check != nil:
			_, err := w.pass.Check(item.Check)
			w.note(item.Check.Name, err)
		default:
			w.play(item.Play, missing)
		}
	}
}

func (w *whole) note(place string, err error) {
	if err != nil {
		w.report(place, err)
	}
}

func (w *whole) play(p *engine.Play, missing string) {
	target, err := w.pass.Play(p)
	w.note(p.Name, err)
	scope := w.pass.Begin(p)
	var outcomes []engine.Outcome
	for _, name := range target.Hosts {
		if name == missing {
			outcomes = append(outcomes, engine.Outcome{Host: name, Status: engine.HostUnreachable, Err: errors.New("no answer")})
			continue
		}
		w.entries(scope.Host(name), p.Entries)
		outcomes = append(outcomes, ok(name)...)
	}
	w.pass.End(p, outcomes)
}

func (w *whole) entries(h engine.HostScope, entries []*engine.Entry) {
	for _, e := range entries {
		if e.When != nil && !e.WhenEach {
			v, err := h.Eval(e.When, cty.NilVal)
			w.note(e.Address+" when", err)
			if err != nil || !v.True() {
				if e.Module != nil {
					h.Set(e, skipped(e))
				}
				continue
			}
		}
		switch e.Kind {
		case engine.EntryCheck:
			_, err := h.Judge(e.Check)
			w.note(e.Address, err)
		case engine.EntryInclude:
			w.note(e.Address, h.Enter(e))
			w.entries(h, e.Include.Entries)
			w.note(e.Address, h.Leave(e))
		case engine.EntryBlock:
			w.entries(h, e.Block.Entries)
			h.Set(e, engine.Result{Status: engine.StatusFailed, Err: errors.New("it failed")})
			w.entries(h, e.Block.Rescue)
			w.entries(h, e.Block.Finally)
		case engine.EntryRecover:
			w.recover(h, e)
		default:
			w.module(h, e)
		}
	}
}

func (w *whole) module(h engine.HostScope, e *engine.Entry) {
	if e.ForEach == nil {
		w.single(h, e)
		return
	}
	items, _, err := h.Each(e)
	w.note(e.Address+" for_each", err)
	for _, item := range items {
		if e.WhenEach {
			v, err := item.Scope.Eval(e.When, cty.NilVal)
			w.note(e.Address+" when", err)
			if err != nil || !v.True() {
				item.Scope.Set(e, skipped(e))
				continue
			}
		}
		w.single(item.Scope, e)
	}
}

func (w *whole) single(h engine.HostScope, e *engine.Entry) {
	_, err := h.Args(e)
	w.note(e.Address+" args", err)
	_, err = h.Settings(e)
	w.note(e.Address+" settings", err)
	w.calls++
	r := engine.Result{}
	if w.result != nil {
		r = w.result(e)
	} else {
		r = results(w.t, e.Module.Name, w.calls)
	}
	for _, x := range []engine.Expr{e.Until, e.FailedWhen, e.ChangedWhen} {
		if x != nil {
			_, err := h.Eval(x, r.Value)
			w.note(e.Address+" "+x.Text(), err)
		}
	}
	if w.plan && e.Kind == engine.EntryStep {
		r = planned(e)
	}
	h.Set(e, r)
}

func (w *whole) recover(h engine.HostScope, e *engine.Entry) {
	_, err := h.Goal(e)
	w.note(e.Address+" goal", err)
	w.entries(h, e.Recover.Goal)
	_, err = h.Eval(e.Recover.Condition, cty.NilVal)
	w.note(e.Address+" condition", err)
	for _, a := range e.Recover.Attempts {
		if a.When != nil {
			_, err := h.Eval(a.When, cty.NilVal)
			w.note(e.Address+"/"+a.Name, err)
		}
		w.entries(h, a.Entries)
	}
}

// TestAcceptedIsSound: what the loader accepts has, when it runs, the types that it inferred, with and without a host
// that is missing; and no attribute is unsupported.
func TestAcceptedIsSound(t *testing.T) {
	t.Setenv("NOBODY_SETS_THIS", "but this test")
	for _, name := range files(t, "testdata/good/*.hcl") {
		for _, missing := range []string{"", "vm1", "no inventory"} {
			t.Run(filepath.Base(name)+missing, func(t *testing.T) {
				o := options()
				if missing == "no inventory" { // while loading
					o.Inventory = nil
				}
				w := &whole{runner: begin(t, name, o)}
				w.report = func(place string, err error) {
					if strings.Contains(err.Error(), "Unsupported") || engine.KindOf(err) != engine.KindEval {
						t.Errorf("%s: %v", place, err)
					} else {
						t.Logf("%s: %v", place, err)
					}
				}
				w.run(missing)
				for _, types := range []map[string][2]cty.Type{lang.LocalTypes(w.pass), lang.PlayTypes(w.pass)} {
					for what, ty := range types {
						if !ty[0].HasDynamicTypes() && !ty[0].Equals(ty[1]) {
							t.Errorf("%s is %#v, inferred %#v", what, ty[1], ty[0])
						}
					}
				}
			})
		}
	}
}
