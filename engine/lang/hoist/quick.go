package hoist

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// quick is length(…), or alltrue or anytrue of a list that is written out. A call of a function looks for marks in all
// that it is given, several times; here that is only so where a value is not a plain one.
type quick struct {
	*hclsyntax.FunctionCallExpr // as it is written
	elements                    []hclsyntax.Expression
}

// quickOf gives nil for a call that is left to HCL.
func quickOf(x *hclsyntax.FunctionCallExpr) *quick {
	if len(x.Args) != 1 || x.ExpandFinal {
		return nil
	}
	switch x.Name {
	case "length":
		return &quick{x, nil}
	case "alltrue", "anytrue":
		if list, ok := x.Args[0].(*hclsyntax.TupleConsExpr); ok {
			return &quick{x, list.Exprs}
		}
	}
	return nil
}

func (q *quick) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	known := q.length
	if q.Name != "length" {
		known = q.fold
	}
	if v, ok := known(ctx); ok {
		return v, nil
	}
	return q.FunctionCallExpr.Value(ctx)
}

// length gives false for a text, whose length is not simply known, and for a set, where unknown elements may be equal.
func (q *quick) length(ctx *hcl.EvalContext) (cty.Value, bool) {
	v, diags := q.Args[0].Value(ctx)
	if len(diags) > 0 || v.IsMarked() || !v.IsKnown() || v.IsNull() {
		return cty.NilVal, false
	}
	switch t := v.Type(); {
	case t.IsListType() || t.IsMapType():
		return cty.NumberIntVal(int64(v.LengthInt())), true
	case t.IsTupleType():
		return cty.NumberIntVal(int64(t.Length())), true
	}
	return cty.NilVal, false
}

// fold evaluates all elements, as a list would be, so that an error in any of them is one.
func (q *quick) fold(ctx *hcl.EvalContext) (cty.Value, bool) {
	decides, decided := q.Name == "anytrue", false
	for _, e := range q.elements {
		v, diags := e.Value(ctx)
		if len(diags) > 0 || !plain(v) || v.Type() != cty.Bool {
			return cty.NilVal, false
		}
		decided = decided || v.True() == decides
	}
	return cty.BoolVal(decided == decides), true
}
