package infer

import (
	"fmt"

	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// Scope says what names mean where an expression stands.
type Scope interface {
	// Name resolves what a traversal begins with: its type, and how many steps of the traversal that took (at least one).
	// A diagnostic says why there is no such name.
	Name(t hcl.Traversal) (Type, int, *hcl.Diagnostic)
	// Reserved tells whether a name has a meaning, so that no "for" may take it.
	Reserved(name string) bool
	// Functions are those that may be called.
	Functions() map[string]function.Function
	// Constant evaluates an expression that depends on nothing that is not known at load; false: it is none.
	Constant(e hclsyntax.Expression) (cty.Value, hcl.Diagnostics, bool)
	// Observe is told of every object whose attributes are looked at as a whole, so that none of them may be left out.
	Observe(t cty.Type)
	// NoAttribute is asked about an object of type t without an attribute of this name. more is added to the message; "" adds
	// nothing but a suggestion. With open, it may have the attribute all the same; with certain, it never has it, so that
	// try() and can() are no excuse.
	NoAttribute(t cty.Type, name string) (more string, open, certain bool)
	// Attribute is told of every attribute that is read of an object which has it.
	Attribute(t cty.Type, name string, where hcl.Range)
	// Unchecked is told of every place where something is read that may not be there: under a key of a map, or of a value
	// whose type nobody knows before it exists.
	Unchecked(where hcl.Range)
}

// Expr infers the type of e. Every mistake in it is reported; what a mistake leaves open is Dynamic.
func Expr(e hclsyntax.Expression, s Scope) (Type, hcl.Diagnostics) {
	w := walker{scope: s, items: map[*hclsyntax.AnonSymbolExpr]Type{}}
	t := w.expr(e)
	return t, w.diags
}

type walker struct {
	scope Scope
	diags hcl.Diagnostics
	bound []binding // variables of the "for" expressions around, innermost last
	items map[*hclsyntax.AnonSymbolExpr]Type
	// guarded counts the constructs around that swallow errors of what they do not choose (?:, &&, ||, try, can) or
	// may not evaluate at all (for): in them only what is wrong whatever the values is a mistake.
	guarded int
	// lazy counts the calls of try() and can() around: what they catch is no mistake.
	lazy int
}

type binding struct {
	name string
	t    Type
}

func (w *walker) fail(where hcl.Range, summary, format string, args ...any) Type {
	if w.lazy > 0 {
		return Dynamic
	}
	return w.insist(where, summary, format, args...)
}

// insist is fail for what not even try() may hide.
func (w *walker) insist(where hcl.Range, summary, format string, args ...any) Type {
	w.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &where})
	return Dynamic
}

// add reports a mistake once, however often its place is walked.
func (w *walker) add(d *hcl.Diagnostic) {
	for _, known := range w.diags {
		if known.Summary == d.Summary && known.Detail == d.Detail && known.Subject != nil && d.Subject != nil && *known.Subject == *d.Subject {
			return
		}
	}
	w.diags = append(w.diags, d)
}

func (w *walker) expr(e hclsyntax.Expression) Type {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		if e.Val.Type() == cty.Number && e.Val.IsKnown() && !e.Val.IsNull() && decode.Vast(e.Val.AsBigFloat()) {
			return w.insist(e.Range(), "Number too large", "No number of this size means anything here, and written out it would fill the memory.")
		}
		return Of(e.Val.Type())
	case *hclsyntax.ParenthesesExpr:
		return w.expr(e.Expression)
	case *hclsyntax.TemplateExpr:
		return w.template(e)
	case *hclsyntax.TemplateWrapExpr:
		return w.expr(e.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		return Type{cty.String, flat(w.expr(e.Tuple))}
	case *hclsyntax.ScopeTraversalExpr:
		return w.traversal(e)
	case *hclsyntax.RelativeTraversalExpr:
		return w.steps(w.expr(e.Source), "…", e.Traversal)
	case *hclsyntax.IndexExpr:
		return w.index(e)
	case *hclsyntax.FunctionCallExpr:
		return w.call(e)
	case *hclsyntax.ConditionalExpr:
		return w.conditional(e)
	case *hclsyntax.BinaryOpExpr:
		return w.binary(e)
	case *hclsyntax.UnaryOpExpr:
		t := w.expr(e.Val)
		w.operand(e.Val, t, e.Op.Type)
		return Type{e.Op.Type, flat(t)}
	case *hclsyntax.TupleConsExpr:
		return w.tuple(e)
	case *hclsyntax.ObjectConsExpr:
		return w.object(e)
	case *hclsyntax.ForExpr:
		return w.forExpr(e)
	case *hclsyntax.SplatExpr:
		return w.splat(e)
	case *hclsyntax.AnonSymbolExpr:
		return w.items[e]
	}
	return Dynamic
}

// flat is the secrecy of a primitive value that is made of t.
func flat(t Type) *secrecy {
	if t.HoldsSecret() {
		return &secrecy{self: true}
	}
	return nil
}

// constant is the value of e when it is wholly known and not secret.
func (w *walker) constant(e hclsyntax.Expression) (cty.Value, bool) {
	v, diags, ok := w.scope.Constant(e)
	return v, ok && !diags.HasErrors() && v.IsWhollyKnown() && !v.ContainsMarked()
}

// Converts tells whether a value of type from can become one of type to; whether it does may depend on the value.
func Converts(from, to cty.Type) bool {
	if from == cty.DynamicPseudoType || to == cty.DynamicPseudoType {
		return true
	}
	_, err := convert.Convert(cty.UnknownVal(from), to)
	return err == nil
}

// join is the type of a value that is of one of these types: the type itself when all are equal, else Dynamic.
func join(types []Type) Type {
	if len(types) == 0 {
		return Dynamic
	}
	out := types[0]
	for _, t := range types[1:] {
		out.secret = out.secret.and(t.secret)
		if !t.Equals(out.Type) {
			out.Type = cty.DynamicPseudoType
		}
	}
	return out
}
