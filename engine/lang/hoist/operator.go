package hoist

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// operator is ==, !=, a comparison of numbers, or !. Most conditions are made of these, and HCL calls a function for
// each, which takes most of their time. Here that is only so where a value is not a plain one.
type operator struct {
	hclsyntax.Expression // as it is written
	left, right          *hclsyntax.Expression
	op                   *hclsyntax.Operation
}

// operatorOf gives nil for an operation that is left to HCL.
func operatorOf(e hclsyntax.Expression) *operator {
	switch x := e.(type) {
	case *hclsyntax.UnaryOpExpr:
		if x.Op == hclsyntax.OpLogicalNot {
			return &operator{e, &x.Val, nil, x.Op}
		}
	case *hclsyntax.BinaryOpExpr:
		switch x.Op {
		case hclsyntax.OpEqual, hclsyntax.OpNotEqual, hclsyntax.OpGreaterThan, hclsyntax.OpGreaterThanOrEqual, hclsyntax.OpLessThan, hclsyntax.OpLessThanOrEqual:
			return &operator{e, &x.LHS, &x.RHS, x.Op}
		}
	}
	return nil
}

func (o *operator) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if o.right == nil {
		v, diags := (*o.left).Value(ctx)
		if len(diags) == 0 && plain(v) && v.Type() == cty.Bool {
			return cty.BoolVal(!v.True()), nil
		}
		if diags.HasErrors() {
			return cty.UnknownVal(cty.Bool), diags
		}
		return (&hclsyntax.UnaryOpExpr{Op: o.op, Val: literal(*o.left, v), SrcRange: o.Range()}).Value(nil)
	}
	l, leftDiags := (*o.left).Value(ctx)
	r, rightDiags := (*o.right).Value(ctx)
	if leftDiags.HasErrors() || rightDiags.HasErrors() {
		return cty.UnknownVal(cty.Bool), append(slices.Clone(leftDiags), rightDiags...)
	}
	if plain(l) && plain(r) && l.Type() == r.Type() || o.isNull(l, r) {
		if v, ok := o.compare(l, r); ok {
			return v, nil
		}
	}
	return (&hclsyntax.BinaryOpExpr{Op: o.op, LHS: literal(*o.left, l), RHS: literal(*o.right, r), SrcRange: o.Range()}).Value(nil)
}

// compare gives false for what it does not know, like the order of texts.
func (o *operator) compare(l, r cty.Value) (cty.Value, bool) {
	switch {
	case o.op == hclsyntax.OpEqual:
		return l.Equals(r), true
	case o.op == hclsyntax.OpNotEqual:
		return l.NotEqual(r), true
	case l.Type() != cty.Number:
		return cty.NilVal, false
	case o.op == hclsyntax.OpGreaterThan:
		return l.GreaterThan(r), true
	case o.op == hclsyntax.OpGreaterThanOrEqual:
		return l.GreaterThanOrEqualTo(r), true
	case o.op == hclsyntax.OpLessThan:
		return l.LessThan(r), true
	}
	return l.LessThanOrEqualTo(r), true
}

// isNull tells whether the question is only whether something is null.
func (o *operator) isNull(l, r cty.Value) bool {
	equality := o.op == hclsyntax.OpEqual || o.op == hclsyntax.OpNotEqual
	return equality && !l.IsMarked() && !r.IsMarked() && l.IsKnown() && r.IsKnown() && (l.IsNull() || r.IsNull())
}

// literal stands for an operand that has been evaluated.
func literal(e hclsyntax.Expression, v cty.Value) hclsyntax.Expression {
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}
}

// plain tells whether a value is a known text, number or bool.
func plain(v cty.Value) bool {
	return !v.IsMarked() && v.IsKnown() && !v.IsNull() && v.Type().IsPrimitiveType()
}
