package scenario

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// World is a scenario while it is played: its state, and the mocks that answer from it. It is used by one goroutine at a time.
type World struct {
	test    *Test
	now     func() time.Time
	hosts   cty.Value // every host by name
	state   map[string]cty.Value
	pending []pending
	used    map[*Mock]bool
	memo    map[string]cty.Value // of locals that are the same for every call, until the state changes
}

// pending is what a step changes, once its time has come.
type pending struct {
	due  time.Time
	mock *Mock
	call Call
}

// Call is an entry that is executed.
type Call struct {
	Entry    string    // its name
	Item     string    // key of for_each; "": it has none
	Self, On string    // the host, and the host that does it
	Args     cty.Value // of the module, decoded
}

// World begins the test among the hosts of an inventory. now tells the simulated time.
func (t *Test) World(inv *engine.Inventory, now func() time.Time) (*World, engine.Problems) {
	w := &World{test: t, now: now, hosts: hostValues(inv), state: map[string]cty.Value{}, used: map[*Mock]bool{}, memo: map[string]cty.Value{}}
	for _, l := range []level{t.file.shared, t.own} {
		if l.stateExpr == nil {
			continue
		}
		v, err := w.eval(l.stateExpr, map[string]cty.Value{"host": w.hosts})
		if err != nil {
			return nil, err
		}
		maps.Copy(w.state, v.AsValueMap())
	}
	return w, nil
}

// Mocks are those that may answer for e, or for the item of it with this key, the first one first: the test's before the
// file's, and the one that names it most closely before the others.
func (w *World) Mocks(e *engine.Entry, key string) []*Mock {
	var out []*Mock
	for _, level := range [][]*Mock{w.test.own.mocks, w.test.file.shared.mocks} {
		for _, closely := range []int{item, entry, general} {
			for _, m := range level {
				if m.fits(e, key) == closely {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// Used tells whether a mock was asked.
func (w *World) Used(m *Mock) bool { return w.used[m] }

// Result is what a probe sees, or a step leaves; NilVal: nothing is said.
func (w *World) Result(m *Mock, c Call) (cty.Value, error) {
	v, err := w.ask(m, "result", c)
	if err != nil || v == cty.NilVal || v.IsNull() {
		return cty.NilVal, err
	}
	v, misfit := m.promise.keep(v)
	if misfit != nil {
		return cty.NilVal, w.problem(m.attrs["result"].Expr.Range(), "It does not fit", fmt.Sprintf("On %s: %s.", c.Self, misfit))
	}
	return v, nil
}

// Failure is the error with which the entry fails, or nil.
func (w *World) Failure(m *Mock, c Call) (failure *engine.Error, err error) {
	v, err := w.ask(m, "error", c)
	if err != nil || v == cty.NilVal {
		return nil, err
	}
	failure, misfit := errorOf(v, c.On)
	if misfit != nil {
		return nil, w.problem(m.attrs["error"].Expr.Range(), "It does not fit", misfit.Error()+".")
	}
	return failure, nil
}

// Status is how a step would end now.
func (w *World) Status(m *Mock, c Call) (engine.Status, error) {
	v, err := w.ask(m, "status", c)
	if err != nil || v == cty.NilVal {
		return engine.StatusChanged, err
	}
	status, misfit := statusOf(v)
	if misfit != nil {
		return "", w.problem(m.attrs["status"].Expr.Range(), "It does not fit", misfit.Error()+".")
	}
	return status, nil
}

// Done says that a step was executed: what it sets holds from now on, or from the time that it says.
func (w *World) Done(m *Mock, c Call) error {
	if m.attrs["set"] == nil {
		return nil
	}
	after, err := w.ask(m, "after", c)
	if err != nil {
		return err
	}
	due := w.now()
	if after != cty.NilVal {
		d, misfit := durationOf(after)
		if misfit != nil {
			return w.problem(m.attrs["after"].Expr.Range(), "It does not fit", misfit.Error()+".")
		}
		due = due.Add(d)
	}
	w.pending = append(w.pending, pending{due, m, c})
	return w.settle()
}

// settle makes every change whose time has come, in the order of their times.
func (w *World) settle() error {
	slices.SortStableFunc(w.pending, func(a, b pending) int { return a.due.Compare(b.due) })
	for len(w.pending) > 0 && !w.pending[0].due.After(w.now()) {
		p := w.pending[0]
		w.pending = w.pending[1:]
		v, err := w.call(p.mock.attrs["set"].Expr, p.call)
		if err != nil {
			return err
		}
		clear(w.memo)
		if v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
			return w.problem(p.mock.attrs["set"].Expr.Range(), "Wrong value", "set must be an object: { name of a state = its new value }.")
		}
		for name, x := range v.AsValueMap() {
			if _, ok := w.state[name]; !ok {
				return w.problem(p.mock.attrs["set"].Expr.Range(), "Unknown state", fmt.Sprintf("There is no state %q to be set.%s", name, decode.Suggest(name, w.test.states())))
			}
			w.state[name] = x
		}
	}
	return nil
}

// Answers tells whether a host answers at all.
func (w *World) Answers(host string) (bool, error) {
	e := w.test.own.unreachable
	if e == nil {
		e = w.test.file.shared.unreachable
	}
	if e == nil {
		return true, nil
	}
	if err := w.settle(); err != nil {
		return false, err
	}
	v, problems := w.eval(e, w.derived())
	if problems != nil {
		return false, problems
	}
	known := w.hosts.Type()
	if v.IsNull() || !v.CanIterateElements() {
		return false, w.problem(e.Range(), "Wrong value", "unreachable is a list of names of hosts.")
	}
	for _, x := range v.AsValueSlice() {
		if x.IsNull() || x.Type() != cty.String || !known.HasAttribute(x.AsString()) {
			return false, w.problem(e.Range(), "Unknown host", fmt.Sprintf("unreachable: the inventory has no host %s.", decode.Show(x)))
		}
		if x.AsString() == host {
			return false, nil
		}
	}
	return true, nil
}

// ask evaluates an argument of a mock; NilVal when it is not there.
func (w *World) ask(m *Mock, name string, c Call) (cty.Value, error) {
	w.used[m] = true
	a := m.attrs[name]
	if a == nil {
		return cty.NilVal, nil
	}
	if err := w.settle(); err != nil {
		return cty.NilVal, err
	}
	return w.call(a.Expr, c)
}

// call evaluates an expression of a mock.
func (w *World) call(e hclsyntax.Expression, c Call) (cty.Value, error) {
	names := w.derived()
	names["item"] = cty.StringVal(c.Item)
	names["entry"], names["self"], names["on"], names["args"] = cty.StringVal(c.Entry), w.hosts.GetAttr(c.Self), w.hosts.GetAttr(c.On), c.Args
	if err := w.locals(e, names); err != nil {
		return cty.NilVal, err
	}
	return w.evaluated(e, names)
}

// derived is what every expression may use while the test runs.
func (w *World) derived() map[string]cty.Value {
	return map[string]cty.Value{"host": w.hosts, "state": cty.ObjectVal(w.state), "now": cty.StringVal(w.now().UTC().Format(time.RFC3339))}
}

// evaluated is eval with an error that is nil when there is none.
func (w *World) evaluated(e hclsyntax.Expression, names map[string]cty.Value) (cty.Value, error) {
	v, problems := w.eval(e, names)
	if problems != nil {
		return cty.NilVal, problems
	}
	return v, nil
}

// eval evaluates an expression, which must be known by now. The problems are nil when it could be.
func (w *World) eval(e hclsyntax.Expression, names map[string]cty.Value) (cty.Value, engine.Problems) {
	v, diags := e.Value(w.test.file.static(names))
	switch {
	case diags.HasErrors():
		return cty.NilVal, decode.Problems(diags, w.test.file.files)
	case v.ContainsMarked():
		return cty.NilVal, w.problem(e.Range(), "A secret cannot be used here", "A test is shown: write a text instead.")
	}
	return v, nil
}

func (w *World) problem(where hcl.Range, summary, detail string) engine.Problems {
	return decode.Problems(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &where}}, w.test.file.files)
}

// hostValues is an object of all hosts; each has every attribute of the inventory, null where it is absent.
func hostValues(inv *engine.Inventory) cty.Value {
	hosts := map[string]cty.Value{}
	for name, h := range inv.Hosts {
		groups := cty.ListValEmpty(cty.String)
		if len(h.Groups) > 0 {
			groups = stringList(h.Groups)
		}
		attrs := map[string]cty.Value{"name": cty.StringVal(name), "address": cty.StringVal(h.Address), "groups": groups}
		for attr, typ := range inv.Attrs {
			if v, ok := h.Attrs[attr]; ok {
				attrs[attr] = v
			} else {
				attrs[attr] = cty.NullVal(typ)
			}
		}
		hosts[name] = cty.ObjectVal(attrs)
	}
	return cty.ObjectVal(hosts)
}

func stringList(texts []string) cty.Value {
	out := make([]cty.Value, len(texts))
	for i, t := range texts {
		out[i] = cty.StringVal(t)
	}
	return cty.ListVal(out)
}
