package decode

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/gocty"

	"github.com/dsplay/dsplay/engine"
)

// put is set for a value that has the type of field.
func put(field reflect.Value, value cty.Value, oneOf []string) *misfit {
	plain, marks := value.Unmark()
	t := field.Type()
	switch {
	case t == valueType:
		field.Set(reflect.ValueOf(value))
		return nil
	case plain.IsNull() && t.Kind() == reflect.Pointer:
		return nil
	case plain.IsNull():
		return &misfit{summary: "Null is not allowed", problem: "must not be null"}
	case t == secretType:
		field.Set(reflect.ValueOf(secretOf(plain, marks)))
		return nil
	case len(marks) > 0 && !holdsSecret(t):
		return secretHere
	case t.Kind() == reflect.Pointer:
		field.Set(reflect.New(t.Elem()))
		return put(field.Elem(), value, oneOf)
	case t.Kind() == reflect.Slice:
		return putList(field, plain, marks, oneOf)
	case t.Kind() == reflect.Map:
		return putMap(field, plain, marks, oneOf)
	case t.Kind() == reflect.Struct:
		return putStruct(field, plain, marks)
	}
	if err := gocty.FromCtyValue(plain, field.Addr().Interface()); err != nil {
		return &misfit{summary: "Wrong value", problem: "does not fit: " + err.Error()}
	}
	if len(oneOf) > 0 && t.Kind() == reflect.String && !slices.Contains(oneOf, field.String()) {
		return &misfit{summary: "Wrong value", problem: "must be one of " + strings.Join(oneOf, ", "), hint: Suggest(field.String(), oneOf)}
	}
	return nil
}

func putList(field reflect.Value, list cty.Value, marks cty.ValueMarks, oneOf []string) *misfit {
	out := reflect.MakeSlice(field.Type(), list.LengthInt(), list.LengthInt())
	for i, v := range list.AsValueSlice() {
		if m := put(out.Index(i), v.WithMarks(marks), oneOf); m != nil {
			return m.under(fmt.Sprintf("[%d]", i))
		}
	}
	field.Set(out)
	return nil
}

func putMap(field reflect.Value, values cty.Value, marks cty.ValueMarks, oneOf []string) *misfit {
	out := reflect.MakeMap(field.Type())
	for key, v := range values.AsValueMap() {
		item := reflect.New(field.Type().Elem()).Elem()
		if m := put(item, v.WithMarks(marks), oneOf); m != nil {
			return m.under("." + key)
		}
		out.SetMapIndex(reflect.ValueOf(key).Convert(field.Type().Key()), item)
	}
	field.Set(out)
	return nil
}

func putStruct(field reflect.Value, object cty.Value, marks cty.ValueMarks) *misfit {
	for _, f := range engine.Fields(field.Interface()) {
		v := object.GetAttr(f.Name)
		if plain, _ := v.Unmark(); plain.IsNull() && f.Optional {
			continue
		}
		if m := put(field.Field(f.Index), v.WithMarks(marks), f.OneOf); m != nil {
			return m.under("." + f.Name)
		}
	}
	return nil
}
