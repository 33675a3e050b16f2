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
)

// hostScope implements engine.HostScope.
type hostScope struct {
	*playScope
	name    string
	results []result         // by slot
	ctx     *hcl.EvalContext // a child of the play's root
	stale   bool             // results changed since ctx was made
}

// result is what is known of an entry.
type result struct {
	value   cty.Value
	status  engine.Status
	set     bool // it has a result, or was skipped
	planned bool // it would run, but this pass only plans
}

func newHostScope(s *playScope, name string) *hostScope {
	h := &hostScope{playScope: s, name: name, results: make([]result, len(s.play.named)), ctx: s.root.NewChild(), stale: true}
	for i, e := range s.play.named {
		h.results[i].value = cty.UnknownVal(e.typ)
	}
	h.ctx.Variables = map[string]cty.Value{"self": s.self(name)}
	return h
}

// context is where this host's expressions are evaluated.
func (h *hostScope) context() *hcl.EvalContext {
	if h.stale {
		probes, steps := map[string]cty.Value{}, map[string]cty.Value{}
		for i, e := range h.play.named {
			if e.Kind == engine.EntryProbe {
				probes[e.Name] = h.results[i].value
			} else {
				steps[e.Name] = h.results[i].value
			}
		}
		h.ctx.Variables["probe"], h.ctx.Variables["step"] = cty.ObjectVal(probes), cty.ObjectVal(steps)
		h.stale = false
	}
	return h.ctx
}

// Set implements engine.HostScope.
func (h *hostScope) Set(e *engine.Entry, r engine.Result) {
	x := h.entries[e]
	if x == nil || x.Module == nil {
		return
	}
	unknown := r.Value != cty.NilVal && !r.Value.IsKnown()
	h.results[x.slot] = result{value: x.object(r), status: r.Status, set: !unknown, planned: unknown}
	h.stale = true
}

// waitsFor are the addresses of this host's entries among refs that have no result.
func (h *hostScope) waitsFor(r refs) []string {
	var out []string
	for _, e := range r.entries {
		if !h.results[e.slot].set {
			out = append(out, e.Address)
		}
	}
	return out
}

func (h *hostScope) waiting(r refs) []string { return h.waits(r, h.waitsFor) }

// Eval implements engine.HostScope.
func (h *hostScope) Eval(e engine.Expr, extra cty.Value) (engine.Evaluated, error) {
	x, ctx := e.(*expr), h.context()
	if extra != cty.NilVal {
		ctx = ctx.NewChild()
		ctx.Variables = map[string]cty.Value{"result": extra}
	}
	v, err := h.condition(x, ctx, h.name)
	if err != nil {
		return engine.Evaluated{}, h.explained(err, x)
	}
	out := engine.Evaluated{Value: v, Why: x.why(ctx)}
	if !v.IsKnown() {
		out.Waits = h.waiting(x.refs)
	}
	return out, nil
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
	j, err := h.judge(x, h.context(), h.name, h.waitsFor)
	if err != nil {
		return j, h.explained(err, x.condition)
	}
	return j, nil
}

func (h *hostScope) eval(e hcl.Expression) (cty.Value, hcl.Diagnostics) { return e.Value(h.context()) }

// Args implements engine.HostScope.
func (h *hostScope) Args(e *engine.Entry) (engine.Args, error) {
	x := h.entries[e]
	target := e.Module.New()
	body, diags := decode.Struct(x.body, nil, target, h.eval)
	if diags.HasErrors() {
		return engine.Args{}, h.argFault(x, diags)
	}
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

// Settings implements engine.HostScope.
func (h *hostScope) Settings(e *engine.Entry) (engine.Settings, error) {
	x := h.entries[e]
	out := engine.Settings{On: h.name}
	var err error
	if x.on != nil {
		if out.On, err = h.doer(x.on); err != nil {
			return out, err
		}
	}
	var settings settingsArgs
	if err := h.read(x, x.settings, &settings); err != nil {
		return out, err
	}
	out.IgnoreErrors = settings.IgnoreErrors
	var bad *engine.BadArg
	if out.Timeout, bad = settings.read(); bad != nil {
		return out, h.badSetting(x, x.settings, bad)
	}
	if x.retry != nil {
		retry := retryDefaults
		if err := h.read(x, x.retry, &retry); err != nil {
			return out, err
		}
		if out.Retry, bad = retry.read(); bad != nil {
			return out, h.badSetting(x, x.retry, bad)
		}
	}
	if x.sudo != nil {
		var sudo sudoArgs
		if err := h.read(x, x.sudo, &sudo); err != nil {
			return out, err
		}
		out.Sudo = &engine.Sudo{User: sudo.User, Password: sudo.Password, Method: sudo.Method}
	}
	return out, nil
}

// doer evaluates "on". Null is an error: a host that lacks the attribute must not do the work itself.
func (h *hostScope) doer(x *expr) (string, error) {
	v, err := h.value(x, h.context())
	switch {
	case err != nil:
		return "", h.explained(err, x)
	case !v.IsKnown():
		return "", h.wrong(x, h.name, fmt.Sprintf("on cannot be known before %s has run", strings.Join(h.waiting(x.refs), ", ")))
	case v.IsNull():
		return "", h.explained(h.wrong(x, h.name, "on is null: nobody can do it"+nullText(x.nulls(h.context()))), x)
	}
	name := asString(v)
	if h.inv.Hosts[name] == nil {
		return "", h.wrong(x, h.name, fmt.Sprintf("on: the inventory has no host %q.%s", name, decode.Suggest(name, h.inv.Names())))
	}
	return name, nil
}

// read decodes arguments of the engine's own, which must be known.
func (h *hostScope) read(x *entry, body *hclsyntax.Body, target any) error {
	out, diags := decode.Struct(body, nil, target, h.eval)
	if diags.HasErrors() {
		return h.first(diags, h.name)
	}
	if len(out.Unknown) == 0 {
		return nil
	}
	return &engine.Error{Kind: engine.KindEval, Host: h.name, Op: x.Range.String(),
		Msg: fmt.Sprintf("%s cannot be known before %s has run", strings.Join(out.Unknown, ", "), strings.Join(h.waiting(x.waits), ", "))}
}

func (h *hostScope) badSetting(x *entry, body *hclsyntax.Body, bad *engine.BadArg) error {
	err := h.badArg(x, body, *bad).(*engine.Error) //nolint:errorlint,forcetypeassert // it was made here
	err.Msg = bad.Problem
	return err
}

// Goal implements engine.HostScope.
func (h *hostScope) Goal(e *engine.Entry) (engine.Polling, error) {
	x, goal := h.entries[e], pollingDefaults
	if err := h.read(x, x.polling, &goal); err != nil {
		return engine.Polling{}, err
	}
	out, bad := goal.read()
	if bad != nil {
		return out, h.badSetting(x, x.polling, bad)
	}
	return out, nil
}
