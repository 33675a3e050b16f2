package lang

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// settled gives a value the type that the loader inferred: tuples become lists and objects maps, once, so that what
// reads them later need not convert them every time. What does not fit stays as it is.
func settled(v cty.Value, t cty.Type) cty.Value {
	if v.IsMarked() {
		v, marks := v.Unmark()
		return settled(v, t).WithMarks(marks)
	}
	ty := v.Type()
	switch {
	case v.IsNull() && !ty.Equals(t) && !t.HasDynamicTypes(): // also a list that flatten() left as an element, because it is null
		return cty.NullVal(t)
	case ty == cty.DynamicPseudoType && t != cty.DynamicPseudoType && !v.IsKnown():
		return cty.UnknownVal(t)
	case !v.IsKnown() && !ty.Equals(t) && !t.HasDynamicTypes(): // an object for a map, under a key that is not known yet
		return cty.UnknownVal(t)
	case !v.IsKnown() || v.IsNull() || ty.Equals(t):
		return v
	case t.IsListType() && (ty.IsTupleType() || ty.IsListType()):
		return settledList(v, t)
	case t.IsMapType() && (ty.IsObjectType() || ty.IsMapType()):
		values := v.AsValueMap()
		for key, e := range values {
			values[key] = settled(e, t.ElementType())
		}
		if len(values) == 0 {
			return cty.MapValEmpty(t.ElementType())
		}
		return mapOf(values)
	case t.IsObjectType() && ty.IsObjectType():
		values := v.AsValueMap()
		for key, e := range values {
			if t.HasAttribute(key) {
				values[key] = settled(e, t.AttributeType(key))
			}
		}
		return cty.ObjectVal(values)
	case t.IsTupleType() && ty.IsTupleType() && t.Length() == ty.Length():
		values := v.AsValueSlice()
		for i, e := range values {
			values[i] = settled(e, t.TupleElementType(i))
		}
		return cty.TupleVal(values)
	case t.IsCollectionType() && !t.HasDynamicTypes() && !ty.Equals(t): // an empty list of anything, for example
		if c, err := convert.Convert(v, t); err == nil {
			return c
		}
	}
	return v
}

func settledList(v cty.Value, t cty.Type) cty.Value {
	values := v.AsValueSlice()
	for i, e := range values {
		values[i] = settled(e, t.ElementType())
	}
	return listOf(values, t.ElementType())
}
