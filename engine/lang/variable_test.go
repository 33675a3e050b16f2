package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
)

const takes = `
variable "text" { type = string }
variable "count" {
  type    = number
  default = 1
  validation {
    condition     = var.count < 10
    error_message = "must be less than 10"
  }
}
variable "flag" {
  type    = bool
  default = false
}
variable "list" {
  type    = list(string)
  default = ["a"]
}
variable "object" {
  type     = object({ a = number, b = optional(string, "z") })
  default  = { a = 1 }
  nullable = false
}
variable "any" { default = null }
variable "secret" {
  type      = map(string)
  default   = {}
  sensitive = true
}
play "p" {
  hosts = group.guests
  step "login" "l" {
    user     = jsonencode([var.text, var.count, var.flag, var.list, var.object, var.any])
    password = jsonencode(var.secret)
    rule "r" { port = 1 }
  }
}
`

func load(t *testing.T, src string, o lang.Options) (*lang.Program, engine.Problems) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "play.hcl")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	return lang.Load(path, o)
}

// given makes options with values as they come from flags.
func given(pairs ...string) lang.Options {
	o := options()
	o.Vars = map[string]lang.Var{}
	for i := 0; i < len(pairs); i += 2 {
		o.Vars[pairs[i]] = lang.Var{Value: pairs[i+1], Origin: "--var " + pairs[i]}
	}
	return o
}

func TestGivenValues(t *testing.T) {
	for want, o := range map[string]lang.Options{
		`["x",1,false,["a"],{"a":1,"b":"z"},null]`:                given("text", "x"),
		`["5",5,true,["b","c"],{"a":2,"b":"z"},"word"]`:           given("text", "5", "count", "5", "flag", "true", "list", `["b", "c"]`, "object", "{ a = 2 }", "any", "word"),
		`["[1]",9,false,[],{"a":3,"b":"y"},"[1]"]`:                given("text", "[1]", "count", "9.0", "list", "[]", "object", `{ a = "3", b = "y" }`, "any", "[1]"),
		`["",1,false,["1","true"],{"a":1,"b":"z"},null]`:          given("text", "", "list", "[1, true]", "object", "null"),
		`["x",1,false,["a"],{"a":1,"b":"z"},"with = \"equals\""]`: given("text", "x", "any", `with = "equals"`),
	} {
		program, problems := load(t, takes, o)
		if problems.Err() != nil {
			t.Errorf("%s: %v", want, problems)
			continue
		}
		r := &runner{t: t, program: program, pass: program.Pass(testInventory(), runVars)}
		m := r.args(r.pass.Begin(r.play("p")).Host("vm1"), r.find("step.l")).Module.(*login)
		if m.User != want {
			t.Errorf("got %s, want %s", m.User, want)
		}
	}
}

func TestRefusedValues(t *testing.T) {
	for want, o := range map[string]lang.Options{
		`"text" has no default. Give it a value with --var text=`:              given(),
		`--var count: the value of "count" is no number: a number is required`: given("text", "x", "count", "many"),
		`--var count: count must be less than 10`:                              given("text", "x", "count", "11"),
		`--var flag: the value of "flag" is no bool`:                           given("text", "x", "flag", "perhaps"),
		`--var list: a list(string) is written as in a playbook: ["a", "b"]`:   given("text", "x", "list", "a,b"),
		`attribute "a" is required`:                                            given("text", "x", "object", "{}"),
		`declares no variable "txt". Did you mean "text"?`:                     given("text", "x", "txt", "y"),
	} {
		program, problems := load(t, takes, o)
		if program != nil || !strings.Contains(problems.Error(), want) {
			t.Errorf("%q is not in: %v", want, problems)
		}
	}
}

func TestAmbientValues(t *testing.T) {
	o := given("text", "x")
	o.Vars["other"] = lang.Var{Value: "y", Origin: "environment variable DSPLAY_VAR_other", Ambient: true}
	if _, problems := load(t, takes, o); problems.Err() != nil {
		t.Error(problems)
	}
}

// TestSensitiveValues: no message holds the value, and it is registered for redaction.
func TestSensitiveValues(t *testing.T) {
	o := given("text", "x", "secret", `{ a = "hunter2" }`)
	program, problems := load(t, takes, o)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if o.Secrets.All()["hunter2"] != "var.secret" {
		t.Errorf("registered: %v", o.Secrets.All())
	}
	r := &runner{t: t, program: program, pass: program.Pass(testInventory(), runVars)}
	args := r.args(r.pass.Begin(r.play("p")).Host("vm1"), r.find("step.l"))
	if m := args.Module.(*login); m.Password.Reveal() != `{"a":"hunter2"}` {
		t.Errorf("password %q", m.Password.Reveal())
	}
	for _, src := range []string{
		"variable \"secret\" {\n type = number\n sensitive = true\n}\ncheck \"c\" {\n condition = var.secret == 1\n error_message = \"x\"\n}",
		"variable \"secret\" {\n type = string\n sensitive = true\n validation {\n condition = length(var.secret) > 99\n error_message = \"not ${var.secret}\"\n}\n}",
		"variable \"secret\" {\n type = list(string)\n sensitive = true\n}",
	} {
		_, problems := load(t, src, given("secret", "hunter2"))
		if problems.Err() == nil || strings.Contains(problems.Error(), "hunter2") {
			t.Errorf("%s\n%v", src, problems)
		}
	}
}

// TestUnreadSecrets: loading reads no secret but what a variable needs.
func TestUnreadSecrets(t *testing.T) {
	src := `
variable "v" { default = secret("env:NOBODY_SETS_THIS") }
play "p" {
  hosts = group.guests
  step "login" "l" {
    user     = "x"
    password = "${secret("env:NOBODY_SETS_THIS_EITHER")}${var.v}"
    rule "r" { port = 1 }
  }
}
`
	if _, problems := load(t, src, options()); !strings.Contains(problems.Error(), "NOBODY_SETS_THIS is not set") {
		t.Errorf("%v", problems)
	}
	if _, problems := load(t, src, given("v", "x")); problems.Err() != nil {
		t.Errorf("%v", problems)
	}
}

// What a playbook names as a secret is known before an entry needs it, where that can be.
func TestReadSecrets(t *testing.T) {
	t.Setenv("LANG_TEST_SECRET", "s3cret-of-a-step")
	src := `
variable "name" { default = "LANG_TEST_SECRET" }
play "p" {
  hosts = group.guests
  step "login" "l" {
    user     = "x"
    password = "${secret("env:${var.name}")}${secret("env:NOBODY_SETS_THIS")}${secret("env:${self.name}")}"
    rule "r" { port = 1 }
  }
}
`
	o := options()
	o.Secrets = &engine.Secrets{}
	p, problems := load(t, src, o)
	if problems.Err() != nil || o.Secrets.Len() != 0 {
		t.Fatalf("%v, %d secrets", problems, o.Secrets.Len())
	}
	p.ReadSecrets()
	if all := o.Secrets.All(); len(all) != 1 || all["s3cret-of-a-step"] != "env:LANG_TEST_SECRET" {
		t.Errorf("%v", all)
	}
}
