package inventory

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// typed is a type that a declaration gives to an attribute.
type typed struct {
	ty    cty.Type
	by    *decl
	place hcl.Range
}

// unifyAttributes finds the one type of every attribute and converts the values to it.
func (m *Model) unifyAttributes() {
	types := map[string][]typed{}
	for _, decls := range []map[string]*decl{m.groups, m.hosts} {
		for _, key := range sortedKeys(decls) {
			for name, a := range decls[key].attrs {
				types[name] = addType(types[name], typed{typeOf(a.value), a.by, a.place})
			}
		}
	}
	for _, s := range m.sources {
		for name, ty := range s.attrs {
			types[name] = addType(types[name], typed{ty, s.decl, s.decl.place})
		}
	}
	m.types = make(map[string]cty.Type, len(types))
	for name, list := range types {
		m.types[name] = m.unify(name, list)
	}
	for _, decls := range []map[string]*decl{m.groups, m.hosts} {
		for _, d := range decls {
			m.convertAll(d)
		}
	}
}

// typeOf is the type of a value; of null it is not known and anything will do.
func typeOf(v cty.Value) cty.Type {
	if v.IsNull() {
		return cty.DynamicPseudoType
	}
	return v.Type()
}

func addType(list []typed, t typed) []typed {
	for _, known := range list {
		if known.ty.Equals(t.ty) {
			return list
		}
	}
	return append(list, t)
}

// unify is the type to which all types of an attribute can be converted.
func (m *Model) unify(name string, list []typed) cty.Type {
	var first typed
	var types []cty.Type
	for _, t := range list {
		if t.ty == cty.DynamicPseudoType {
			continue
		}
		types = append(types, t.ty)
		if u, _ := convert.Unify(types); u != cty.NilType {
			if first.by == nil {
				first = t
			}
			continue
		}
		types = types[:len(types)-1]
		m.fail(t.place, "Types do not fit", fmt.Sprintf("The attribute %q is of type %s for the %s, but of type %s for the %s (%s). An attribute has one type for all hosts.",
			name, typeName(t.ty), t.by, typeName(first.ty), first.by, line(first.place)))
	}
	if len(types) == 0 {
		return cty.DynamicPseudoType
	}
	u, _ := convert.Unify(types)
	return asList(u)
}

// typeName calls a type what its author would call it.
func typeName(ty cty.Type) string {
	if ty.IsTupleType() {
		return "list"
	}
	return ty.FriendlyName()
}

// asList makes a list type of a tuple type, so that [1] and [1, 2] on two hosts are the same kind of thing.
func asList(ty cty.Type) cty.Type {
	if !ty.IsTupleType() || ty.Length() == 0 {
		return ty
	}
	if elem, _ := convert.Unify(ty.TupleElementTypes()); elem != cty.NilType && elem != cty.DynamicPseudoType {
		return cty.List(elem)
	}
	return ty
}

// convertAll converts the attributes of d; one whose type does not fit was reported and stays.
func (m *Model) convertAll(d *decl) {
	for name, a := range d.attrs {
		ty := m.types[name]
		if a.value.Type().Equals(ty) {
			continue
		}
		if v, err := convert.Convert(a.value, ty); err == nil {
			a.value = v
			d.attrs[name] = a
		}
	}
}
