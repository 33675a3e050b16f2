package decode

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// countFunc compares as == does: 1 and "1" are different, null is equal to null.
var countFunc = function.New(&function.Spec{
	Description: "Counts the elements of a list that are equal to a value.",
	Params: []function.Parameter{
		{Name: "list", Type: cty.DynamicPseudoType, AllowDynamicType: true},
		{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowNull: true},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		return cty.Number, needList(args[0])
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n := int64(0)
		for _, v := range args[0].Elements() {
			same := v.Equals(args[1])
			switch {
			case !same.IsKnown():
				return cty.UnknownVal(cty.Number), nil
			case same.True():
				n++
			}
		}
		return cty.NumberIntVal(n), nil
	},
})

// containsFunc is cty's, but for a null that has no type: cty gives an unknown answer to the question for it.
var containsFunc = function.New(&function.Spec{
	Description: "Tells whether a value is among the elements of a list, set or tuple.",
	Params: []function.Parameter{
		{Name: "list", Type: cty.DynamicPseudoType},
		{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowNull: true},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		return cty.Bool, needList(args[0])
	},
	RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder { return b.NotNull() },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		unknown := false
		for _, v := range args[0].Elements() {
			same := v.Equals(args[1])
			switch {
			case !same.IsKnown():
				unknown = true
			case same.True():
				return cty.True, nil
			}
		}
		if unknown {
			return cty.UnknownVal(cty.Bool), nil
		}
		return cty.False, nil
	},
})

func needList(v cty.Value) error {
	if ty := v.Type(); ty == cty.DynamicPseudoType || ty.IsListType() || ty.IsSetType() || ty.IsTupleType() {
		return nil
	}
	return function.NewArgErrorf(0, "a list, set or tuple is required")
}

// lengthFunc takes objects and strings, too. The length of a string counts characters as a reader sees them.
var lengthFunc = function.New(&function.Spec{
	Description: "Gives the number of elements, of attributes, or of characters.",
	Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true, AllowMarked: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := args[0].Type()
		if ty == cty.String || ty == cty.DynamicPseudoType || ty.IsCollectionType() || ty.IsTupleType() || ty.IsObjectType() {
			return cty.Number, nil
		}
		return cty.NilType, function.NewArgErrorf(0, "a list, set, map, object or string is required, not a %s", ty.FriendlyName())
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, marks := args[0].Unmark()
		switch ty := v.Type(); {
		case ty.IsTupleType():
			return cty.NumberIntVal(int64(len(ty.TupleElementTypes()))).WithMarks(marks), nil
		case ty.IsObjectType():
			return cty.NumberIntVal(int64(len(ty.AttributeTypes()))).WithMarks(marks), nil
		case !v.IsKnown():
			return cty.UnknownVal(cty.Number).RefineNotNull().WithMarks(marks), nil
		case ty == cty.String:
			n, err := stdlib.Strlen(v)
			return n.WithMarks(marks), err
		}
		return v.Length().WithMarks(marks), nil
	},
})

// coalesceFunc is Terraform's: an empty string counts as absent, which cty's does not do.
var coalesceFunc = function.New(&function.Spec{
	Description: "Gives the first argument that is neither null nor an empty string.",
	VarParam:    &function.Parameter{Name: "values", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowNull: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := common(args)
		if len(args) == 0 {
			return cty.NilType, errors.New("at least one argument is required")
		}
		if ty == cty.NilType {
			return cty.NilType, function.NewArgErrorf(0, "all must have the same type")
		}
		return ty, nil
	},
	Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
		for _, v := range args {
			v, err := convert.Convert(v, ty)
			switch {
			case err != nil:
				return cty.NilVal, err
			case !v.IsKnown():
				return cty.UnknownVal(ty), nil
			case v.IsNull() || ty == cty.String && v.AsString() == "":
				continue
			}
			return v, nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "all are null or empty strings")
	},
})

var indexFunc = function.New(&function.Spec{
	Description: "Gives the place of a value in a list, counted from 0.",
	Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if args[0].Type().IsSetType() {
			return cty.NilType, function.NewArgErrorf(0, "a list or tuple is required")
		}
		return cty.Number, needList(args[0])
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		i := int64(0)
		for _, v := range args[0].Elements() {
			same := v.Equals(args[1])
			switch {
			case !same.IsKnown():
				return cty.UnknownVal(cty.Number), nil
			case same.True():
				return cty.NumberIntVal(i), nil
			}
			i++
		}
		return cty.NilVal, function.NewArgErrorf(1, "it is not in the list")
	},
})

var oneFunc = function.New(&function.Spec{
	Description: "Gives the only element of a list, set or tuple, or null when it is empty.",
	Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch ty := args[0].Type(); {
		case ty.IsListType() || ty.IsSetType():
			return ty.ElementType(), nil
		case ty.IsTupleType() && len(ty.TupleElementTypes()) == 1:
			return ty.TupleElementType(0), nil
		case ty.IsTupleType() && len(ty.TupleElementTypes()) == 0:
			return cty.DynamicPseudoType, nil
		}
		return cty.NilType, function.NewArgErrorf(0, "a list, set or tuple with at most one element is required")
	},
	Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
		n := args[0].Length()
		switch {
		case !n.IsKnown():
			return cty.UnknownVal(ty), nil
		case n.RawEquals(cty.Zero):
			return cty.NullVal(ty), nil
		case !n.RawEquals(cty.NumberIntVal(1)):
			return cty.NilVal, function.NewArgErrorf(0, "a list, set or tuple with at most one element is required")
		}
		for _, v := range args[0].Elements() {
			return v, nil
		}
		return cty.NullVal(ty), nil
	},
})
