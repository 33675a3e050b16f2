package hoist

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// once is a part that is evaluated once per cache.
type once struct {
	hclsyntax.Expression // the part as it is written
	slot                 int
}

// Value evaluates in a child of the root of its own: HCL keeps the item of a splat by context, and the same splat may be
// part of two hoisted parts that are evaluated at once.
func (o *once) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	root, cache := find(ctx)
	if cache == nil {
		return o.Expression.Value(ctx)
	}
	s := &cache.slots[o.slot]
	s.once.Do(func() { s.value, s.diags = o.Expression.Value(root.NewChild()) })
	return s.value, s.diags
}

// member is contains(list, text), count(list, text) or lookup(map, text, …) with a collection that is the same for every
// host: it is indexed once. Each call walks the whole collection several times otherwise, looking for marks.
type member struct {
	*hclsyntax.FunctionCallExpr // as it is written
	slot                        int
}

func (m *member) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	root, cache := find(ctx)
	if cache == nil {
		return m.FunctionCallExpr.Value(ctx)
	}
	key, diags := m.Args[1].Value(ctx)
	if len(diags) > 0 || key.IsMarked() || key.Type() != cty.String || !key.IsKnown() || key.IsNull() {
		return m.FunctionCallExpr.Value(ctx)
	}
	s := &cache.slots[m.slot]
	s.once.Do(func() { s.index(m.Args[0].Value(root.NewChild())) })
	switch {
	case m.Name == "lookup" && s.elements != nil:
		if v, ok := m.found(s, key.AsString(), ctx); ok {
			return v, nil
		}
	case m.Name == "contains" && s.texts != nil:
		return cty.BoolVal(s.texts[key.AsString()] > 0), nil
	case m.Name == "count" && s.texts != nil:
		return cty.NumberIntVal(s.texts[key.AsString()]), nil
	}
	return m.FunctionCallExpr.Value(ctx)
}

// found is what a map has under key, or the default; false: the function itself has to say.
func (m *member) found(s *slot, key string, ctx *hcl.EvalContext) (cty.Value, bool) {
	if v, ok := s.elements[key]; ok {
		return v, true
	}
	if len(m.Args) < 3 {
		return cty.NilVal, false
	}
	v, diags := m.Args[2].Value(ctx)
	if len(diags) > 0 || v.IsNull() {
		return cty.NilVal, false
	}
	v, err := convert.Convert(v, s.value.Type().ElementType())
	return v, err == nil
}
