package lang

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/hoist"
)

// pass implements engine.Pass.
type pass struct {
	*Program
	inv    *engine.Inventory
	run    cty.Value
	groups cty.Value
	hosts  func() cty.Value // behind host["x"]
	locals map[string]cty.Value
	played map[*play]playValue
	scopes map[*play]*playScope

	mu    sync.Mutex
	attrs map[string]map[string]cty.Value // of hosts, as far as they were asked for
}

// playValue is what play.NAME holds.
type playValue struct {
	hosts, missing cty.Value
	waits          []string // not empty: both are unknown, because these steps have not run
}

// Pass implements engine.Program.
func (p *Program) Pass(inv *engine.Inventory, runVars cty.Value) engine.Pass {
	return p.pass(inv, runVars)
}

func (p *Program) pass(inv *engine.Inventory, runVars cty.Value) *pass {
	s := &pass{Program: p, inv: inv, run: runVars, locals: map[string]cty.Value{}, played: map[*play]playValue{}, scopes: map[*play]*playScope{}, attrs: map[string]map[string]cty.Value{}}
	if runVars == cty.NilVal {
		s.run = cty.UnknownVal(cty.Object(map[string]cty.Type{"id": cty.String}))
	}
	groups := map[string]cty.Value{}
	for name, hosts := range inv.Groups {
		groups[name] = stringList(hosts)
	}
	s.groups = cty.ObjectVal(groups)
	s.hosts = sync.OnceValue(s.allHosts)
	for _, x := range p.plays {
		s.played[x] = x.unknown(nil)
	}
	return s
}

// unknown is what play.NAME holds as long as some of its steps have not run; nil: any of them.
func (p *play) unknown(waits []string) playValue {
	for _, kind := range []engine.EntryKind{engine.EntryStep, engine.EntryProbe} { // probes do not run when nothing is contacted
		if len(waits) == 0 {
			waits = p.addresses(kind)
		}
	}
	return playValue{cty.UnknownVal(cty.List(p.hostType)), cty.UnknownVal(cty.List(p.missingType)), waits}
}

func (p *play) addresses(kind engine.EntryKind) []string {
	var out []string
	for e := range engine.Walk(p.Entries) {
		if e.Kind == kind {
			out = append(out, e.Address)
		}
	}
	return out
}

// root makes a context in which expressions are evaluated; what is hoisted is kept as long as it is used.
func (s *pass) root() *hcl.EvalContext {
	plays := map[string]cty.Value{}
	for p, v := range s.played {
		plays[p.Name] = cty.ObjectVal(map[string]cty.Value{"hosts": v.hosts, "missing": v.missing})
	}
	vars := map[string]cty.Value{
		"var": s.vars, "local": cty.ObjectVal(s.locals), "group": s.groups, "play": cty.ObjectVal(plays), "run": s.run,
		hoist.Name: s.rewriter.Cache().Value(),
	}
	if s.namesHost {
		vars["host"] = s.hosts()
	}
	return &hcl.EvalContext{Variables: vars, Functions: s.functions}
}

func (s *pass) allHosts() cty.Value {
	all := map[string]cty.Value{}
	for name := range s.inv.Hosts {
		all[name] = s.self(name)
	}
	if len(all) == 0 {
		return cty.MapValEmpty(s.shape.pruned(s.shape.host()))
	}
	return mapOf(all)
}

// Locals implements engine.Pass.
func (s *pass) Locals(l *engine.Locals) error {
	for _, x := range s.Program.locals[l] {
		if err := s.local(x); err != nil {
			return err
		}
	}
	return nil
}

func (s *pass) local(x *local) error {
	root := s.root() // one for each: a local names those above it
	v, diags := x.expr.node.Value(root)
	if diags.HasErrors() {
		return s.fault(x.expr, diags, root, "")
	}
	s.locals[x.name] = settled(v, x.typ)
	return nil
}

// Check implements engine.Pass.
func (s *pass) Check(c *engine.Check) (engine.Judged, error) {
	return s.judge(s.checks[c], s.root(), "", nil)
}

// Play implements engine.Pass.
func (s *pass) Play(p *engine.Play) (engine.Target, error) {
	x, root := s.plays[p], s.root()
	var t engine.Target
	v, err := s.value(x.hosts, root)
	if err != nil {
		return t, err
	}
	if !v.IsWhollyKnown() {
		t.Waits = s.waits(x.hosts.refs, nil)
	} else if t.Hosts, err = s.names(x.hosts, v); err != nil {
		return t, err
	}
	for _, arg := range []struct {
		x   *expr
		set func(cty.Value) string
	}{
		{x.batch, func(v cty.Value) (wrong string) { t.Batch, wrong = sizes(v); return }},
		{x.parallel, func(v cty.Value) string {
			n, wrong := size(v, 1)
			t.Parallel = n.N
			if n.Percent {
				wrong = "must be a whole number"
			}
			return wrong
		}},
		{x.maxFailures, func(v cty.Value) string { n, wrong := size(v, 0); t.MaxFailures = &n; return wrong }},
		{x.allowEmpty, func(v cty.Value) string { b, wrong := asBool(v); t.AllowEmpty = b; return wrong }},
	} {
		if err := s.playArg(arg.x, root, arg.set); err != nil {
			return t, err
		}
	}
	return t, nil
}

// playArg evaluates an argument that may be left out, or null.
func (s *pass) playArg(x *expr, root *hcl.EvalContext, set func(cty.Value) string) error {
	if x == nil {
		return nil
	}
	v, err := s.value(x, root)
	if err != nil {
		return err
	}
	if !v.IsWhollyKnown() {
		return s.wrong(x, "", fmt.Sprintf("it cannot be known yet: it waits for %s", strings.Join(s.waits(x.refs, nil), ", ")))
	}
	if v.IsNull() {
		return nil
	}
	if wrong := set(v); wrong != "" {
		return s.wrong(x, "", wrong)
	}
	return nil
}

// value evaluates an expression that must hold no secret.
func (s *pass) value(x *expr, ctx *hcl.EvalContext) (cty.Value, error) {
	v, diags := x.node.Value(ctx)
	switch {
	case diags.HasErrors():
		return v, s.fault(x, diags, ctx, "")
	case v.ContainsMarked():
		return v, s.wrong(x, "", "a secret decides here; what is decided is shown, so it must not hold a secret")
	}
	return v, nil
}

// names reads names of hosts: sorted, each once, all in the inventory.
func (s *pass) names(x *expr, v cty.Value) ([]string, error) {
	list, err := convert.Convert(v, cty.List(cty.String))
	if err != nil || list.IsNull() {
		return nil, s.wrong(x, "", "hosts must be a list of names")
	}
	var out []string
	for _, name := range list.Elements() {
		switch {
		case name.IsNull():
			return nil, s.wrong(x, "", "a name in hosts is null")
		case s.inv.Hosts[name.AsString()] == nil:
			return nil, s.wrong(x, "", fmt.Sprintf("the inventory has no host %q", name.AsString()))
		}
		out = append(out, name.AsString())
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
