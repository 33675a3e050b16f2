package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/hoist"
)

// hostScope implements engine.HostScope.
type hostScope struct {
	*playScope
	name    string
	results []result         // by slot
	ctx     *hcl.EvalContext // a child of the play's root; kinds of entries whose results changed are missing in it

	top    *hostScope // of the play, when this one is of a part
	parts  map[*play]*hostScope
	host   *hostScope // this one is of an item of for_each, on this host; nil: it is not
	itemOf *entry
	key    string
	each   cty.Value
}

// result is what is known of an entry.
type result struct {
	value   cty.Value
	status  engine.Status
	set     bool              // it has a result, or was skipped
	planned bool              // it would run, but this pass only plans
	items   map[string]result // of an entry with for_each
}

func newHostScope(s *playScope, name string) *hostScope {
	h := &hostScope{playScope: s, name: name, results: make([]result, len(s.play.named)), ctx: s.nothing.NewChild()}
	for i, e := range s.play.named {
		h.results[i].value = cty.UnknownVal(e.typ)
	}
	h.ctx.Variables = map[string]cty.Value{"self": s.self(name)}
	return h
}

// context is where this host's expressions are evaluated.
func (h *hostScope) context() *hcl.EvalContext { return h.near(true) }

// near is context without, unless whole, the objects of all probes, steps and so on: most expressions only name one.
func (h *hostScope) near(whole bool) *hcl.EvalContext {
	if h.host != nil {
		ctx := h.host.near(whole).NewChild()
		ctx.Variables = map[string]cty.Value{"each": h.each}
		return ctx
	}
	if !whole {
		return h.ctx
	}
	for _, kind := range resultKinds {
		if _, ok := h.ctx.Variables[string(kind)]; !ok {
			h.ctx.Variables[string(kind)] = h.all(kind)
		}
	}
	return h.ctx
}

// resultKinds are the entries that leave a result under their name.
var resultKinds = []engine.EntryKind{engine.EntryProbe, engine.EntryStep, engine.EntryBlock, engine.EntryInclude}

// resultRoots are their names in expressions.
func resultRoots() []string {
	var names []string
	for _, kind := range resultKinds {
		names = append(names, string(kind))
	}
	return names
}

// all is what "probe", "step" and so on hold: every result of this kind.
func (h *hostScope) all(kind engine.EntryKind) cty.Value {
	var values map[string]cty.Value
	for i, e := range h.play.named {
		if e.Kind != kind {
			continue
		}
		if values == nil {
			values = make(map[string]cty.Value, len(h.play.named))
		}
		values[e.Name] = h.results[i].value
	}
	if values == nil {
		return cty.EmptyObjectVal
	}
	return cty.ObjectVal(values)
}

// keep makes the result of an entry known.
func (h *hostScope) keep(x *entry, r result) {
	h.results[x.slot] = r
	h.ctx.Variables[hoist.Key(string(x.Kind), x.Name)] = r.value
	delete(h.ctx.Variables, string(x.Kind))
}

// Set implements engine.HostScope.
func (h *hostScope) Set(e *engine.Entry, r engine.Result) {
	x := h.entries[e]
	if x == nil || x.Module == nil && x.Block == nil && x.Include == nil {
		return
	}
	h = h.in(x.play)
	if h.host != nil && h.itemOf == x {
		h.host.setItem(x, h.key, r)
		return
	}
	unknown := r.Value != cty.NilVal && !r.Value.IsKnown()
	h.keep(x, result{value: x.whole(r), status: r.Status, set: !unknown, planned: unknown})
}

// waitsFor are the addresses of this host's entries that have no result: among refs, and among what inputs were given.
func (h *hostScope) waitsFor(r refs) []string {
	var out []string
	for _, e := range r.entries {
		if !h.results[e.slot].set {
			out = append(out, e.Address)
		}
	}
	for _, in := range r.inputs {
		if in.given != nil {
			out = append(out, h.in(in.given.owner).waiting(in.given.refs)...)
		}
	}
	return out
}

func (h *hostScope) waiting(r refs) []string { return h.waits(r, h.waitsFor) }

// Eval implements engine.HostScope.
func (h *hostScope) Eval(e engine.Expr, extra cty.Value) (engine.Evaluated, error) {
	x := e.(*expr)
	h = h.in(x.owner)
	ctx := withResult(h.near(x.whole), extra)
	v, err := h.condition(x, ctx, h.name)
	if err != nil {
		_, err = h.condition(x, withResult(h.context(), extra), h.name) // which can name everything
		return engine.Evaluated{}, h.explained(err, x)
	}
	out := engine.Evaluated{Value: v, Why: x.why(ctx)}
	switch {
	case !v.IsKnown():
		out.Waits = h.waiting(x.refs)
	case x.said != nil && !out.True():
		out.Said = h.message(x.said, h.near(x.said.whole))
	}
	return out, nil
}

func withResult(ctx *hcl.EvalContext, result cty.Value) *hcl.EvalContext {
	if result == cty.NilVal {
		return ctx
	}
	ctx = ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"result": result}
	return ctx
}

// explained adds to an error which of the entries it names were skipped: their results are null.
func (h *hostScope) explained(err error, x *expr) error {
	var skipped []string
	for _, e := range x.refs.entries {
		if h.results[e.slot].status == engine.StatusSkipped {
			skipped = append(skipped, fmt.Sprintf("%s.%s", e.Kind, e.Name))
		}
	}
	if known, ok := err.(*engine.Error); ok && len(skipped) > 0 { //nolint:errorlint // it was made here
		known.Msg += "; skipped: " + strings.Join(skipped, ", ")
	}
	return err
}

// Judge implements engine.HostScope.
func (h *hostScope) Judge(c *engine.Check) (engine.Judged, error) {
	x := h.checks[c]
	h = h.in(x.condition.owner)
	j, err := h.judge(x, h.near(x.condition.whole || x.message.whole), h.name, h.waitsFor)
	if err != nil {
		_, err = h.judge(x, h.context(), h.name, h.waitsFor)
		return engine.Judged{}, h.explained(err, x.condition)
	}
	return j, nil
}

func (h *hostScope) eval(e hcl.Expression) (cty.Value, hcl.Diagnostics) { return e.Value(h.context()) }

// Args implements engine.HostScope.
func (h *hostScope) Args(e *engine.Entry) (engine.Args, error) {
	x := h.entries[e]
	h = h.in(x.play)
	target := e.Module.New()
	ctx := h.near(x.objects)
	body, diags := decode.Again(x.body, target, func(e hcl.Expression) (cty.Value, hcl.Diagnostics) { return e.Value(ctx) })
	if diags.HasErrors() {
		return engine.Args{}, h.argFault(x, diags)
	}
	h.beside(target)
	args := engine.Args{Module: target, Unknown: body.Unknown, Shown: body.Shown}
	var unknown refs
	for _, name := range body.Unknown {
		if x.executed[plainName(name)] {
			args.ExecutedUnknown = append(args.ExecutedUnknown, name)
		}
		if a := x.args[plainName(name)]; a != nil {
			unknown.adopt(a.refs)
		}
	}
	if len(body.Unknown) > 0 {
		args.Waits = h.waiting(unknown)
	}
	if len(args.ExecutedUnknown) > 0 {
		args.Module = nil
	}
	if v, ok := target.(engine.Validator); ok && len(body.Unknown) == 0 {
		if err := v.Validate(); err != nil {
			return engine.Args{}, h.badArg(x, x.body, err)
		}
	}
	return args, nil
}

// argFault is the error of arguments that could not be decoded, with the parts of them that are null.
func (h *hostScope) argFault(x *entry, diags hcl.Diagnostics) error {
	err := h.first(diags, h.name)
	i := slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool { return d.Severity == hcl.DiagError && d.Subject != nil })
	if i < 0 {
		return err
	}
	for _, a := range x.args {
		if at := diags[i].Subject; a.place.Start.Byte <= at.Start.Byte && at.End.Byte <= a.place.End.Byte {
			err.Msg += nullText(a.nulls(h.context()))
			return h.explained(err, a)
		}
	}
	return err
}

// badArg places what a module or the engine does not accept.
func (h *hostScope) badArg(x *entry, body *hclsyntax.Body, err error) error {
	out := &engine.Error{Kind: engine.KindEval, Host: h.name, Op: x.Range.String(), Msg: strings.TrimSuffix(err.Error(), ".")}
	if bad, ok := asBadArg(err); ok {
		if a := body.Attributes[bad.Arg]; a != nil {
			out.Op = decode.Range(a.Expr.Range()).String()
		}
	}
	return out
}
