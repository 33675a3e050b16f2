package hoist

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// equal is == or !=. Most conditions compare a text of a host with another one, and going through a function for that
// takes most of their time.
type equal struct {
	hclsyntax.Expression // as it is written
	op                   *hclsyntax.BinaryOpExpr
}

func (n *equal) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	l, leftDiags := n.op.LHS.Value(ctx)
	r, rightDiags := n.op.RHS.Value(ctx)
	if len(leftDiags)+len(rightDiags) == 0 && plain(l) && plain(r) && l.Type() == r.Type() {
		return cty.BoolVal(l.Equals(r).True() == (n.op.Op == hclsyntax.OpEqual)), nil
	}
	evaluated := hclsyntax.BinaryOpExpr{Op: n.op.Op, SrcRange: n.op.SrcRange,
		LHS: &hclsyntax.LiteralValueExpr{Val: l, SrcRange: n.op.LHS.Range()}, RHS: &hclsyntax.LiteralValueExpr{Val: r, SrcRange: n.op.RHS.Range()}}
	if leftDiags.HasErrors() || rightDiags.HasErrors() {
		return cty.UnknownVal(cty.Bool), append(slices.Clone(leftDiags), rightDiags...)
	}
	return evaluated.Value(nil)
}

// plain tells whether a value is a known text, number or bool.
func plain(v cty.Value) bool {
	return !v.IsMarked() && v.IsKnown() && !v.IsNull() && v.Type().IsPrimitiveType()
}
