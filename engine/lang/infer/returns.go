package infer

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// better improves on what a function says of its result before it knows the values.
func better(name string, args []Type, ty cty.Type) cty.Type {
	if len(args) == 0 || !ty.HasDynamicTypes() {
		return ty
	}
	t := args[0].Type
	switch name {
	case "tolist", "toset", "tomap":
		return collected(name, t, ty)
	case "coalescelist":
		return oneOfLists(args, ty)
	}
	if ty != cty.DynamicPseudoType {
		return ty
	}
	switch {
	case name == "flatten":
		leaves, exact := flattened(t)
		return uniform(leaves, exact)
	case name == "lookup" && t.IsMapType(), (name == "element" || name == "one") && t.IsListType():
		return t.ElementType()
	case name == "concat":
		return concatenated(args)
	case name == "merge" && t.IsMapType():
		for _, a := range args[1:] {
			if !a.Equals(t) {
				return ty
			}
		}
		return t
	}
	return ty
}

// collected is the type that tolist, toset or tomap makes of a type.
func collected(name string, t, ty cty.Type) cty.Type {
	var elements []cty.Type
	switch {
	case t.IsCollectionType():
		elements = []cty.Type{t.ElementType()}
	case t.IsTupleType():
		elements = t.TupleElementTypes()
	case t.IsObjectType():
		elements = slices.Collect(maps.Values(t.AttributeTypes()))
	}
	if slices.ContainsFunc(elements, cty.Type.HasDynamicTypes) {
		return ty
	}
	e, _ := convert.UnifyUnsafe(elements)
	switch {
	case e == cty.NilType || e == cty.DynamicPseudoType:
		return ty
	case name == "tolist":
		return cty.List(e)
	case name == "toset":
		return cty.Set(e)
	}
	return cty.Map(e)
}

// oneOfLists is the type of the first list of some that is not empty.
func oneOfLists(args []Type, ty cty.Type) cty.Type {
	out := cty.NilType
	for _, a := range args {
		switch {
		case a.Equals(cty.EmptyTuple):
		case !a.IsListType() || out != cty.NilType && !out.Equals(a.Type):
			return ty
		default:
			out = a.Type
		}
	}
	if out == cty.NilType {
		return ty
	}
	return out
}

// concatenated is the type of lists and tuples one after the other.
func concatenated(args []Type) cty.Type {
	var all []cty.Type
	exact := true
	for _, a := range args {
		switch {
		case a.IsListType():
			all, exact = append(all, a.ElementType()), false
		case a.IsTupleType():
			all = append(all, a.TupleElementTypes()...)
		default:
			return cty.DynamicPseudoType
		}
	}
	return uniform(all, exact)
}

// flattened are the types of the elements of all lists in a list; exact: each stands for one element.
func flattened(t cty.Type) (types []cty.Type, exact bool) {
	switch {
	case t.IsListType() || t.IsSetType():
		types, _ = flattened(t.ElementType())
		return types, false
	case t.IsTupleType():
		exact = true
		for _, e := range t.TupleElementTypes() {
			inner, one := flattened(e)
			types, exact = append(types, inner...), exact && one
		}
		return types, exact
	}
	return []cty.Type{t}, true
}

// uniform is the type of a sequence of elements of these types: a tuple when each stands for one, a list when they are
// all the same, else nobody knows.
func uniform(types []cty.Type, exact bool) cty.Type {
	for _, t := range types {
		if t == cty.DynamicPseudoType {
			return t
		}
	}
	switch {
	case exact:
		return cty.Tuple(types)
	case len(types) == 0:
		return cty.DynamicPseudoType
	}
	for _, t := range types[1:] {
		if !t.Equals(types[0]) {
			return cty.DynamicPseudoType
		}
	}
	return cty.List(types[0])
}
