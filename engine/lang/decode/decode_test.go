package decode_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

type rule struct {
	Name   string        `hcl:"name,label"`
	Ports  []int         `hcl:"ports,optional"`
	Secret engine.Secret `hcl:"secret,optional"`
}

type account struct {
	User     string        `hcl:"user"`
	Password engine.Secret `hcl:"password,optional"`
}

type args struct {
	Name     string            `hcl:"name"`
	State    string            `hcl:"state,optional" oneof:"started stopped restarted"`
	Count    int               `hcl:"count,optional"`
	Ratio    float64           `hcl:"ratio,optional"`
	Force    *bool             `hcl:"force,optional"`
	Features []string          `hcl:"features,optional"`
	Env      map[string]string `hcl:"env,optional"`
	Password engine.Secret     `hcl:"password,optional"`
	Accounts []account         `hcl:"accounts,optional"`
	Rules    []rule            `hcl:"rule,block"`
	Limit    *rule             `hcl:"limit,block"`
	hidden   int               //nolint:unused // Struct must pass it by
}

// evalContext knows var.unknown, var.secret (named env:PW, "hunter2") and var.secrets, a list with a secret in it.
func evalContext() *hcl.EvalContext {
	secret := cty.StringVal("hunter2").Mark(engine.SecretMark{Name: "env:PW"})
	return &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{
			"unknown": cty.UnknownVal(cty.String), "anything": cty.DynamicVal, "number": cty.UnknownVal(cty.Number),
			"secret": secret, "secrets": cty.ListVal([]cty.Value{cty.StringVal("a"), secret}),
			"none": cty.NullVal(cty.String),
		})},
		Functions: decode.Functions(decode.FunctionOptions{}),
	}
}

func parse(t testing.TB, src string) *hcl.File {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(src), "test.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return f
}

// run decodes src into args with defaults state = "started" and count = 7.
func run(t testing.TB, src string) (args, decode.Body, string) {
	t.Helper()
	f := parse(t, src)
	a := args{State: "started", Count: 7}
	body, diags := decode.Struct(f.Body, evalContext(), &a, nil)
	if len(diags) == 0 {
		b := args{State: "started", Count: 7}
		ctx := evalContext()
		again, diags := decode.Again(f.Body.(*hclsyntax.Body), &b, func(e hcl.Expression) (cty.Value, hcl.Diagnostics) { return e.Value(ctx) })
		if len(diags) > 0 || !reflect.DeepEqual(a, b) || !reflect.DeepEqual(body, again) {
			t.Errorf("again: %v %v %v", b, again, diags)
		}
	}
	return a, body, decode.Problems(diags, map[string]*hcl.File{"test.hcl": f}).Error()
}

func TestStruct(t *testing.T) {
	a, body, problems := run(t, `
name     = upper("ds")
count    = null
ratio    = 1.5
force    = true
features = ["x", 1]
env      = { A = "b" }
password = var.secret
accounts = [{ user = "u", password = var.secret }, { user = "v" }]
rule "one" {
  ports  = [1, 2]
  secret = "plain"
}
rule "two" {}
limit "x" { ports = [3] }
`)
	if problems != "" {
		t.Fatal(problems)
	}
	yes := true
	accounts := a.Accounts
	a.Accounts = nil
	secret := new(engine.Secrets).Add("env:PW", "hunter2")
	want := args{Name: "DS", State: "started", Count: 7, Ratio: 1.5, Force: &yes, Features: []string{"x", "1"}, Env: map[string]string{"A": "b"},
		Password: secret, Rules: []rule{{"one", []int{1, 2}, engine.Plain("plain")}, {Name: "two"}}, Limit: &rule{Name: "x", Ports: []int{3}}}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	if !reflect.DeepEqual(accounts, []account{{"u", secret}, {User: "v"}}) {
		t.Errorf("accounts: %+v", accounts)
	}
	if len(body.Unknown) != 0 {
		t.Errorf("unknown: %v", body.Unknown)
	}
	wantShown := []engine.Arg{
		{Name: "accounts", Value: `[{password = «secret: env:PW», user = "u"}, {user = "v"}]`},
		{Name: "env", Value: `{A = "b"}`}, {Name: "features", Value: `["x", 1]`}, {Name: "force", Value: "true"},
		{Name: "limit.name", Value: `"x"`}, {Name: "limit.ports", Value: "[3]"}, {Name: "name", Value: `"DS"`}, {Name: "password", Value: "«secret: env:PW»"}, {Name: "ratio", Value: "1.5"},
		{Name: "rule[0].name", Value: `"one"`}, {Name: "rule[0].ports", Value: "[1, 2]"}, {Name: "rule[0].secret", Value: "«secret: plain text»"}, {Name: "rule[1].name", Value: `"two"`},
	}
	if !slices.Equal(body.Shown, wantShown) {
		t.Errorf("shown:\n%v\nwant\n%v", body.Shown, wantShown)
	}
}

// TestPlainContentIsShown: who approves what a field holds that may be a secret, and is none, has to see it.
func TestPlainContentIsShown(t *testing.T) {
	var target struct {
		Content engine.Secret            `hcl:"content,optional" plain:"shown"`
		Params  map[string]engine.Secret `hcl:"params,optional" plain:"shown"`
		Hidden  engine.Secret            `hcl:"hidden,optional"`
	}
	body, diags := decode.Struct(parse(t, `
content = "port = 8080"
params  = { Name = "svc", Password = var.secret }
hidden  = "x"
`).Body, evalContext(), &target, nil)
	want := []engine.Arg{{Name: "content", Value: `"port = 8080"`}, {Name: "hidden", Value: "«secret: plain text»"},
		{Name: "params", Value: `{Name = "svc", Password = «secret: env:PW»}`}}
	if diags.HasErrors() || !slices.Equal(body.Shown, want) {
		t.Errorf("shown: %v %v", body.Shown, diags)
	}
}

func TestUnknownStaysDefault(t *testing.T) {
	a, body, problems := run(t, `
name  = "x"
state = var.unknown
count = var.number
env   = { A = var.unknown }
rule "one" { ports = [var.number] }
`)
	if problems != "" {
		t.Fatal(problems)
	}
	if a.State != "started" || a.Count != 7 || a.Env != nil || a.Rules[0].Ports != nil {
		t.Errorf("an unknown argument changed its field: %+v", a)
	}
	if want := []string{"count", "env", "rule[0].ports", "state"}; !slices.Equal(body.Unknown, want) {
		t.Errorf("unknown %v, want %v", body.Unknown, want)
	}
	if i := slices.IndexFunc(body.Shown, func(a engine.Arg) bool { return a.Name == "env" }); body.Shown[i].Value != "{A = (unknown)}" {
		t.Errorf("shown %v", body.Shown)
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"missing":             {`count = 1`, `The argument "name" is required`},
		"null for required":   {`name = var.none`, `its value is null`},
		"unsupported":         {"name = \"x\"\nstaet = 1", `Did you mean "state"?`},
		"one of":              {"name = \"x\"\nstate = \"strated\"", `"state" must be one of started, stopped, restarted. Did you mean "started"?`},
		"type":                {"name = \"x\"\ncount = \"many\"", `"count" does not fit: a number is required.`},
		"fraction":            {"name = \"x\"\ncount = 1.5", `a whole number`},
		"type of element":     {"name = \"x\"\nrule \"a\" {\n ports = [1, \"b\"]\n}", `"ports[1]" does not fit: a number is required.`},
		"type of unknown":     {"name = \"x\"\nfeatures = var.number", `"features" does not fit`},
		"null element":        {"name = \"x\"\nfeatures = [\"a\", null]", `"features[1]" must not be null`},
		"attribute of object": {"name = \"x\"\naccounts = [{}]", `attribute "user" is required`},
		"secret":              {`name = var.secret`, `"name" takes no secret`},
		"secret in text":      {`name = "pw=${var.secret}"`, `"name" takes no secret`},
		"secret in list":      {"name = \"x\"\nfeatures = var.secrets", `"features" takes no secret`},
		"secret in unknown":   {"name = \"x\"\nfeatures = [var.secret, var.unknown]", `"features" takes no secret`},
		"secret user":         {"name = \"x\"\naccounts = [{ user = var.secret }]", `"accounts[0].user" takes no secret`},
		"block twice":         {"name = \"x\"\nlimit \"a\" {}\nlimit \"b\" {}", `Only one "limit" block is allowed`},
		"block unknown":       {"name = \"x\"\nrul \"a\" {}", `Did you mean "rule"?`},
		"evaluation":          {`name = var.nothing`, `does not have an attribute named "nothing"`},
		"function and secret": {"name = \"x\"\ncount = parseint(var.secret, 10)", `not shown, because a secret is in it`},
		"try and secret":      {"name = \"x\"\ncount = try(tonumber(var.secret))", `not shown, because a secret is in it`},
		"key and secret":      {"name = \"x\"\nenv = { for x in [1, 2] : var.secret => x }", `not shown, because a secret is in it`},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, problems := run(t, c.src)
			if !strings.Contains(problems, c.want) {
				t.Errorf("%q is not in\n%s", c.want, problems)
			}
			if strings.Contains(problems, "hunter2") {
				t.Errorf("the secret is in\n%s", problems)
			}
			if !strings.Contains(problems, "test.hcl:") {
				t.Errorf("no place in\n%s", problems)
			}
		})
	}
}

func TestAllMistakesTogether(t *testing.T) {
	_, _, problems := run(t, "state = \"x\"\ncount = true\nwrong = 1\n")
	if n := strings.Count(problems, "error:"); n != 4 {
		t.Errorf("%d mistakes instead of 4:\n%s", n, problems)
	}
}

func TestEvalReplacesContext(t *testing.T) {
	f := parse(t, `name = anything.at.all`)
	var a args
	_, diags := decode.Struct(f.Body, nil, &a, func(hcl.Expression) (cty.Value, hcl.Diagnostics) { return cty.StringVal("given"), nil })
	if diags.HasErrors() || a.Name != "given" {
		t.Errorf("%q, %v", a.Name, diags)
	}
}

func FuzzStruct(f *testing.F) {
	for _, s := range []string{"name = 1", `name = var.secret`, `env = {A = var.secrets}`, "rule \"a\" {\nports = [1]\n}\nlimit {}", `accounts = [{user = null}]`,
		`name = cidrsubnet("10.0.0.0/8", 8, 1)`, `features = setproduct([1],[2])`, `name = template("x", {})`, `count = duration("1d")`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		file, diags := hclsyntax.ParseConfig([]byte(src), "test.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		var a args
		_, diags = decode.Struct(file.Body, evalContext(), &a, nil)
		if text := decode.Problems(diags, map[string]*hcl.File{"test.hcl": file}).Error(); strings.Contains(text, "hunter2") && !strings.Contains(src, "hunter2") {
			t.Errorf("the secret is in\n%s", text)
		}
	})
}

func BenchmarkStruct(b *testing.B) {
	f := parse(b, "name = var.name\nstate = \"started\"\nfeatures = [\"a\", \"b\"]\n")
	ctx := evalContext()
	ctx.Variables["var"] = cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("x")})
	b.ReportAllocs()
	for b.Loop() {
		var a args
		if _, diags := decode.Struct(f.Body, ctx, &a, nil); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}
