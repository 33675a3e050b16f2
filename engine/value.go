package engine

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/gocty"
)

// Field is one argument of a module or a connection, or one attribute of a result.
type Field struct {
	Name, Doc string
	Type      cty.Type
	Optional  bool     // an argument that may be left out; for a result: it may be null
	Executed  bool     // see Module
	Secret    bool     // it takes a secret
	OneOf     []string // the values allowed; nil: any
	Weakens   string   // of a setting of a connection: the value ("true") with which it is less safe than it could be
	Index     int      // of the struct's field
}

var (
	secretType = reflect.TypeFor[Secret]()
	stringType = reflect.TypeFor[string]()
	boolType   = reflect.TypeFor[bool]()
)

// Fields lists what the tags of a struct (or a pointer to one) declare, in the order of its fields.
// Fields without an hcl tag are left out. It panics on a type that cannot be a cty type: a bug of the module.
func Fields(v any) []Field {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var fields []Field
	for i := range t.NumField() {
		f := t.Field(i)
		name, kind := tagOf(f)
		if name == "" {
			continue
		}
		fields = append(fields, Field{
			Name: name, Doc: f.Tag.Get("doc"), Type: typeOf(f.Type), Index: i,
			Optional: kind == "optional" || f.Type.Kind() == reflect.Pointer,
			Executed: f.Tag.Get("executed") == "true",
			Secret:   f.Type == secretType,
			OneOf:    strings.Fields(f.Tag.Get("oneof")),
			Weakens:  f.Tag.Get("weakens"),
		})
	}
	return fields
}

// tagOf is the name under which a field is known, and what else its tag says; "" when it is no argument and no result.
func tagOf(f reflect.StructField) (name, kind string) {
	name, kind, _ = strings.Cut(f.Tag.Get("hcl"), ",")
	if !f.IsExported() {
		name = ""
	}
	return name, kind
}

// TypeOf is the cty object type of a struct with hcl tags.
func TypeOf(v any) cty.Type {
	attrs := map[string]cty.Type{}
	for _, f := range Fields(v) {
		attrs[f.Name] = f.Type
	}
	return cty.Object(attrs)
}

func typeOf(t reflect.Type) cty.Type {
	switch {
	case t == secretType:
		return cty.String
	case t == reflect.TypeFor[cty.Value]():
		return cty.DynamicPseudoType
	case t.Kind() == reflect.Pointer:
		return typeOf(t.Elem())
	case t.Kind() == reflect.Slice:
		return cty.List(typeOf(t.Elem()))
	case t.Kind() == reflect.Map:
		return cty.Map(typeOf(t.Elem()))
	case t.Kind() == reflect.Struct:
		return TypeOf(reflect.Zero(t).Interface())
	}
	ty, err := gocty.ImpliedType(reflect.Zero(t).Interface())
	if err != nil {
		panic(fmt.Sprintf("engine: %v cannot be a value: %v", t, err))
	}
	return ty
}

// ValueOf is the cty value of a struct with hcl tags, of the type that TypeOf gives. Nil pointers become null,
// nil slices and maps become empty ones. A nil v gives an empty object.
func ValueOf(v any) (cty.Value, error) {
	if v == nil {
		return cty.EmptyObjectVal, nil
	}
	return valueOf(reflect.ValueOf(v))
}

func valueOf(v reflect.Value) (cty.Value, error) {
	switch t := v.Type(); {
	case t == secretType:
		s := v.Interface().(Secret)
		return cty.StringVal(s.Reveal()).Mark(SecretMark{s.Name}), nil
	case t == reflect.TypeFor[cty.Value]():
		return v.Interface().(cty.Value), nil
	case t.Kind() == reflect.Pointer && v.IsNil():
		return cty.NullVal(typeOf(t)), nil
	case t.Kind() == reflect.Pointer:
		return valueOf(v.Elem())
	case t.Kind() == reflect.Slice:
		return listOf(v)
	case t.Kind() == reflect.Map:
		return mapOf(v)
	case t.Kind() == reflect.Struct:
		attrs := make(map[string]cty.Value, t.NumField())
		for i := range t.NumField() {
			name, _ := tagOf(t.Field(i))
			if name == "" {
				continue
			}
			x, err := valueOf(v.Field(i))
			if err != nil {
				return cty.NilVal, fmt.Errorf("%s: %w", name, err)
			}
			attrs[name] = x
		}
		return cty.ObjectVal(attrs), nil
	case t == stringType: // most results are texts and truths
		return cty.StringVal(v.String()), nil
	case t == boolType:
		return cty.BoolVal(v.Bool()), nil
	}
	return gocty.ToCtyValue(v.Interface(), typeOf(v.Type()))
}

func listOf(v reflect.Value) (cty.Value, error) {
	if v.Len() == 0 {
		return cty.ListValEmpty(typeOf(v.Type().Elem())), nil
	}
	items := make([]cty.Value, v.Len())
	for i := range items {
		x, err := valueOf(v.Index(i))
		if err != nil {
			return cty.NilVal, err
		}
		items[i] = x
	}
	return cty.ListVal(items), nil
}

func mapOf(v reflect.Value) (cty.Value, error) {
	if v.Len() == 0 {
		return cty.MapValEmpty(typeOf(v.Type().Elem())), nil
	}
	items := map[string]cty.Value{}
	for key, value := range v.Seq2() {
		x, err := valueOf(value)
		if err != nil {
			return cty.NilVal, err
		}
		items[key.String()] = x
	}
	return cty.MapVal(items), nil
}
