package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// loadForEach loads for_each, and gives the place of what may name each. Only a when that names each is judged for each item.
func (l *loader) loadForEach(e *entry, at place) place {
	a := e.block.Body.Attributes["for_each"]
	if a == nil {
		return at
	}
	at.what = "for_each"
	x := l.compile(a.Expr, at)
	value := infer.Dynamic
	switch {
	case x.wrong:
	case x.typ.HoldsSecret():
		l.fail(x.place, "A secret cannot be used here", `"for_each" decides what is done, and is shown: it must not hold a secret.`)
		x.wrong = true
	default:
		var ok bool
		if value, ok = itemType(x.typ.Type); !ok {
			l.fail(x.place, "Wrong type", `"for_each" takes a map, or a set or list of strings, not %s. Of a list of objects make a map: { for x in … : x.name => x }.`, x.typ.FriendlyName())
			x.wrong = true
		}
	}
	e.ForEach, e.forEach = exprOf(x), x
	each := infer.Object(map[string]infer.Type{"key": infer.Of(cty.String), "value": value})
	at.each = &each
	return at
}

// itemType is the type of each.value; false: t cannot be walked by key.
func itemType(t cty.Type) (infer.Type, bool) {
	var types []cty.Type
	switch {
	case t == cty.DynamicPseudoType:
		return infer.Dynamic, true
	case t.IsMapType():
		return infer.Of(t.ElementType()), true
	case t.IsObjectType():
		types = slices.Collect(maps.Values(t.AttributeTypes()))
	case t.IsListType(), t.IsSetType():
		return infer.Of(cty.String), t.ElementType() == cty.String || t.ElementType() == cty.DynamicPseudoType
	case t.IsTupleType():
		for _, e := range t.TupleElementTypes() {
			if e != cty.String && e != cty.DynamicPseudoType {
				return infer.Dynamic, false
			}
		}
		return infer.Of(cty.String), true
	default:
		return infer.Dynamic, false
	}
	for _, other := range types {
		if !other.Equals(types[0]) {
			return infer.Dynamic, true
		}
	}
	if len(types) == 0 {
		return infer.Dynamic, true
	}
	return infer.Of(types[0]), true
}

// namesEach tells whether an expression names each.
func namesEach(e hclsyntax.Expression) bool {
	return slices.ContainsFunc(e.Variables(), func(t hcl.Traversal) bool { return t.RootName() == "each" })
}

// Each implements engine.HostScope.
func (h *hostScope) Each(e *engine.Entry) ([]engine.Each, []string, error) {
	x := h.entries[e]
	h = h.in(x.play)
	v, err := h.value(x.forEach, h.context())
	switch {
	case err != nil:
		return nil, nil, h.explained(err, x.forEach)
	case !v.IsKnown() || !v.Type().IsMapType() && !v.Type().IsObjectType() && !v.IsWhollyKnown():
		h.Set(e, engine.Result{Value: cty.UnknownVal(x.typ)})
		return nil, h.waiting(x.forEach.refs), nil
	case v.IsNull():
		return nil, nil, h.explained(h.wrong(x.forEach, h.name, "for_each is null"+nullText(x.forEach.nulls(h.context()))), x.forEach)
	}
	values, wrong := itemsOf(v)
	if wrong != "" {
		return nil, nil, h.wrong(x.forEach, h.name, wrong)
	}
	h.keep(x, result{value: x.none(), set: true, items: map[string]result{}})
	var items []engine.Each
	for _, key := range slices.Sorted(maps.Keys(values)) {
		items = append(items, engine.Each{Key: key, Scope: h.item(x, key, values[key])})
	}
	return items, nil, nil
}

// itemsOf gives the items of a known value by key.
func itemsOf(v cty.Value) (map[string]cty.Value, string) {
	if v.Type().IsMapType() || v.Type().IsObjectType() {
		return v.AsValueMap(), ""
	}
	set, err := convert.Convert(v, cty.Set(cty.String))
	if err != nil {
		return nil, "for_each must be a map, or a set or list of strings"
	}
	values := map[string]cty.Value{}
	for _, e := range set.Elements() {
		if e.IsNull() {
			return nil, "an item of for_each is null"
		}
		values[e.AsString()] = e
	}
	return values, ""
}

// item is the scope of one item: the host's, with each.
func (h *hostScope) item(of *entry, key string, value cty.Value) *hostScope {
	each := cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(key), "value": value})
	return &hostScope{playScope: h.playScope, name: h.name, results: h.results, host: h, itemOf: of, key: key, each: each}
}

// setItem makes the result of one item known. The entry as a whole has a result when no item of it is unknown.
func (h *hostScope) setItem(x *entry, key string, r engine.Result) {
	all := h.results[x.slot]
	unknown := r.Value != cty.NilVal && !r.Value.IsKnown()
	if all.items == nil {
		all.items = map[string]result{}
	}
	all.items[key] = result{value: x.object(r), status: r.Status, set: !unknown, planned: unknown}
	values := map[string]cty.Value{}
	all.set, all.planned = true, false
	for key, item := range all.items {
		values[key] = item.value
		all.set, all.planned = all.set && item.set, all.planned || item.planned
	}
	all.value = mapOf(values)
	h.keep(x, all)
}

// none is what an entry with for_each leaves when it had no item, or was skipped: a map without keys.
func (e *entry) none() cty.Value { return cty.MapValEmpty(e.item) }
