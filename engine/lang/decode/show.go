package decode

import (
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
)

// shownLimit is how much of one value is shown, in characters.
const shownLimit = 2000

// Show renders a value as short text of the language: secrets by name, unknown parts as (unknown).
// What is longer than 2000 characters is cut.
func Show(v cty.Value) string { return show(v, nil) }

// show is Show for a value that goes into a field of type t (nil: none), where a plain text may be a secret, too.
func show(v cty.Value, t reflect.Type) string {
	var b strings.Builder
	write(&b, v, t)
	text := b.String()
	if r := []rune(text); len(r) > shownLimit {
		return string(r[:shownLimit]) + "…"
	}
	return text
}

func write(b *strings.Builder, v cty.Value, t reflect.Type) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v.IsMarked() {
		_, marks := v.Unmark()
		b.WriteString("«secret: " + markNames(marks) + "»")
		return
	}
	switch ty := v.Type(); {
	case !v.IsKnown():
		b.WriteString("(unknown)")
	case v.IsNull():
		b.WriteString("null")
	case t == secretType:
		b.WriteString(engine.Plain("").String())
	case ty == cty.String:
		b.WriteString(quote(v.AsString()))
	case ty == cty.Number:
		b.WriteString(decimal(v.AsBigFloat()))
	case ty == cty.Bool:
		b.WriteString(strconv.FormatBool(v.True()))
	case ty.IsObjectType() || ty.IsMapType():
		writeMap(b, v.AsValueMap(), t)
	case v.CanIterateElements():
		writeList(b, v, t)
	default:
		b.WriteString("(" + ty.FriendlyName() + ")")
	}
}

// decimal is a number as it is written. Whole ones, which most are, need no arithmetic for that.
func decimal(n *big.Float) string {
	if i, exact := n.Int64(); exact == big.Exact {
		return strconv.FormatInt(i, 10)
	}
	return n.Text('f', -1)
}

func writeList(b *strings.Builder, list cty.Value, t reflect.Type) {
	if t != nil && t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	b.WriteByte('[')
	first := true
	for _, v := range list.Elements() {
		if !first {
			b.WriteString(", ")
		}
		first = false
		write(b, v, t)
	}
	b.WriteByte(']')
}

func writeMap(b *strings.Builder, values map[string]cty.Value, t reflect.Type) {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	b.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			b.WriteString(", ")
		}
		if hclsyntax.ValidIdentifier(key) {
			b.WriteString(key)
		} else {
			b.WriteString(quote(key))
		}
		b.WriteString(" = ")
		write(b, values[key], memberType(t, key))
	}
	b.WriteByte('}')
}

// memberType is the type of what stands under key in a field of type t; nil when nothing is known of it.
func memberType(t reflect.Type, key string) reflect.Type {
	switch {
	case t == nil || t == valueType:
		return nil
	case t.Kind() == reflect.Map:
		return t.Elem()
	case t.Kind() == reflect.Struct:
		for _, f := range engine.Fields(reflect.Zero(t).Interface()) {
			if f.Name == key {
				return t.Field(f.Index).Type
			}
		}
	}
	return nil
}

// quote is JSON's quoting, which leaves letters of every script readable.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil { // a string can always be encoded
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// markNames joins the names of the secrets that a value was made of.
func markNames(marks cty.ValueMarks) string {
	var names []string
	for mark := range marks {
		if secret, ok := mark.(engine.SecretMark); ok {
			names = append(names, secret.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
