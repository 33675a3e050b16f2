package decode_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// What is shown is an expression that gives the value back.
func TestPrettyIsAnExpression(t *testing.T) {
	long := cty.StringVal(strings.Repeat("x", 50))
	for _, v := range []cty.Value{
		cty.StringVal(`a "quoted" ${template} %{if} \n`),
		cty.StringVal("two\nlines ${x}\n"),
		cty.StringVal("EOT\nis in it\n"),
		cty.NumberIntVal(3), cty.True, cty.NullVal(cty.DynamicPseudoType),
		cty.EmptyTupleVal, cty.EmptyObjectVal,
		cty.TupleVal([]cty.Value{long, long, cty.ObjectVal(map[string]cty.Value{"a b": long, "c": cty.TupleVal([]cty.Value{long})})}),
		cty.ObjectVal(map[string]cty.Value{"a": long, "b": long, "c": cty.EmptyTupleVal}),
	} {
		text := decode.Pretty(v)
		e, diags := hclsyntax.ParseExpression([]byte(text+"\n"), "x", hcl.InitialPos)
		if diags.HasErrors() {
			t.Errorf("%s: %v", text, diags)
			continue
		}
		if got, diags := e.Value(nil); diags.HasErrors() || !got.RawEquals(v) {
			t.Errorf("%s: got %#v, want %#v (%v)", text, got, v, diags)
		}
	}
}

func TestPrettyForm(t *testing.T) {
	host := cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("esx1"), "state": cty.StringVal(strings.Repeat("y", 40))})
	for _, c := range []struct {
		v    cty.Value
		want string
	}{
		{cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")}), `["a", "b"]`},
		{cty.SetVal([]cty.Value{cty.StringVal("a")}), `toset(["a"])`},
		{cty.MapVal(map[string]cty.Value{"x": cty.True}), `{x = true}`},
		{cty.ListVal([]cty.Value{host, host}), "[\n  {name = \"esx1\", state = \"" + strings.Repeat("y", 40) + "\"},\n  {name = \"esx1\", state = \"" + strings.Repeat("y", 40) + "\"},\n]"},
		{cty.UnknownVal(cty.String), "(unknown)"},
		{cty.TupleVal([]cty.Value{cty.StringVal("p").Mark(engine.SecretMark{Name: "env:P"})}), "[«secret: env:P»]"},
		{cty.StringVal("two\nlines").Mark(engine.SecretMark{Name: "env:P"}), "«secret: env:P»"},
	} {
		if got := decode.Pretty(c.v); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}
