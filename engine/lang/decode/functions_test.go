package decode_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// eval evaluates src with var.unknown, var.secret and so on.
func eval(t testing.TB, src string, opts decode.FunctionOptions) (cty.Value, string) {
	t.Helper()
	ctx := evalContext()
	ctx.Functions = decode.Functions(opts)
	return evalIn(t, src, ctx)
}

func evalIn(t testing.TB, src string, ctx *hcl.EvalContext) (cty.Value, string) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(src), "x", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", src, diags)
	}
	v, diags := expr.Value(ctx)
	return v, decode.Problems(diags, nil).Error()
}

// The expected values are what Terraform's documentation gives for these calls, and for our own functions what
// the design says.
func TestFunctions(t *testing.T) {
	for src, want := range map[string]string{
		`startswith("hello world", "hello")`: "true", `endswith("hello", "lo")`: "true", `strcontains("hello world", "wor")`: "true", `strcontains("a", "b")`: "false",
		`length([])`: "0", `length(["a", 2])`: "2", `length({ a = 1 })`: "1", `length("hello")`: "5", `length("👾🕹️")`: "2", `length(toset(["a", "a"]))`: "1",
		`replace("1 + 2 + 3", "+", "-")`: `"1 - 2 - 3"`, `replace("hello world", "/w.*d/", "everybody")`: `"hello everybody"`, `replace("ab", "/(a)(b)/", "$2$1")`: `"ba"`, `replace("a/b", "/", "-")`: `"a-b"`,
		`coalesce("", "b")`: `"b"`, `coalesce(null, 1, 2)`: "1", `coalesce(["", "b"]...)`: `"b"`,
		`index(["a", "b", "c"], "b")`: "1", `lookup({a = "ay"}, "a", "what?")`: `"ay"`, `lookup({a = "ay"}, "c", "what?")`: `"what?"`, `lookup(tomap({a = "ay"}), "a")`: `"ay"`, `lookup({a = 1}, "b", null)`: "null",
		`one([])`: "null", `one(["x"])`: `"x"`, `one(toset([1]))`: "1", `sum([10, 13, 6, 4.5])`: "33.5",
		`alltrue([])`: "true", `alltrue(["true", true])`: "true", `alltrue([true, false])`: "false", `anytrue([])`: "false", `anytrue([false, "true"])`: "true", `alltrue([true, null])`: "false",
		`alltrue([false, var.unknown == "a"])`: "false", `alltrue([true, var.unknown == "a"])`: "(unknown)", `anytrue([true, var.unknown == "a"])`: "true", `anytrue([false, var.unknown == "a"])`: "(unknown)",
		`matchkeys(["i-1", "i-2", "i-3"], ["w", "e", "w"], ["w"])`: `["i-1", "i-3"]`, `matchkeys(["a"], ["b"], ["c"])`: "[]", `transpose({"a" = ["1", "2"], "b" = ["2", "3"]})`: `{"1" = ["a"], "2" = ["a", "b"], "3" = ["b"]}`,
		`count(["a", "b", "a"], "a")`: "2", `count([], 1)`: "0", `count(["a", null], null)`: "1", `count([1, 2], "1")`: "0", `count(["a", var.unknown], "a")`: "(unknown)", `count(toset(["a"]), "a")`: "1",
		`duration("90s")`: "90", `duration("1h30m")`: "5400", `duration("7d")`: "604800", `duration("1d12h")`: "129600", `duration("1.5d")`: "129600", `duration("0.5s")`: "0.5", `duration("0s")`: "0",
		`shq("it's")`: `"'it'\\''s'"`, `psq("it's")`: `"'it''s'"`,
		`base64encode("Hello World")`: `"SGVsbG8gV29ybGQ="`, `base64decode("SGVsbG8gV29ybGQ=")`: `"Hello World"`, `urlencode("foo:bar@localhost?foo=bar&bar=baz")`: `"foo%3Abar%40localhost%3Ffoo%3Dbar%26bar%3Dbaz"`,
		`md5("hello world")`: `"5eb63bbbe01eeed093cb22bb8f5acdc3"`, `sha1("hello world")`: `"2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"`,
		`sha256("hello world")`:                                        `"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"`,
		`substr(sha512("hello world"),0,8)`:                            `"309ecc48"`,
		`timecmp("2017-11-22T00:00:00Z", "2017-11-22T01:00:00+01:00")`: "0", `timecmp("2017-11-22T00:00:00Z", "2017-11-22T01:00:00Z")`: "-1", `timeadd("2017-11-22T00:00:00Z", "10m")`: `"2017-11-22T00:10:00Z"`,
		`cidrhost("10.12.112.0/20", 16)`: `"10.12.112.16"`, `cidrhost("10.12.112.0/20", 268)`: `"10.12.113.12"`, `cidrhost("10.0.0.0/8", -1)`: `"10.255.255.255"`, `cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)`: `"fd00:fd12:3456:7890::22"`,
		`cidrnetmask("172.16.0.0/12")`: `"255.240.0.0"`, `cidrsubnet("172.16.0.0/12", 4, 2)`: `"172.18.0.0/16"`, `cidrsubnet("10.1.2.0/24", 4, 15)`: `"10.1.2.240/28"`, `cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)`: `"fd00:fd12:3456:7800:a200::/72"`,
		`basename("/var/log/ds.log")`: `"ds.log"`, `dirname("/var/log/ds.log")`: `"/var/log"`,
		`tolist(["a", 1])`: `["a", "1"]`, `toset(["b", "a", "b"])`: `["a", "b"]`, `tomap({a = 1, b = "x"})`: `{a = "1", b = "x"}`, `tostring(1)`: `"1"`, `tonumber("1.5")`: "1.5", `tobool("true")`: "true",
		`try(tonumber("x"), 3)`: "3", `can(tonumber("x"))`: "false", `regex("^[a-z]+", "abc1")`: `"abc"`, `regexall("[a-z]", "a1b")`: `["a", "b"]`, `join(", ", sort(["b", "a"]))`: `"a, b"`, `split(",", "a,b")`: `["a", "b"]`,
		`format("%s-%03d", "a", 7)`: `"a-007"`, `formatlist("%s!", ["a", "b"])`: `["a!", "b!"]`, `title("hello world")`: `"Hello World"`, `trimprefix("helloworld", "hello")`: `"world"`, `strrev("abc")`: `"cba"`, `trim("?!hi!", "!?")`: `"hi"`,
		`contains(["a"], "a")`: "true", `distinct(["a", "b", "a"])`: `["a", "b"]`, `flatten([["a"], [["b"]]])`: `["a", "b"]`, `merge({a = 1}, {b = 2})`: `{a = 1, b = 2}`, `keys({b = 1, a = 2})`: `["a", "b"]`, `values({b = 1, a = 2})`: `[2, 1]`,
		`zipmap(["a"], [1])`: `{a = 1}`, `reverse([1, 2])`: `[2, 1]`, `slice(["a", "b", "c"], 1, 3)`: `["b", "c"]`, `element(["a", "b"], 3)`: `"b"`, `concat([1], [2])`: "[1, 2]", `compact(["a", "", null])`: `["a"]`, `chunklist([1, 2, 3], 2)`: "[[1, 2], [3]]",
		`setunion(["a"], ["b"])`: `["a", "b"]`, `setintersection(["a", "b"], ["b"])`: `["b"]`, `setsubtract(["a", "b"], ["b"])`: `["a"]`, `length(setproduct(["a", "b"], [1, 2]))`: "4", `range(3)`: "[0, 1, 2]",
		`min(1, 2)`: "1", `max([1, 5]...)`: "5", `abs(-3)`: "3", `ceil(1.2)`: "2", `floor(1.8)`: "1", `log(8, 2)`: "3", `pow(3, 2)`: "9", `signum(-3)`: "-1", `parseint("ff", 16)`: "255",
		`jsonencode({a = [1, null]})`: `"{\"a\":[1,null]}"`, `jsondecode("{\"a\":[1]}").a[0]`: "1", `formatdate("YYYY-MM-DD", "2018-01-02T23:12:01Z")`: `"2018-01-02"`,
		`length(var.secret)`: "«secret: env:PW»", `sha256(var.secret)`: "«secret: env:PW»", `lookup({a = var.secret}, "a")`: "«secret: env:PW»",
	} {
		v, problems := eval(t, src, decode.FunctionOptions{})
		if problems != "" {
			t.Errorf("%s: %s", src, problems)
		} else if got := decode.Show(v); got != want {
			t.Errorf("%s is %s, want %s", src, got, want)
		}
	}
}

func TestFunctionErrors(t *testing.T) {
	for src, want := range map[string]string{
		`length(1)`: "a list, set, map, object or string is required", `one([1, 2])`: "at most one element", `index(["a"], "b")`: "not in the list",
		`sum([])`: "an empty list has no sum", `sum(["a"])`: "must be a number", `lookup({}, "a")`: "no default is given", `lookup({a = 1}, "a", 1, 2)`: "at most three arguments",
		`coalesce("", null)`: "all are null or empty", `duration("5")`: "is no duration", `duration("-5s")`: "is no duration", `duration("")`: "is no duration", `duration("NaNd")`: "is no duration",
		`base64decode("%")`: "no Base64", `timecmp("x", "y")`: "a time like", `cidrhost("10.0.0.0/30", 4)`: "no host with this number", `cidrnetmask("fd00::/8")`: "no netmask", `cidrsubnet("10.0.0.0/8", 40, 1)`: "cannot be made longer",
		`cidrsubnet("10.0.0.0/8", 1, 2)`: "no subnet with this number", `replace("a", "/(/", "b")`: "missing closing", `count("a", "a")`: "a list, set or tuple is required", `uper("a")`: `Did you mean "upper"?`,
	} {
		if _, problems := eval(t, src, decode.FunctionOptions{}); !strings.Contains(problems, want) {
			t.Errorf("%s: %q is not in %q", src, want, problems)
		}
	}
}

func TestSecretFunction(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("good", "hunter2\n", 0o600)
	write("crlf", " two words \r\n", 0o400)
	write("open", "hunter3", 0o640)
	write("empty", "\n", 0o600)
	t.Setenv("HOME", dir)
	t.Setenv("DSPLAY_TEST", "hunter4")
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	t.Setenv("DSPLAY_EMPTY", "")
	secrets := new(engine.Secrets)
	opts := decode.FunctionOptions{Dir: dir, Secrets: secrets}
	for source, want := range map[string]string{"file:good": "hunter2", "file:crlf": " two words ", "file:~/good": "hunter2", "file:" + dir + "/good": "hunter2", "env:DSPLAY_TEST": "hunter4", "credential:good": "hunter2"} {
		v, problems := eval(t, fmt.Sprintf("secret(%q)", source), opts)
		plain, marks := v.Unmark()
		if problems != "" || plain.AsString() != want || len(marks) != 1 {
			t.Errorf("%s: %q, %v, %s", source, plain, marks, problems)
		}
		if _, ok := marks[engine.SecretMark{Name: source}]; !ok {
			t.Errorf("%s: marks %v", source, marks)
		}
	}
	if all := secrets.All(); len(all) != 3 || all["hunter4"] != "env:DSPLAY_TEST" {
		t.Errorf("registered: %v", all)
	}
	for source, want := range map[string]string{"file:open": "chmod 600 " + dir + "/open", "file:none": "there is no file none", "file:empty": "is empty",
		"credential:none": "there is no file none", "credential:../good": "without a folder",
		"env:DSPLAY_NONE": "DSPLAY_NONE is not set", "env:DSPLAY_EMPTY": "is empty", "vault:x": `"env:NAME", "file:PATH" or "credential:NAME"`} {
		if _, problems := eval(t, fmt.Sprintf("secret(%q)", source), opts); !strings.Contains(problems, want) {
			t.Errorf("%s: %q is not in %q", source, want, problems)
		}
	}
}

func TestFileAndTemplate(t *testing.T) {
	files := map[string]string{
		"/d/motd": "hello\n", "/d/t.tmpl": "%{ for h in hosts ~}\n${upper(h)};%{ endfor }", "/d/bad.tmpl": "x\n${nothing}", "/d/broken.tmpl": "${", "/d/self.tmpl": `${template("motd", {})}`,
	}
	opts := decode.FunctionOptions{Dir: "/d", Read: func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}}
	for src, want := range map[string]string{
		`file("motd")`: `"hello\n"`, `file("/d/motd")`: `"hello\n"`, `template("t.tmpl", { hosts = ["a", "b"] })`: `"A;B;"`,
		`template("t.tmpl", { hosts = [var.secret] })`: "«secret: env:PW»", `template("t.tmpl", { hosts = [var.unknown] })`: "(unknown)",
	} {
		v, problems := eval(t, src, opts)
		if got := decode.Show(v); problems != "" || got != want {
			t.Errorf("%s is %s, want %s; %s", src, got, want, problems)
		}
	}
	for src, want := range map[string]string{
		`file("none")`: "there is no file none", `template("bad.tmpl", {})`: "bad.tmpl:2:3: Unknown variable", `template("broken.tmpl", {})`: "broken.tmpl:1:", `template("motd", 1)`: "an object or map is required",
		`template("self.tmpl", {})`: `no function named "template"`,
	} {
		if _, problems := eval(t, src, opts); !strings.Contains(problems, want) {
			t.Errorf("%s: %q is not in %q", src, want, problems)
		}
	}
}

// Every function must stay calm whatever it is given: unknown, secret, null, empty, wrong in number and type.
func TestFunctionsNeverPanic(t *testing.T) {
	values := []string{"null", `""`, `"a"`, "1", "-1", "1e30", "[]", "[null]", `["a", var.unknown]`, "{}", `{ a = null, b = var.secret }`, "true",
		"var.unknown", "var.anything", "var.number", "var.secret", "var.secrets", `toset(["a"])`, `tomap({ a = "b" })`, "[for x in [var.unknown] : x]", "toset([var.unknown])", "tolist([])"}
	ctx := evalContext()
	ctx.Functions = decode.Functions(decode.FunctionOptions{Dir: "/nonexistent"})
	for name, f := range ctx.Functions {
		one := len(f.Params()) == 1 && f.VarParam() == nil
		for _, a := range values {
			for _, call := range []string{name + "()", name + "(" + a + ")", name + "(" + a + "...)"} {
				evalCalmly(t, ctx, call)
			}
			if one {
				continue
			}
			evalCalmly(t, ctx, name+"("+a+", "+a+", "+a+")")
			for _, b := range values {
				evalCalmly(t, ctx, name+"("+a+", "+b+")")
			}
		}
	}
}

func evalCalmly(t *testing.T, ctx *hcl.EvalContext, src string) {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s panics: %v", src, p)
		}
	}()
	if v, problems := evalIn(t, src, ctx); strings.Contains(problems+decode.Show(v), "hunter2") {
		t.Errorf("%s shows the secret: %s", src, problems)
	}
}
