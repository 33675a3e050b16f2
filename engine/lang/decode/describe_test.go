package decode_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lang/decode"
)

// TestEveryFunctionIsDescribed: a function without a sentence cannot be looked up. It stands in the function's own
// Description, or in the table in describe.go.
func TestEveryFunctionIsDescribed(t *testing.T) {
	docs := decode.Describe()
	for name := range decode.Functions(decode.FunctionOptions{}) {
		i := slices.IndexFunc(docs, func(d decode.FunctionDoc) bool { return d.Name == name })
		if i < 0 {
			t.Errorf("%s is not described", name)
			continue
		}
		d := docs[i]
		if !strings.HasSuffix(d.Doc, ".") || len(d.Doc) > 220 {
			t.Errorf("%s: one sentence, with a full stop, is wanted: %q", name, d.Doc)
		}
		if !strings.HasPrefix(d.Signature, name+"(") || !slices.Contains(decode.FunctionGroups, d.Group) {
			t.Errorf("%+v", d)
		}
	}
}

func TestSignatures(t *testing.T) {
	for _, want := range []string{
		"join(separator string, lists list(string)...) string", "length(value any) number", "secret(source string) string",
		"lookup(map any, key string[, default any]) any", "can(expression) bool", "count(list any, value any) number",
		"setunion(first_set set(any), other_sets set(any)...) set(any)", "max(numbers number...) number",
	} {
		if !slices.ContainsFunc(decode.Describe(), func(d decode.FunctionDoc) bool { return d.Signature == want }) {
			t.Errorf("nothing has the signature %s", want)
		}
	}
}
