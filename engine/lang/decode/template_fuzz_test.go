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

// FuzzTemplate: whatever stands in a file, template() renders it or says where in it the mistake is; it never panics,
// gives nothing but a text, and keeps a secret marked and out of what it complains of.
func FuzzTemplate(f *testing.F) {
	for _, src := range []string{
		"", "plain", "${name}\n", "%{ for h in hosts ~}\n${h.name}: ${h.port}\n%{ endfor ~}", "%{if flag}a%{else}b%{endif}", "${secret}", "$${x} %%{y}", "${upper(name)}",
		"${hosts[0].name}${hosts[9].name}", "${nobody}", "${name", "%{for}", "${template(\"x\", {})}", "${jsonencode(hosts)}", "${[for h in hosts : h.port * 2]}", "${file(\"x\")}",
		"${length(name)}", "${join(\", \", hosts[*].name)}", "${regex(\"(\", name)}", "${secret == \"hunter2\" ? nobody : 1}", "%{ for a in range(3) }%{ for b in range(3) }${a}${b}%{ endfor }%{ endfor }",
		"a\r\n${~ name ~}\r\nb", "${1/0}", "${format(\"%5.2f|%s\", 1, name)}", "\ufeff${name}", "${null}", "${hosts}", "${lookup({}, name)}", "${tonumber(secret)}", "${\"${\"${name}\"}\"}",
	} {
		f.Add(src)
	}
	values := cty.ObjectVal(map[string]cty.Value{
		"name": cty.StringVal("web"), "flag": cty.True, "none": cty.NullVal(cty.String),
		"secret": cty.StringVal("hunter2").Mark(engine.SecretMark{Name: "env:X"}),
		"hosts":  cty.ListVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("a"), "port": cty.NumberIntVal(22)})}),
	})
	call, diags := hclsyntax.ParseExpression([]byte(`template("x.tmpl", values)`), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		f.Fatal(diags)
	}
	f.Fuzz(func(t *testing.T, src string) {
		read := func(string) ([]byte, error) { return []byte(src), nil }
		functions := decode.Functions(decode.FunctionOptions{Dir: "/", Read: read})
		v, diags := call.Value(&hcl.EvalContext{Functions: functions, Variables: map[string]cty.Value{"values": values}})
		if diags.HasErrors() {
			if text := decode.Problems(diags, nil).Error(); strings.Contains(text, "hunter2") && !strings.Contains(src, "hunter2") {
				t.Errorf("the secret is in: %s", text)
			}
			return
		}
		plain, marks := v.Unmark()
		if plain.Type() != cty.String || !plain.IsKnown() || plain.IsNull() {
			t.Fatalf("no text: %#v", v)
		}
		if strings.Contains(plain.AsString(), "hunter2") && len(marks) == 0 {
			t.Error("the secret lost its mark")
		}
		if len(plain.AsString()) > 1<<24 {
			t.Errorf("%d bytes of %d", len(plain.AsString()), len(src))
		}
	})
}
