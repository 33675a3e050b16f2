package lang

import (
	"errors"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// loadArgs checks the module's arguments: with their values where they are known at load, else with their types.
func (l *loader) loadArgs(e *entry, at place) {
	e.body = restOf(e.block.Body)
	e.executed = executedNames(reflect.TypeOf(e.Module.New()), "")
	l.foreignArgs(e)
	target := e.Module.New()
	exprs := map[hclsyntax.Expression]*expr{}
	before := len(l.diags)
	body, diags := decode.Struct(e.body, nil, target, l.static(at, exprs))
	l.report(diags)
	l.beside(target)
	if v, ok := target.(engine.Validator); ok && !l.diags[before:].HasErrors() && len(body.Unknown) == 0 {
		l.validateArgs(e, v)
	}
	e.args = map[string]*expr{}
	l.adoptArgs(e, e.body, "", exprs, at)
}

// static gives decode what is known of an expression at load, and keeps the expression.
func (l *loader) static(at place, into map[hclsyntax.Expression]*expr) decode.Eval {
	return func(e hcl.Expression) (cty.Value, hcl.Diagnostics) {
		syntax := e.(hclsyntax.Expression)
		x := l.infer(syntax, at)
		into[syntax] = x
		switch {
		case x.wrong:
			return cty.DynamicVal, nil
		case x.value != cty.NilVal:
			return x.value, nil
		}
		if x.typ.Type != cty.DynamicPseudoType {
			l.shape.observe(x.typ.Type)
		}
		v := cty.UnknownVal(x.typ.Type)
		if x.typ.HoldsSecret() {
			v = v.Mark(engine.SecretMark{Name: "secret"})
		}
		return v, nil
	}
}

// beside tells a module where the relative paths of the playbook start.
func (p *Program) beside(module any) {
	if m, ok := module.(engine.Sourced); ok {
		m.Beside(filepath.Dir(p.playbook.Path))
	}
}

// validateArgs asks the module itself; its complaint stands at the argument.
func (l *loader) validateArgs(e *entry, v engine.Validator) {
	err := v.Validate()
	if err == nil {
		return
	}
	where, text := e.block.DefRange(), err.Error()
	var bad engine.BadArg
	if errors.As(err, &bad) {
		text = bad.Error()
		if a := e.body.Attributes[bad.Arg]; a != nil {
			where = a.Expr.Range()
		}
	}
	l.fail(where, "Wrong value", "%s.", strings.TrimSuffix(text, "."))
}

// adoptArgs makes the expressions of the arguments ready, and finds them by name later.
func (l *loader) adoptArgs(e *entry, body *hclsyntax.Body, prefix string, exprs map[hclsyntax.Expression]*expr, at place) {
	for name, a := range body.Attributes {
		x := exprs[a.Expr]
		if x == nil {
			continue // it was refused unread
		}
		l.ready(x, at)
		a.Expr, e.objects = x.node, e.objects || x.whole
		if known := e.args[prefix+name]; known != nil {
			known.refs.adopt(x.refs)
			continue
		}
		e.args[prefix+name] = x
	}
	for _, b := range body.Blocks {
		l.adoptArgs(e, b.Body, prefix+b.Type+".", exprs, at)
	}
}

// foreignArgs reports words of other languages among the arguments, with what is written instead, and drops them.
func (l *loader) foreignArgs(e *entry) {
	own := ownNames(reflect.TypeOf(e.Module.New()))
	for _, a := range inOrder(e.body.Attributes) {
		if !slices.Contains(own, a.Name) && (foreign(a.Name) != "" || asBlock[a.Name] != "") {
			l.unexpected("argument", a.Name, a.NameRange, "in "+e.block.Type, nil)
			delete(e.body.Attributes, a.Name)
		}
	}
	e.body.Blocks = slices.DeleteFunc(e.body.Blocks, func(b *hclsyntax.Block) bool {
		stranger := !slices.Contains(own, b.Type) && foreign(b.Type) != ""
		if stranger {
			l.unexpected("block", b.Type, b.TypeRange, "in "+e.block.Type, nil)
		}
		return stranger
	})
}

// walkAll infers every expression of a body that nobody can decode, for the mistakes in them.
func (l *loader) walkAll(body *hclsyntax.Body, at place) {
	for _, a := range inOrder(body.Attributes) {
		l.infer(a.Expr, at)
	}
	for _, b := range body.Blocks {
		l.walkAll(b.Body, at)
	}
}

// restOf is what is left of an entry's body for its module.
func restOf(body *hclsyntax.Body) *hclsyntax.Body {
	rest := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: body.SrcRange, EndRange: body.EndRange}
	for name, a := range body.Attributes {
		if !slices.Contains(metaAttrs, name) {
			rest.Attributes[name] = a
		}
	}
	for _, b := range body.Blocks {
		if !slices.Contains(metaBlocks, b.Type) {
			rest.Blocks = append(rest.Blocks, b)
		}
	}
	return rest
}

// only is a body with some attributes of another one.
func only(body *hclsyntax.Body, names ...string) *hclsyntax.Body {
	out := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: body.SrcRange, EndRange: body.EndRange}
	for _, name := range names {
		if a := body.Attributes[name]; a != nil {
			out.Attributes[name] = a
		}
	}
	return out
}

// ownNames are the arguments and blocks that a struct declares.
func ownNames(t reflect.Type) []string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var names []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("hcl"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// executedNames are the arguments with the tag executed, also those of nested blocks, where the block may have it.
func executedNames(t reflect.Type, prefix string) map[string]bool {
	out := map[string]bool{}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ",")
		switch {
		case name == "":
		case kind == "block":
			for inner := range executedNames(f.Type, prefix+name+".") {
				out[inner] = true
			}
		case f.Tag.Get("executed") == "true":
			out[prefix+name] = true
		}
	}
	return out
}

var number = regexp.MustCompile(`\[\d+\]`)

// plainName is the name of an argument without the numbers of repeated blocks: "rule[1].port" is "rule.port".
func plainName(name string) string { return number.ReplaceAllString(name, "") }
