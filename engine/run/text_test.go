package run

import (
	"testing"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

func TestTextIsCtysJSON(t *testing.T) {
	for _, v := range []cty.Value{
		cty.EmptyObjectVal, cty.StringVal(""), cty.StringVal("a \"b\"\\ <c> & \n \u2028 é"), cty.NullVal(cty.String), cty.NumberFloatVal(1.5), cty.True,
		cty.ObjectVal(map[string]cty.Value{
			"z": cty.StringVal("plain"), "a": cty.False, "n": cty.NumberIntVal(7), "none": cty.NullVal(cty.Number), "é\"": cty.True,
			"list": cty.ListVal([]cty.Value{cty.StringVal("x")}), "empty": cty.ListValEmpty(cty.String), "map": cty.MapVal(map[string]cty.Value{"k": cty.Zero}),
			"object": cty.ObjectVal(map[string]cty.Value{"b": cty.StringVal("<"), "a": cty.TupleVal([]cty.Value{cty.True, cty.StringVal("t")})}),
		}),
		cty.UnknownVal(cty.String), cty.StringVal("secret").Mark("m"), cty.ObjectVal(map[string]cty.Value{"a": cty.UnknownVal(cty.Bool)}),
		cty.ObjectVal(map[string]cty.Value{"a": cty.StringVal("secret").Mark("m")}), cty.ObjectVal(map[string]cty.Value{"a": cty.True}).Mark("m"),
	} {
		want, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			want = nil
		}
		if got := text(v); got != string(want) {
			t.Errorf("%#v: got %s, want %s", v, got, want)
		}
	}
	if got := text(cty.NilVal); got != "" {
		t.Errorf("nothing: got %q", got)
	}
}
