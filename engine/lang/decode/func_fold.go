package decode

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

var (
	allTrueFunc = fold("Tells whether every element is true; of an empty list they all are.", false)
	anyTrueFunc = fold("Tells whether an element is true.", true)
)

// fold looks for an element that decides: it is the result then. Unknown elements matter only when none decides;
// null counts as false, as in Terraform.
func fold(description string, decides bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			unknown := false
			for _, v := range args[0].Elements() {
				switch {
				case !v.IsKnown():
					unknown = true
				case (!v.IsNull() && v.True()) == decides:
					return cty.BoolVal(decides), nil
				}
			}
			if unknown {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(!decides), nil
		},
	})
}

var sumFunc = function.New(&function.Spec{
	Description: "Adds the numbers of a list or set.",
	Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		return cty.Number, needList(args[0])
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if n := args[0].Length(); n.IsKnown() && n.RawEquals(cty.Zero) {
			return cty.NilVal, function.NewArgErrorf(0, "an empty list has no sum")
		}
		sum := cty.Zero
		for _, v := range args[0].Elements() {
			n, err := convert.Convert(v, cty.Number)
			if err != nil || n.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "every element must be a number")
			}
			sum = sum.Add(n)
		}
		return sum, nil
	},
})

var matchKeysFunc = function.New(&function.Spec{
	Description: "Gives the values whose key, at the same place in the list of keys, is among those searched.",
	Params: []function.Parameter{
		{Name: "values", Type: cty.List(cty.DynamicPseudoType)}, {Name: "keys", Type: cty.List(cty.DynamicPseudoType)}, {Name: "search", Type: cty.List(cty.DynamicPseudoType)},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		if common(args[1:]) == cty.NilType {
			return cty.NilType, function.NewArgErrorf(2, "what is searched must have the type of the keys")
		}
		return args[0].Type(), nil
	},
	Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
		if !args[1].IsWhollyKnown() || !args[2].IsWhollyKnown() {
			return cty.UnknownVal(ty), nil
		}
		keys, search, err := alike(args[1], args[2])
		if err != nil {
			return cty.NilVal, err
		}
		values := args[0].AsValueSlice()
		if len(values) != len(keys) {
			return cty.NilVal, function.NewArgErrorf(1, "as many keys as values are required")
		}
		var out []cty.Value
		for i, key := range keys {
			if slices.ContainsFunc(search, func(s cty.Value) bool { return s.Equals(key).True() }) {
				out = append(out, values[i])
			}
		}
		if len(out) == 0 {
			return cty.ListValEmpty(ty.ElementType()), nil
		}
		return cty.ListVal(out), nil
	},
})

// common is the type to which all values can be converted; cty.NilType: there is none.
func common(values []cty.Value) cty.Type {
	types := make([]cty.Type, len(values))
	for i, v := range values {
		types[i] = v.Type()
	}
	ty, _ := convert.UnifyUnsafe(types)
	return ty
}

// alike gives the elements of two lists that have a common type, as values of it.
func alike(a, b cty.Value) ([]cty.Value, []cty.Value, error) {
	ty := common([]cty.Value{a, b})
	a, err := convert.Convert(a, ty)
	if err != nil {
		return nil, nil, function.NewArgError(1, err)
	}
	b, err = convert.Convert(b, ty)
	if err != nil {
		return nil, nil, function.NewArgError(2, err)
	}
	return a.AsValueSlice(), b.AsValueSlice(), nil
}

var transposeFunc = function.New(&function.Spec{
	Description: "Swaps keys and values of a map of lists of strings.",
	Params:      []function.Parameter{{Name: "map", Type: cty.Map(cty.List(cty.String))}},
	Type:        function.StaticReturnType(cty.Map(cty.List(cty.String))),
	Impl: func(args []cty.Value, ty cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(ty), nil
		}
		keys := map[string][]cty.Value{}
		for key, list := range args[0].Elements() {
			if list.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "no list must be null")
			}
			for _, v := range list.Elements() {
				if v.IsNull() {
					return cty.NilVal, function.NewArgErrorf(0, "no text must be null")
				}
				keys[v.AsString()] = append(keys[v.AsString()], key)
			}
		}
		if len(keys) == 0 {
			return cty.MapValEmpty(ty.ElementType()), nil
		}
		out := map[string]cty.Value{}
		for value, list := range keys {
			out[value] = cty.ListVal(list) // in the order of the map's keys, which is sorted
		}
		return cty.MapVal(out), nil
	},
})
