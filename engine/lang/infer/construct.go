package infer

import (
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

func (w *walker) template(e *hclsyntax.TemplateExpr) Type {
	out := Of(cty.String)
	for _, part := range e.Parts {
		t := w.expr(part)
		if !Converts(t.Type, cty.String) {
			w.fail(part.Range(), "Wrong type in a text", "This is %s, which cannot stand in a text. Use join() or jsonencode().", friendly(t.Type))
		}
		out.secret = out.secret.and(flat(t))
	}
	return out
}

func (w *walker) tuple(e *hclsyntax.TupleConsExpr) Type {
	types := make([]cty.Type, len(e.Exprs))
	parts := map[string]*secrecy{}
	for i, x := range e.Exprs {
		t := w.expr(x)
		types[i] = t.Type
		if t.secret != nil {
			parts[strconv.Itoa(i)] = t.secret
		}
	}
	return Type{cty.Tuple(types), whole(parts)}
}

// object is an object when its keys are known, else a map when its values have one type.
func (w *walker) object(e *hclsyntax.ObjectConsExpr) Type {
	attrs := map[string]Type{}
	var values []Type
	known := true
	for _, item := range e.Items {
		name, ok := w.key(item.KeyExpr)
		t := w.expr(item.ValueExpr)
		values = append(values, t)
		attrs[name] = t
		known = known && ok
	}
	if known {
		return Object(attrs)
	}
	t := join(values)
	if t.isDynamic() {
		return Type{cty.DynamicPseudoType, t.secret.list()}
	}
	return Type{cty.Map(t.Type), t.secret.list()}
}

// key is a key of an object constructor; false: it is not known, or wrong.
func (w *walker) key(e hclsyntax.Expression) (string, bool) {
	k, ok := e.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		w.expr(e)
		return "", false
	}
	if !k.ForceNonLiteral {
		if name := hcl.ExprAsKeyword(k.Wrapped); name != "" {
			return name, true
		}
		if t, ok := k.Wrapped.(*hclsyntax.ScopeTraversalExpr); ok && len(t.Traversal) > 1 {
			w.fail(k.Range(), "Ambiguous key", "Put it in parentheses when it is a reference, in quotes when it is a name with dots.")
			return "", false
		}
	}
	t := w.expr(k.Wrapped)
	if !Converts(t.Type, cty.String) {
		w.fail(k.Range(), "Wrong key", "A key must be a string, and this is %s.", friendly(t.Type))
		return "", false
	}
	v, ok := w.constant(k.Wrapped)
	if !ok || v.IsNull() {
		return "", false
	}
	v, err := convert.Convert(v, cty.String)
	return v.AsString(), err == nil
}

func (w *walker) conditional(e *hclsyntax.ConditionalExpr) Type {
	c := w.expr(e.Condition)
	w.operand(e.Condition, c, cty.Bool)
	w.guarded++
	yes, no := w.expr(e.TrueResult), w.expr(e.FalseResult)
	w.guarded--
	out := Type{cty.DynamicPseudoType, yes.secret.and(no.secret).and(flat(c))}
	switch {
	case isNull(e.TrueResult):
		out.Type = no.Type
	case isNull(e.FalseResult):
		out.Type = yes.Type
	case yes.isDynamic() || no.isDynamic():
	default:
		if t, _ := convert.UnifyUnsafe([]cty.Type{yes.Type, no.Type}); t != cty.NilType {
			out.Type = t
		} else if yes.IsPrimitiveType() || no.IsPrimitiveType() { // others may have types at run time that agree
			w.fail(e.Range(), "Types that do not agree", "Both results must have one type: the first is %s, the second %s.", friendly(yes.Type), friendly(no.Type))
		}
	}
	return out
}

func isNull(e hclsyntax.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return isNull(e.Expression)
	case *hclsyntax.LiteralValueExpr:
		return e.Val.IsNull()
	}
	return false
}

func (w *walker) binary(e *hclsyntax.BinaryOpExpr) Type {
	short := e.Op == hclsyntax.OpLogicalAnd || e.Op == hclsyntax.OpLogicalOr
	if short {
		w.guarded++
	}
	l, r := w.expr(e.LHS), w.expr(e.RHS)
	if short {
		w.guarded--
	}
	out := Type{e.Op.Type, flat(l).and(flat(r))}
	if e.Op == hclsyntax.OpEqual || e.Op == hclsyntax.OpNotEqual {
		w.comparable(e, l, r)
		return out
	}
	want := e.Op.Impl.Params()[0].Type
	w.operand(e.LHS, l, want)
	w.operand(e.RHS, r, want)
	if e.Op == hclsyntax.OpDivide || e.Op == hclsyntax.OpModulo {
		w.divisor(e.RHS)
	}
	return out
}

// divisor reports a division by a zero that is known now: it gives an infinite number, which fits nowhere.
func (w *walker) divisor(e hclsyntax.Expression) {
	v, ok := w.constant(e)
	if !ok {
		return
	}
	if n, err := convert.Convert(v, cty.Number); err == nil && !n.IsNull() && n.AsBigFloat().Sign() == 0 {
		w.fail(e.Range(), "Division by zero", "This is always 0.")
	}
}

// comparable reports a comparison whose result is always the same, because == does not convert.
func (w *walker) comparable(e *hclsyntax.BinaryOpExpr, l, r Type) {
	switch {
	case l.isDynamic() || r.isDynamic():
	case l.IsPrimitiveType() && r.IsPrimitiveType() && !l.Equals(r.Type):
		w.fail(e.Range(), "Never equal", "%s never equals %s: == does not convert. Use tostring() or tonumber().", upper(friendly(l.Type)), friendly(r.Type))
	case l.IsPrimitiveType() != r.IsPrimitiveType():
		w.fail(e.Range(), "Never equal", "%s never equals %s.", upper(friendly(l.Type)), friendly(r.Type))
	case l.IsCollectionType() && (r.IsTupleType() || r.IsObjectType()), r.IsCollectionType() && (l.IsTupleType() || l.IsObjectType()):
		w.fail(e.Range(), "Never equal", "%s never equals %s written in brackets. Use length() to ask whether it is empty, contains() for its elements.",
			upper(friendly(l.Type)), friendly(r.Type))
	}
}

// operand demands a type. Texts are read as numbers where one is needed, but never as true or false.
func (w *walker) operand(e hclsyntax.Expression, t Type, want cty.Type) {
	if Converts(t.Type, want) && !(want == cty.Bool && t.Type == cty.String) {
		return
	}
	w.fail(e.Range(), "Wrong type", "Here a %s is needed, and this is %s.", want.FriendlyName(), friendly(t.Type))
}
