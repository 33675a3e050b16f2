package infer_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// scope knows a list of objects, a map, a secret, and something of which nothing is known.
type scope struct{ functions map[string]function.Function }

var names = map[string]infer.Type{
	"hosts":  infer.Of(cty.List(cty.Object(map[string]cty.Type{"name": cty.String, "free": cty.Number, "tags": cty.Map(cty.String), "disks": cty.List(cty.Object(map[string]cty.Type{"path": cty.String}))}))),
	"map":    infer.Of(cty.Map(cty.Number)),
	"secret": infer.Secret(cty.String),
	"open":   infer.Object(map[string]infer.Type{"user": infer.Of(cty.String), "password": infer.Secret(cty.String)}),
	"inner":  infer.Of(cty.Map(cty.Object(map[string]cty.Type{"name": cty.String}))),
	"any":    infer.Dynamic,
	"flag":   infer.Of(cty.Bool),
	"set":    infer.Of(cty.Set(cty.String)),
}

func (s scope) Name(t hcl.Traversal) (infer.Type, int, *hcl.Diagnostic) {
	if n, ok := names[t.RootName()]; ok {
		return n, 1, nil
	}
	return infer.Dynamic, 0, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown name", Detail: t.RootName(), Subject: t.SourceRange().Ptr()}
}
func (s scope) Reserved(name string) bool               { return name == "hosts" }
func (s scope) Functions() map[string]function.Function { return s.functions }
func (s scope) Observe(cty.Type)                        {}
func (s scope) Attribute(cty.Type, string, hcl.Range)   {}
func (s scope) Unchecked(hcl.Range)                     {}
func (s scope) NoAttribute(cty.Type, string) (string, bool, bool) {
	return "", false, false
}

func (s scope) Constant(e hclsyntax.Expression) (cty.Value, hcl.Diagnostics, bool) {
	c, ok := e.(*hclsyntax.FunctionCallExpr)
	if len(e.Variables()) > 0 || ok && c.Name == "secret" {
		return cty.NilVal, nil, false
	}
	v, diags := e.Value(&hcl.EvalContext{Functions: s.functions})
	return v, diags, diags.HasErrors() || v.IsWhollyKnown()
}

func of(t *testing.T, src string) (infer.Type, hcl.Diagnostics) {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(src), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(src, diags)
	}
	return infer.Expr(e, scope{decode.Functions(decode.FunctionOptions{})})
}

func TestTypes(t *testing.T) {
	for src, want := range map[string]string{
		`1 + map["x"]`: "number", `"a${map.x}"`: "string", `!flag`: "bool", `hosts[0].name`: "string", `hosts[*].free`: "list(number)", `hosts.*.tags.a`: "list(string)",
		`[for h in hosts : h.free > 1]`: "list(bool)", `{ for h in hosts : h.name => h.free }`: "map(number)", `{ for h in hosts : h.name => h.free... }`: "map(list(number))",
		`{ for i, h in hosts : i => h.tags }`: "map(map(string))", `[for k, v in map : "${k}${v}"]`: "list(string)", `[for x in set : x]`: "list(string)", `[for x in any : x.y.z]`: "list(any)",
		`[for x in [1, 2] : x + 1]`: "list(number)", `[for x in [1, "a"] : x]`: "list(any)", `[for x in [{ a = 1 }, { a = 2, b = 3 }] : x.a]`: "list(number)", `{ for k, v in { a = 1, b = 2 } : k => v }`: "map(number)",
		`flag ? 1 : 2`: "number", `flag ? null : map`: "map(number)", `flag ? hosts : []`: "list(object({disks=list(object({path=string})),free=number,name=string,tags=map(string)}))", `flag ? any : 1`: "any", `flag ? 1 : "a"`: "string",
		`[1, "a", flag]`: "tuple([number,string,bool])", `{ a = 1, "b" = flag }`: "object({a=number,b=bool})", `{ (hosts[0].name) = 1 }`: "map(number)", `{ (hosts[0].name) = 1, b = "x" }`: "any",
		`length(hosts) > 1 && flag`: "bool", `upper(hosts[0].name)`: "string", `keys(map)`: "list(string)", `values(map)`: "list(number)", `merge(map, map)`: "map(number)", `merge({ a = 1 }, { b = flag })`: "object({a=number,b=bool})",
		`concat(hosts[*].name, ["x"], [])`: "list(string)", `concat([1], ["x"])`: "tuple([number,string])", `flatten([[1], [[2]]])`: "tuple([number,number])", `flatten([hosts[*].name, set])`: "list(string)", `flatten([for h in hosts : h.disks])`: "list(object({path=string}))",
		`lookup(map, "x", 0)`: "number", `lookup(map, "x")`: "number", `element(hosts, 0).free`: "number", `one(hosts[*].name)`: "string", `try(hosts[0].free, 0)`: "number", `try(hosts[0].free, "none")`: "any", `can(hosts[0].free)`: "bool",
		`jsondecode("{\"a\": [1]}").a[0]`: "number", `jsondecode(hosts[0].name)`: "any", `regex("^(?P<a>x)", hosts[0].name).a`: "string", `max(map.a, 1)`: "number", `max(values(map)...)`: "number", `zipmap(["a"], [1])`: "object({a=number})",
		`sum([for h in hosts : h.free])`: "number", `sort(keys(map))`: "list(string)", `tolist(hosts)[0].free`: "number", `tolist(toset(hosts))[0].free`: "number", `tomap({ a = hosts })["a"][0].free`: "number", `tolist([1, "a"])`: "list(string)", `toset([1, any])`: "set(any)", `coalescelist(hosts, [])[0].free`: "number", `toset(["a"])`: "set(string)", `"%{for h in hosts}${h.name}%{endfor}"`: "string", `hosts[0][*].name`: "list(string)", `any[0].x[*].y`: "any", `hosts[any.x]["name"]`: "string",
		`[for h in hosts : [for d in h.disks : { p = d.path, h = h.name }]]`: "list(list(object({h=string,p=string})))",
	} {
		got, diags := of(t, src)
		if diags.HasErrors() {
			t.Errorf("%s: %v", src, diags)
			continue
		}
		if name := typeexpr.TypeString(got.Type); name != want {
			t.Errorf("%s is %s, want %s", src, name, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for src, want := range map[string]string{
		`hosts[0].nam`: `no attribute "nam" here. Did you mean "name"?`, `hosts[*].fre`: `"fre"`, `hosts.name`: `[*].name`, `[for h in hosts : [for d in h.disks : d.pth]]`: `"pth"`, `nobody.x`: "nobody",
		`{ for h in hosts : h.name => h... }["x"][0].y`: `"y"`, `[for h in [for g in hosts : { a = g }] : h.a.b]`: `"b"`, `hosts[*].disks[0].x`: `"x"`, `(flag ? hosts[0] : null).x`: `"x"`, `[hosts][0][0].x`: `"x"`, `{ a = hosts }.a[0].x`: `"x"`,
		`[for hosts in [1] : hosts]`: "a meaning of its own", `1 == "1"`: "never equals", `hosts == []`: "never equals", `"${hosts} "`: "cannot stand in a text", `hosts && flag`: "bool is needed", `flag ? 1 : hosts`: "must have one type",
		`uppr("x")`: `Did you mean "upper"?`, `upper(hosts)`: "upper()", `hosts["name"]`: "needs a number", `set[0]`: "tolist()", `flag[0]`: "no elements", `[1][5]`: "There are 1 elements", `sum(flag)`: "sum()", `regex("(", hosts[0].name)`: "regex()", `"x".y`: "no attributes",
		`[for x in 5 : x]`: "is needed here", `[for h in hosts : h if h.name]`: "bool is needed", `{ for h in hosts : h => 1 }`: "must be a string", `tonumber("x")`: `cannot convert "x"`, `try(uppr("x"))`: "uppr", `try(nobody.x)`: "nobody",
		`flag ? tonumber("x") : 1`: `cannot convert "x"`, `[for h in hosts : tonumber("x")]`: `cannot convert "x"`, `log(0, 2)`: "no finite result", `1e400000000`: "of this size", `try(tostring(-1e-400000000), 1)`: "of this size", `map.x / 0`: "always 0", `secret("vault:x")`: `"env:NAME", "file:PATH" or "credential:NAME"`, `secret("env:")`: "env:NAME",
		`inner.name`: `inner["key"].name, or [for key, x in inner : x.name]`, `[for h in [inner] : h.name]`: `Write h["key"].name`, `[inner][*].name`: `…["key"].name`,
	} {
		_, diags := of(t, src)
		if !diags.HasErrors() || !strings.Contains(diags[0].Error(), want) || len(diags) != 1 {
			t.Errorf("%s: %v, want %s", src, diags, want)
		}
	}
}

// TestNotKnownToBeWrong: what depends on values, or is caught, is no mistake.
func TestNotKnownToBeWrong(t *testing.T) {
	for _, src := range []string{`try({ a = 1 }.b, 2)`, `can(tonumber("x"))`, `flag ? tonumber(hosts[0].name) : 1`, `flag && tonumber(hosts[0].name) > 1`, `flag ? file("none") : ""`, `map.x`, `any.x.y[5].z`, `try([1][5], 0)`, `null == hosts`, `hosts[5]`, `any == 1`} {
		if _, diags := of(t, src); diags.HasErrors() {
			t.Errorf("%s: %v", src, diags)
		}
	}
}

func TestSecrecy(t *testing.T) {
	for src, want := range map[string]bool{
		`secret`: true, `"a${secret}"`: true, `upper(secret)`: true, `secret == "x"`: true, `[secret, "x"][0]`: true, `[secret, "x"][1]`: false, `[secret, "x"]`: true, `open.user`: false, `open.password`: true, `open`: true, `{ a = open }.a.user`: false,
		`{ a = open }.a.password`: true, `[for x in [open] : x.user]`: false, `[for x in [open] : x.password]`: true, `flag ? open.user : secret`: true, `keys(open)`: false, `length([secret])`: false, `length(secret)`: true, `jsonencode(open)`: true, `join(",", [secret])`: true,
		`contains([secret], "x")`: true, `[open][*].user`: false, `[open][*].password`: true, `secret("env:X")`: true, `{ for x in ["a"] : x => secret }["a"]`: true, `secret == "x" ? 1 : 2`: true, `map[secret]`: true,
	} {
		got, diags := of(t, src)
		if diags.HasErrors() || got.HoldsSecret() != want {
			t.Errorf("%s holds a secret: %v, want %v (%v)", src, got.HoldsSecret(), want, diags)
		}
	}
}
