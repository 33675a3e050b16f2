package hoist

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// logic is && or ||. HCL's own takes null for false where it stands with &&, so that the result of an entry that was
// skipped would decide silently. Here null decides nothing: when the other side does not decide either, it is an error.
type logic struct {
	hclsyntax.Expression // as it is written
	op                   *hclsyntax.BinaryOpExpr
}

// Value keeps HCL's short circuit: an error on a side that does not matter is none. What is on the right is not even
// evaluated when the left decides: a secret there leaves no mark then, because nothing of it is in the value.
func (n *logic) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	l, leftMarks, leftDiags := truth(n.op.LHS, ctx)
	if len(leftMarks) == 0 && len(leftDiags) == 0 && l.IsKnown() && !l.IsNull() && l.True() == (n.op.Op == hclsyntax.OpLogicalOr) {
		return l, nil
	}
	r, rightMarks, rightDiags := truth(n.op.RHS, ctx)
	v, diags := n.decide(l, r, leftDiags, rightDiags)
	return v.WithMarks(leftMarks, rightMarks), diags
}

func (n *logic) decide(l, r cty.Value, leftDiags, rightDiags hcl.Diagnostics) (cty.Value, hcl.Diagnostics) {
	deciding := cty.BoolVal(n.op.Op == hclsyntax.OpLogicalOr)
	unknown := cty.UnknownVal(cty.Bool).RefineNotNull()
	switch {
	case l.RawEquals(deciding):
		return deciding, leftDiags
	case r.RawEquals(deciding):
		return deciding, rightDiags
	case leftDiags.HasErrors():
		return unknown, append(slices.Clone(leftDiags), rightDiags...)
	case !l.IsKnown():
		return unknown, leftDiags
	case rightDiags.HasErrors():
		return unknown, rightDiags
	case !r.IsKnown():
		return unknown, rightDiags
	case l.IsNull():
		return unknown, isNull(n.op.LHS)
	case r.IsNull():
		return unknown, isNull(n.op.RHS)
	}
	return cty.BoolVal(!deciding.True()), nil
}

// truth evaluates one side.
func truth(e hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, cty.ValueMarks, hcl.Diagnostics) {
	v, diags := e.Value(ctx)
	v, marks := v.Unmark()
	if v.Type() == cty.Bool {
		return v, marks, diags
	}
	b, err := convert.Convert(v, cty.Bool)
	if err != nil {
		diags = append(slices.Clone(diags), problem(e, "Neither true nor false", "A bool is needed here: "+err.Error()+"."))
		return cty.UnknownVal(cty.Bool), marks, diags
	}
	return b, marks, diags
}

func isNull(e hclsyntax.Expression) hcl.Diagnostics {
	return hcl.Diagnostics{problem(e, "Neither true nor false", "This is null, so nothing can be decided.")}
}

func problem(e hclsyntax.Expression, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: e.Range().Ptr()}
}
