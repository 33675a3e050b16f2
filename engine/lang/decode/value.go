package decode

import (
	"errors"
	"fmt"
	"reflect"
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
