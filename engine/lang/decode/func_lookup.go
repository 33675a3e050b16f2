package decode

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// lookupFunc is cty's, with a default that may be left out as in Terraform.
var lookupFunc = function.New(&function.Spec{
	Description: "Gives the element of a map or the attribute of an object under a key, or a default.",
	Params:      []function.Parameter{{Name: "map", Type: cty.DynamicPseudoType, AllowMarked: true}, {Name: "key", Type: cty.String, AllowMarked: true}},
	VarParam:    &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowNull: true, AllowMarked: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		if ty := args[0].Type(); len(args) > 3 {
			return cty.NilType, function.NewArgErrorf(3, "at most three arguments are allowed")
		} else if ty != cty.DynamicPseudoType && !ty.IsMapType() && !ty.IsObjectType() {
			return cty.NilType, function.NewArgErrorf(0, "a map or object is required")
		}
		if len(args) == 3 && !args[2].IsNull() {
			return stdlib.LookupFunc.ReturnTypeForValues(args)
		}
		v, err := found(args)
		return v.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if len(args) == 3 && !args[2].IsNull() {
			return stdlib.LookupFunc.Call(args)
		}
		return found(args)
	},
})

// found is what stands in args[0] under args[1]; without it, null if that is the default, else an error.
func found(args []cty.Value) (cty.Value, error) {
	from, marks := args[0].Unmark()
	key, keyMarks := args[1].Unmark()
	ty := from.Type()
	switch {
	case !ty.IsMapType() && !ty.IsObjectType():
		return cty.DynamicVal, function.NewArgErrorf(0, "a map or object is required")
	case !key.IsKnown() || !from.IsKnown() && ty.IsMapType():
		return cty.DynamicVal.WithMarks(marks, keyMarks), nil
	case ty.IsObjectType() && ty.HasAttribute(key.AsString()):
		return from.GetAttr(key.AsString()).WithMarks(marks, keyMarks), nil
	case ty.IsMapType() && from.HasIndex(key).True():
		return from.Index(key).WithMarks(marks, keyMarks), nil
	case len(args) == 3 && ty.IsMapType():
		return cty.NullVal(ty.ElementType()).WithMarks(marks, keyMarks), nil
	case len(args) == 3:
		return args[2].WithMarks(marks, keyMarks), nil
	}
	return cty.DynamicVal, function.NewArgErrorf(1, "nothing stands under this key, and no default is given")
}
