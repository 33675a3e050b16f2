package scenario

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// hosts is the body of an inventory block with its "hosts" turned into host blocks: many hosts in one expression,
//
//	hosts = { for i in range(4) : "web${i}" => { groups = ["web"], rack = "a" } }
func (f *File) hosts(body *hclsyntax.Body) *hclsyntax.Body {
	a := body.Attributes["hosts"]
	if a == nil {
		return body
	}
	out := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, Blocks: append(hclsyntax.Blocks(nil), body.Blocks...), SrcRange: body.SrcRange, EndRange: body.EndRange}
	for name, other := range body.Attributes {
		if name != "hosts" {
			out.Attributes[name] = other
		}
	}
	v, ok := f.value(a.Expr, nil)
	if !ok {
		return out
	}
	if !v.IsWhollyKnown() || v.IsNull() || !(v.Type().IsObjectType() || v.Type().IsMapType()) {
		f.fail(a.Expr.Range(), "Wrong value", "hosts is an object of objects: { web1 = { groups = [\"web\"] } }.")
		return out
	}
	for it := v.ElementIterator(); it.Next(); {
		name, attrs := it.Element()
		block, err := hostBlock(name.AsString(), attrs, a)
		if err != nil {
			f.fail(a.Expr.Range(), "Wrong value", "hosts: %s.", err)
			return out
		}
		out.Blocks = append(out.Blocks, block)
	}
	return out
}

// hostBlock is the block that a person would have written; its place is that of the whole expression.
func hostBlock(name string, attrs cty.Value, at *hclsyntax.Attribute) (*hclsyntax.Block, error) {
	if attrs.IsNull() || !(attrs.Type().IsObjectType() || attrs.Type().IsMapType()) {
		return nil, fmt.Errorf("what stands behind %q must be an object of its attributes, {} for none", name)
	}
	body := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: at.SrcRange, EndRange: at.SrcRange}
	for it := attrs.ElementIterator(); it.Next(); {
		key, value := it.Element()
		body.Attributes[key.AsString()] = &hclsyntax.Attribute{Name: key.AsString(), Expr: &hclsyntax.LiteralValueExpr{Val: value, SrcRange: at.Expr.Range()},
			SrcRange: at.SrcRange, NameRange: at.NameRange, EqualsRange: at.EqualsRange}
	}
	return &hclsyntax.Block{Type: "host", Labels: []string{name}, Body: body, TypeRange: at.NameRange, LabelRanges: []hcl.Range{at.Expr.Range()},
		OpenBraceRange: at.EqualsRange, CloseBraceRange: at.EqualsRange}, nil
}
