package hoist

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// once is a part that is evaluated once per cache.
type once struct {
	hclsyntax.Expression // the part as it is written
	slot                 int
}

func (o *once) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	root, cache := find(ctx)
	if cache == nil {
		return o.Expression.Value(ctx)
	}
	s := &cache.slots[o.slot]
	s.once.Do(func() { s.value, s.diags = o.Expression.Value(root) })
	return s.value, s.diags
}

// member is contains(list, text) or count(list, text) with a list that is the same for every host: the list is indexed
// once. Without this each call walks the list several times.
type member struct {
	hclsyntax.Expression // the call as it is written
	list, value          hclsyntax.Expression
	slot                 int
	count                bool
}

func (m *member) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	root, cache := find(ctx)
	if cache == nil {
		return m.Expression.Value(ctx)
	}
	v, diags := m.value.Value(ctx)
	if len(diags) > 0 || v.IsMarked() || v.Type() != cty.String || !v.IsKnown() || v.IsNull() {
		return m.Expression.Value(ctx)
	}
	s := &cache.slots[m.slot]
	s.indexed.Do(func() {
		if list, diags := m.list.Value(root); len(diags) == 0 {
			s.index = texts(list)
		}
	})
	switch {
	case s.index == nil:
		return m.Expression.Value(ctx)
	case m.count:
		return cty.NumberIntVal(s.index[v.AsString()]), nil
	}
	return cty.BoolVal(s.index[v.AsString()] > 0), nil
}
