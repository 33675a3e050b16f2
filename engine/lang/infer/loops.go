package infer

import (
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// element is one kind of element that a loop meets: its key and its value.
type element struct{ key, value Type }

// elements are the kinds of elements of a collection; false: it cannot be iterated.
func (w *walker) elements(t Type) ([]element, bool) {
	switch {
	case t.isDynamic():
		return []element{{Dynamic, t.element(cty.DynamicPseudoType)}}, true
	case t.IsMapType():
		return []element{{Of(cty.String), t.element(t.ElementType())}}, true
	case t.IsListType():
		return []element{{Of(cty.Number), t.element(t.ElementType())}}, true
	case t.IsSetType():
		return []element{{t.element(t.ElementType()), t.element(t.ElementType())}}, true
	case t.IsTupleType():
		var all []element
		for i, et := range t.TupleElementTypes() {
			all = append(all, element{Of(cty.Number), Type{et, t.secret.at(strconv.Itoa(i))}})
		}
		return distinct(all), true
	case t.IsObjectType():
		w.scope.Observe(t.Type)
		var all []element
		for name := range t.AttributeTypes() {
			all = append(all, element{Of(cty.String), t.attr(name)})
		}
		return distinct(all), true
	}
	return nil, false
}

// manyKinds is the number of different types from which on they are taken for one dynamic type.
const manyKinds = 8

// distinct joins elements of the same type; none gives one of which nothing is known.
func distinct(all []element) []element {
	var out []element
	for _, e := range all {
		i := slices.IndexFunc(out, func(o element) bool { return o.value.Equals(e.value.Type) })
		if i < 0 {
			out = append(out, e)
			continue
		}
		out[i].value.secret = out[i].value.secret.and(e.value.secret)
	}
	if len(out) == 0 {
		return []element{{Dynamic, Dynamic}}
	}
	if len(out) < manyKinds {
		return out
	}
	any := element{out[0].key, Dynamic}
	for _, e := range out {
		any.value.secret = any.value.secret.and(e.value.secret)
	}
	return []element{any}
}

func (w *walker) forExpr(e *hclsyntax.ForExpr) Type {
	for _, name := range []string{e.KeyVar, e.ValVar} {
		if name != "" && w.scope.Reserved(name) {
			w.fail(e.Range(), "Name is taken", "%q has a meaning of its own in expressions; call the variable something else.", name)
		}
	}
	coll := w.expr(e.CollExpr)
	kinds, ok := w.elements(coll)
	if !ok {
		return w.fail(e.CollExpr.Range(), "Nothing to iterate", "A list, set, map or object is needed here, and this is %s.", friendly(coll.Type))
	}
	w.guarded++
	var values []Type
	var secret *secrecy // of a condition or a key: the whole result holds it
	for _, kind := range kinds {
		v, s := w.body(e, kind)
		values = append(values, v)
		secret = secret.and(s)
	}
	w.guarded--
	value := join(values)
	out := Type{cty.List(value.Type), value.secret.list()}
	if e.KeyExpr != nil {
		inner := value
		if e.Group {
			inner = out
		}
		out = Type{cty.Map(inner.Type), inner.secret.list()}
	}
	if coll.IsSecret() {
		secret = coll.secret
	}
	out.secret = out.secret.and(secret)
	return out
}

// body infers what a loop makes of an element, and the secrecy of its condition and key.
func (w *walker) body(e *hclsyntax.ForExpr, kind element) (Type, *secrecy) {
	before := len(w.bound)
	if e.KeyVar != "" {
		w.bound = append(w.bound, binding{e.KeyVar, kind.key})
	}
	w.bound = append(w.bound, binding{e.ValVar, kind.value})
	defer func() { w.bound = w.bound[:before] }()
	var secret *secrecy
	if e.CondExpr != nil {
		t := w.expr(e.CondExpr)
		w.operand(e.CondExpr, t, cty.Bool)
		secret = w.refuse(e.CondExpr, t, "condition")
	}
	if e.KeyExpr != nil {
		t := w.expr(e.KeyExpr)
		if !Converts(t.Type, cty.String) {
			w.fail(e.KeyExpr.Range(), "Wrong key", "A key must be a string, and this is %s.", friendly(t.Type))
		}
		secret = secret.and(w.refuse(e.KeyExpr, t, "key"))
	}
	return w.expr(e.ValExpr), secret
}

func (w *walker) refuse(e hclsyntax.Expression, t Type, what string) *secrecy {
	if t.HoldsSecret() {
		w.fail(e.Range(), "A secret cannot be used here", "The %s of a for expression decides what is done and shown, so it must not hold a secret.", what)
	}
	return flat(t)
}

func (w *walker) splat(e *hclsyntax.SplatExpr) Type {
	t := w.expr(e.Source)
	if t.isDynamic() {
		w.items[e.Item] = t.element(cty.DynamicPseudoType)
		w.expr(e.Each)
		return Type{cty.DynamicPseudoType, t.secret}
	}
	kinds := []element{{Dynamic, t}} // a single value counts as a list of one, null as an empty one
	if t.isSequence() {
		kinds, _ = w.elements(t)
	}
	var values []Type
	for _, kind := range kinds {
		w.items[e.Item] = kind.value
		values = append(values, w.expr(e.Each))
	}
	value := join(values)
	return Type{cty.List(value.Type), value.secret.list()}
}
