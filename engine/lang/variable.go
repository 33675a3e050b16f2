package lang

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// variable is an input of the playbook, with its value.
type variable struct {
	name      string
	block     *hclsyntax.Block
	typ       cty.Type // the constraint; may have optional attributes
	defaults  *typeexpr.Defaults
	nullable  bool
	sensitive bool
	value     cty.Value // marked when it is secret; unknown when a mistake was reported
	origin    string
	used      bool
}

// infer is the type of the value: it is known when the playbook is loaded, so it says more than the constraint.
func (v *variable) infer() infer.Type {
	plain, marks := v.value.UnmarkDeep()
	t := plain.Type()
	if t == cty.DynamicPseudoType {
		t = v.typ.WithoutOptionalAttributesDeep()
	}
	if len(marks) > 0 || v.sensitive {
		return infer.Secret(t)
	}
	return infer.Of(t)
}

func (l *loader) loadVariables(body *hclsyntax.Body) {
	var order []*variable
	for _, b := range body.Blocks {
		if b.Type != "variable" {
			continue
		}
		if v := l.loadVariable(b); v != nil {
			order = append(order, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.opts.Vars)) {
		if given := l.opts.Vars[name]; l.variables[name] == nil && !given.Ambient {
			l.fail(hcl.Range{Filename: l.path}, "Unknown variable", "%s: the playbook declares no variable %q.%s", given.Origin, name, infer.Suggest(name, slices.Sorted(maps.Keys(l.variables))))
		}
	}
	values := map[string]cty.Value{}
	l.gave = map[string]string{}
	for name, v := range l.variables {
		values[name], l.gave[name] = v.value, v.origin
	}
	l.vars = cty.ObjectVal(values)
	l.constants.Variables["var"] = l.vars
	for _, v := range order {
		l.validateAll(v)
	}
}

// validateAll judges a value. One that is refused is unknown from then on: one mistake is reported once.
func (l *loader) validateAll(v *variable) {
	before := len(l.diags)
	for _, b := range v.block.Body.Blocks {
		if b.Type == "validation" {
			l.validate(v, b)
		}
	}
	if !l.diags[before:].HasErrors() {
		return
	}
	v.value = v.unknown()
	values := l.vars.AsValueMap()
	values[v.name] = v.value
	l.vars = cty.ObjectVal(values)
	l.constants.Variables["var"] = l.vars
}

// origins are the values from outside of the playbook that stand in an expression: where they were given.
func (l *loader) origins(where hcl.Range) []string {
	var out, said []string
	for _, found := range namedVar.FindAllStringSubmatch(l.source(where), -1) {
		v := l.variables[found[1]]
		if v != nil && v.origin != "" && v.origin != DefaultOrigin && !slices.Contains(said, v.origin) {
			said = append(said, v.origin)
			out = append(out, fmt.Sprintf("var.%s, declared at line %d, is given by %s.", v.name, v.block.DefRange().Start.Line, v.origin))
		}
	}
	return out
}

var namedVar = regexp.MustCompile(`\bvar\.([\pL_][\pL\d_-]*)`)

// notValid is the summary of a validation that does not hold.
const notValid = "Variable not valid"

func (l *loader) loadVariable(b *hclsyntax.Block) *variable {
	ok := l.form(b, form{attrs: []string{"type", "default", "description", "nullable", "sensitive"}, blocks: []string{"validation"}, labels: []string{"NAME"}})
	if !ok || !l.identifier(b.Labels[0], b.LabelRanges[0]) {
		return nil
	}
	v := &variable{name: b.Labels[0], block: b, typ: cty.DynamicPseudoType}
	if first := l.variables[v.name]; first != nil {
		l.fail(b.DefRange(), "Name given twice", "The variable %q is declared at line %d, too.", v.name, first.block.DefRange().Start.Line)
		return nil
	}
	l.variables[v.name] = v
	if a := b.Body.Attributes["description"]; a != nil {
		l.demand(l.infer(a.Expr, place{what: "description", nothing: true}), cty.String, "description")
	}
	v.nullable, v.sensitive = l.flag(b.Body, "nullable", true, place{nothing: true}), l.flag(b.Body, "sensitive", false, place{nothing: true})
	if a := b.Body.Attributes["type"]; a != nil {
		ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
		l.report(diags)
		v.typ, v.defaults = ty, defaults
	}
	v.value = l.resolve(v)
	if v.sensitive {
		v.value = l.hide(v.value, "var."+v.name)
	}
	return v
}

// resolve finds the value: what was given, else the default.
func (l *loader) resolve(v *variable) cty.Value {
	given, isGiven := l.opts.Vars[v.name]
	def, hasDefault := l.defaultOf(v, isGiven)
	v.origin = DefaultOrigin
	switch {
	case !isGiven && !hasDefault:
		l.fail(v.block.DefRange(), "Variable without a value", "%q has no default. Give it a value with --var %s=…, or with the environment variable DSPLAY_VAR_%s.", v.name, v.name, v.name)
		return def
	case !isGiven:
		return def
	}
	v.origin = given.Origin
	val, wrong := v.parse(given)
	if wrong != "" {
		l.fail(v.block.DefRange(), "Wrong value for a variable", "%s: %s", given.Origin, wrong)
		return v.unknown()
	}
	if val.IsNull() && !v.nullable && hasDefault {
		return def
	}
	val, ok := l.fit(v, val, v.block.DefRange(), given.Origin)
	if !ok {
		return v.unknown()
	}
	return val
}

func (v *variable) unknown() cty.Value {
	return cty.UnknownVal(v.typ.WithoutOptionalAttributesDeep())
}

// defaultOf evaluates the default; false: there is none. One that is not needed is checked, but reads no secret.
func (l *loader) defaultOf(v *variable, given bool) (cty.Value, bool) {
	a := v.block.Body.Attributes["default"]
	if a == nil {
		return v.unknown(), false
	}
	x := l.infer(a.Expr, place{what: "default", nothing: true})
	if x.wrong || given && secretCall(a.Expr) {
		return v.unknown(), true
	}
	val, diags := a.Expr.Value(l.constants)
	l.report(diags)
	if diags.HasErrors() {
		return v.unknown(), true
	}
	if val, ok := l.fit(v, val, a.Expr.Range(), "default"); ok {
		return val, true
	}
	return v.unknown(), true
}

// fit makes a value one of the variable's type.
func (l *loader) fit(v *variable, val cty.Value, where hcl.Range, origin string) (cty.Value, bool) {
	if v.defaults != nil {
		val = v.defaults.Apply(val)
	}
	out, err := convert.Convert(val, v.typ)
	switch {
	case err != nil:
		l.fail(where, "Wrong value for a variable", "%s: the value of %q is no %s: %s.", origin, v.name, typeexpr.TypeString(v.typ.WithoutOptionalAttributesDeep()), err)
		return out, false
	case out.IsNull() && !v.nullable:
		l.fail(where, "Wrong value for a variable", "%s: the value of %q must not be null (nullable = false).", origin, v.name)
		return out, false
	}
	return out, true
}

// parse reads a value as it is typed on a command line. The message never holds the value: it may be a secret.
func (v *variable) parse(given Var) (cty.Value, string) {
	if given.Typed != cty.NilVal {
		return given.Typed, ""
	}
	text := given.Value
	if v.typ == cty.DynamicPseudoType || v.typ.IsPrimitiveType() {
		return cty.StringVal(text), ""
	}
	what := typeexpr.TypeString(v.typ.WithoutOptionalAttributesDeep())
	e, diags := hclsyntax.ParseExpression([]byte(text), "value", hcl.InitialPos)
	if !diags.HasErrors() {
		var val cty.Value
		if val, diags = e.Value(nil); !diags.HasErrors() {
			return val, ""
		}
	}
	return cty.NilVal, "a " + what + ` is written as in a playbook: ["a", "b"], { x = 1 }. Put it in single quotes for the shell.`
}

// hide marks a value as secret under a name, and registers every text in it.
func (l *loader) hide(v cty.Value, name string) cty.Value {
	if l.opts.Secrets != nil {
		plain, _ := v.UnmarkDeep()
		_ = cty.Walk(plain, func(_ cty.Path, v cty.Value) (bool, error) {
			if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				l.opts.Secrets.Add(name, v.AsString())
			}
			return true, nil
		})
	}
	return v.Mark(engine.SecretMark{Name: name})
}

func (l *loader) validate(v *variable, b *hclsyntax.Block) {
	l.form(b, form{attrs: []string{"condition", "error_message"}, required: []string{"condition", "error_message"}})
	at := place{what: "validation", onlyVars: true}
	condition, message := b.Body.Attributes["condition"], b.Body.Attributes["error_message"]
	if condition == nil || message == nil {
		return
	}
	defer func(used bool) { v.used = used }(v.used)
	x, m := l.infer(condition.Expr, at), l.infer(message.Expr, at)
	l.demand(m, cty.String, "error_message")
	if x.wrong || m.wrong || !v.value.IsWhollyKnown() {
		return
	}
	if !infer.Converts(x.typ.Type, cty.Bool) {
		l.fail(x.place, "Wrong type", "A condition must be a bool, not %s.", x.typ.FriendlyName())
		return
	}
	holds, diags := condition.Expr.Value(l.constants)
	l.report(diags)
	holds, _ = holds.UnmarkDeep()
	holds, err := convert.Convert(holds, cty.Bool)
	switch {
	case diags.HasErrors() || err != nil || !holds.IsKnown():
	case holds.IsNull():
		l.fail(x.place, "Condition is null", "A condition must be true or false.")
	case holds.False():
		l.fail(x.place, notValid, "%s: %s %s", v.origin, v.name, l.text(b.Body, "error_message"))
	}
}

// flag evaluates an attribute that is true or false at load.
func (l *loader) flag(body *hclsyntax.Body, name string, without bool, at place) bool {
	x := l.attr(body, name, cty.Bool, at)
	if x == nil || x.wrong || x.value == cty.NilVal || x.value.IsNull() {
		return without
	}
	v, err := convert.Convert(x.value, cty.Bool)
	return err == nil && v.True()
}

func (l *loader) warnUnused() {
	for _, v := range l.variables {
		if !v.used {
			l.warn(v.block.DefRange(), "Unused variable", "Nothing names var.%s.", v.name)
		}
	}
}
