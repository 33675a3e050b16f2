package inventory

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// members reads a list of names of groups, each with its own place where they are written one by one.
func (m *Model) members(d *decl, a *hclsyntax.Attribute) []member {
	exprs, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		v, diags := a.Expr.Value(m.ctx)
		m.report(diags)
		if diags.HasErrors() {
			return nil
		}
		return m.names(d, v, a.Expr.Range())
	}
	var out []member
	for _, e := range exprs {
		v, diags := e.Value(m.ctx)
		m.report(diags)
		if !diags.HasErrors() {
			out = append(out, m.names(d, cty.TupleVal([]cty.Value{v}), e.Range())...)
		}
	}
	return out
}

func (m *Model) names(d *decl, v cty.Value, place hcl.Range) []member {
	list, err := convert.Convert(v, cty.List(cty.String))
	if err != nil || list.ContainsMarked() || !list.IsWhollyKnown() || list.IsNull() {
		m.fail(place, "Wrong type", `"groups" must be a list of names of groups.`)
		return nil
	}
	var out []member
	for _, name := range list.Elements() {
		if name.IsNull() {
			m.fail(place, "Null is not allowed", `"groups" must be a list of names of groups.`)
			continue
		}
		out = append(out, member{name.AsString(), place, d})
	}
	return out
}
