package decode

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"

	"github.com/dsplay/dsplay/engine"
)

var (
	secretType = reflect.TypeFor[engine.Secret]()
	valueType  = reflect.TypeFor[cty.Value]()
)

// misfit says why a value does not go into a field.
type misfit struct {
	summary, problem string
	path             string // within the argument: "[1].name"
	hint             string // a further sentence
}

func (m *misfit) detail(arg string) string {
	return fmt.Sprintf("%q %s.%s", arg+m.path, m.problem, m.hint)
}

func (m *misfit) under(step string) *misfit {
	if m == nil {
		return nil
	}
	return &misfit{m.summary, m.problem, step + m.path, m.hint}
}

var secretHere = &misfit{summary: "A secret cannot be used here", problem: "takes no secret: it would stand on a command line or in a plan"}

// typeOf is the type that a field takes.
func typeOf(t reflect.Type) cty.Type {
	switch {
	case t == secretType:
		return cty.String
	case t == valueType:
		return cty.DynamicPseudoType
	case t.Kind() == reflect.Pointer:
		return typeOf(t.Elem())
	case t.Kind() == reflect.Slice:
		return cty.List(typeOf(t.Elem()))
	case t.Kind() == reflect.Map:
		return cty.Map(typeOf(t.Elem()))
	case t.Kind() == reflect.Struct:
		var optional []string
		attrs := map[string]cty.Type{}
		for _, f := range engine.Fields(reflect.Zero(t).Interface()) {
			attrs[f.Name] = typeOf(t.Field(f.Index).Type)
			if f.Optional {
				optional = append(optional, f.Name)
			}
		}
		return cty.ObjectWithOptionalAttrs(attrs, optional)
	}
	ty, err := gocty.ImpliedType(reflect.Zero(t).Interface())
	if err != nil {
		panic(fmt.Sprintf("decode: %v cannot be an argument: %v", t, err))
	}
	return ty
}

// fits tells whether a value, known or not, can become what a field of type t takes.
func fits(value cty.Value, t reflect.Type) *misfit {
	_, m := converted(value, t)
	return m
}

func converted(value cty.Value, t reflect.Type) (cty.Value, *misfit) {
	v, err := convert.Convert(value, typeOf(t))
	if err != nil {
		return cty.NilVal, &misfit{summary: "Wrong type", problem: "does not fit: " + err.Error(), path: pathOf(err)}
	}
	return v, nil
}

func pathOf(err error) string {
	var pathErr cty.PathError
	if !errors.As(err, &pathErr) {
		return ""
	}
	var b strings.Builder
	for _, step := range pathErr.Path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			b.WriteString("." + s.Name)
		case cty.IndexStep:
			fmt.Fprintf(&b, "[%s]", show(s.Key, nil))
		}
	}
	return b.String()
}

// set puts a wholly known value that is not null into field; oneOf are the strings allowed, none: any.
func set(field reflect.Value, value cty.Value, oneOf []string) *misfit {
	if value.ContainsMarked() && !holdsSecret(field.Type()) {
		return secretHere
	}
	v, m := converted(value, field.Type())
	if m != nil {
		return m
	}
	return put(field, v, oneOf)
}

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

func secretOf(plain cty.Value, marks cty.ValueMarks) engine.Secret {
	if len(marks) == 0 {
		return engine.Plain(plain.AsString())
	}
	// A Secret with a chosen name and value comes only from a registry; this one is thrown away.
	return new(engine.Secrets).Add(markNames(marks), plain.AsString())
}

// holdsSecret tells whether a secret may be in a field of type t.
func holdsSecret(t reflect.Type) bool {
	switch {
	case t == secretType:
		return true
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		return holdsSecret(t.Elem())
	case t.Kind() == reflect.Struct && t != valueType:
		for i := range t.NumField() {
			if t.Field(i).Tag.Get("hcl") != "" && holdsSecret(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}
