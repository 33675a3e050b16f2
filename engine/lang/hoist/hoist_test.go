package hoist_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/hoist"
)

// expressions over local (the same for all hosts), self and probe (of one host).
var expressions = []string{
	`1 + 2`, `"text"`, `"a ${local.word} b"`, `"${local.word}"`, `"a ${self.name}"`, `["a", "b"]`, `{ a = 1, "b" = 2, (local.word) = 3 }`, `-5`, `!local.yes`,
	`local.list`, `local.list[0]`, `local.map["a"]`, `local.map[self.key]`, `local.objects[*].n`, `local.objects[*].n[0]`, `self[local.attr]`, `local.objects.0.n`,
	`length(local.list) + length(self.name)`, `length(local.list) + 1`, `upper(local.word)`, `upper("x")`, `join(",", local.list)`, `max(local.numbers...)`, `max(local.numbers...) + self.n`,
	`contains(local.list, "a")`, `contains(local.list, self.key)`, `contains(local.list, self.n)`, `contains(local.list, probe.later)`, `contains(local.list, self.nothing)`, `contains(local.list, self.secret)`,
	`contains(local.numbers, self.n)`, `contains(local.nulls, self.key)`, `contains(local.secrets, self.key)`, `contains(local.unknown, self.key)`, `contains(local.list_unknown, self.key)`, `contains(local.empty, self.key)`,
	`contains(["a", "b"], self.key)`, `contains(self.list, "a")`, `contains(5, self.key)`, `contains(local.list)`, `count(local.list, self.key)`, `count(local.list, "a") + self.n`, `count(local.list, probe.later)`, `count(local.numbers, self.n)`,
	`lookup(local.map, self.key)`, `lookup(local.map, self.key, "none")`, `lookup(local.map, "zz", self.key)`, `lookup(local.map, self.name, 5)`, `lookup(local.map, self.name)`, `lookup(local.object, self.key, "none")`, `lookup(local.map, probe.later, "none")`,
	`lookup(local.secret_map, self.key, "none")`, `lookup(local.map, self.name, null)`, `lookup(local.map, self.name, [1])`, `lookup(local.empty_map, self.key, "x")`,
	`[for x in local.list : upper(x)]`, `[for x in local.list : x if x != self.key]`, `[for x in local.list : upper(local.word)]`, `[for x in self.list : "${x}${join(",", local.list)}"]`,
	`{ for x in local.list : x => length(local.list)... }`, `{ for k, v in local.map : k => upper(v) if contains(local.list, k) }`, `[for x in local.list : [for y in self.list : x == y]]`,
	`[for x in local.list : [for y in local.list : x == y && contains(local.list, y)]]`, `[for x in local.empty : upper(x)]`, `[for x in local.unknown : x]`, `[for x in 5 : x]`, `[for x in local.list : x if null]`,
	`[for x in [for y in local.list : y if contains(local.list, self.key)] : "${x}!"]`, `local.objects[*].n == [for o in local.objects : o.n]`, `[for o in local.objects : o.n if o.n > self.n]`,
	`local.yes ? upper(local.word) : self.name`, `self.n > 1 ? length(local.list) : 0`, `local.yes ? self.name : upper(local.nothing)`, `self.yes ? "x" : tonumber("x")`, `null == null ? (local.word) : ("x")`,
	`local.yes && self.yes`, `local.yes || self.yes`, `self.no && local.nothing`, `local.nothing || self.yes`, `self.yes && upper(null) == ""`, `self.no || probe.later == "x"`, `self.yes && probe.later == "x"`, `probe.later == "x" && self.no`, `self.yes && "x"`,
	`local.secret == "x" || self.yes`, `!(self.yes && local.yes) || (self.no && local.yes && self.yes)`, `probe.later == "x" || upper(null) == ""`, `upper(null) == "" || probe.later == "x"`,
	`probe.later`, `"a ${probe.later}"`, `probe.object.x`, `probe.object.missing`, `self.missing`, `nobody.x`, `self.nothing.x`, `self.name.x`, `local.secret_object.x`, `local.map.a`, `local.map.zz`, `self`, `local`,
	`try(upper(null), self.name)`, `try(local.map["zz"], upper(local.word))`, `can(upper(local.nothing)) && self.yes`, `"%{for x in local.list}${x}${upper(local.word)}%{endfor}"`, `"%{for x in local.list}${x}${self.name}%{endfor}"`,
	`"%{if self.yes}${upper(local.word)}%{else}no%{endif}"`, `(upper(local.word))`, `(self.name)`, `[upper(local.word), self.name]`, `{ x = upper(local.word), y = self.name, (self.key) = 1 }`, `{ (upper(local.word)) = self.n }`,
	`length(self.list)`, `length(self.list) > 1`, `length(local.secrets) + self.n`, `length([for x in local.secrets : "${x}${self.name}"])`, `length(self.nothing)`, `length(self.n)`, `length(probe.later)`, `length(probe.object)`, `length(self)`,
	`length([self.name, self.secret])`, `length([])`, `length(local.map[self.key])`, `length({ (self.key) = 1 })`, `length(toset([self.key, probe.later]))`, `length(self.list...)`, `length(self.secret)`, `length(local.unknown) + self.n`,
	`alltrue([self.yes, local.yes])`, `alltrue([self.yes, self.no])`, `anytrue([self.no, self.no])`, `anytrue([self.no, local.yes])`, `alltrue([self.yes, local.nothing])`, `anytrue([self.no, probe.later == "x"])`, `anytrue([self.yes, probe.later == "x"])`,
	`alltrue([self.yes, "true"])`, `alltrue([self.yes, "x"])`, `alltrue([self.yes, self.secret == "a"])`, `anytrue([upper(null) == "", self.yes])`, `alltrue([])`, `alltrue(self.list)`, `anytrue([for x in local.list : x == self.key])`, `alltrue([self.yes]...)`,
	`self.nothing == null`, `null != self.nothing`, `self.name == null`, `self.nothing == self.n`, `self.secret == null`, `probe.later == null`, `self.nothing < 3`, `self.nothing != null && self.nothing > 3`, `self.list == null`,
	`probe.known.x`, `probe.known.list[0]`, `probe.known.list[*]`, `probe["known"].x`, `probe.known["x"]`, `probe.known.x.y`, `probe.none.x`, `probe.none == null`, `probe`, `[for k, v in probe : k]`, `{ probe = 1 }.probe`, `"${probe.known.x}"`,
	`[for x in probe.known.list : x if x == probe.known.x]`, `can(probe.known.zz)`, `try(probe.known.zz, probe.known.x)`, `try(probe["known"].x, "")`, `length(probe)`, `{ (probe.known.x) = probe.known }`, `probe.known.secret`, `probe.known.null.x`,
	`"%{for x in probe.known.list}${x}${probe.known.x}%{endfor}"`, `"%{if probe.known.x == "a"}${probe["known"].x}%{endif}"`, `probe.known.objects[*].n`, `probe.known.objects[0].n`, `probe.known.objects.0.n`, `(probe).known.x`, `lookup(probe.known, "x", "")`,
	`nothing_called(local.list, self.name)`, `concat(local.list, [self.key])[length(local.list)]`, `element(local.objects, self.n).n`, `sort([for x in local.list : "${self.name}-${x}"])`,
}

func unknownResult(string) cty.Value { return cty.UnknownVal(cty.String) }

func root(cache *hoist.Cache) *hcl.EvalContext {
	secret := engine.SecretMark{Name: "s"}
	str := cty.StringVal
	list := cty.ListVal([]cty.Value{str("a"), str("b"), str("a")})
	object := func(n int64) cty.Value { return cty.ObjectVal(map[string]cty.Value{"n": cty.NumberIntVal(n)}) }
	ctx := &hcl.EvalContext{Functions: decode.Functions(decode.FunctionOptions{}), Variables: map[string]cty.Value{"local": cty.ObjectVal(map[string]cty.Value{
		"word": str("word"), "yes": cty.True, "nothing": cty.NullVal(cty.Bool), "list": list, "attr": str("name"), "empty": cty.ListValEmpty(cty.String),
		"map": cty.MapVal(map[string]cty.Value{"a": str("A"), "b": str("B")}), "empty_map": cty.MapValEmpty(cty.String), "object": cty.ObjectVal(map[string]cty.Value{"a": cty.True}),
		"objects": cty.ListVal([]cty.Value{object(1), object(2)}), "numbers": cty.ListVal([]cty.Value{cty.NumberIntVal(1), cty.NumberIntVal(7)}),
		"nulls": cty.ListVal([]cty.Value{str("a"), cty.NullVal(cty.String)}), "secrets": cty.ListVal([]cty.Value{str("a"), str("x").Mark(secret)}),
		"unknown": cty.UnknownVal(cty.List(cty.String)), "list_unknown": cty.ListVal([]cty.Value{str("b"), cty.UnknownVal(cty.String)}), "secret": str("x").Mark(secret),
		"secret_map": cty.MapVal(map[string]cty.Value{"a": str("A").Mark(secret), "b": str("B")}), "secret_object": cty.ObjectVal(map[string]cty.Value{"x": str("y")}).Mark(secret),
	})}}
	if cache != nil {
		ctx.Variables[hoist.Name] = cache.Value()
	}
	return ctx
}

func hostContext(root *hcl.EvalContext, n int) *hcl.EvalContext {
	str := cty.StringVal
	ctx := root.NewChild()
	key := []string{"a", "b", "c"}[n%3]
	ctx.Variables = map[string]cty.Value{
		"self": cty.ObjectVal(map[string]cty.Value{"name": str(fmt.Sprintf("host%d", n)), "key": str(key), "n": cty.NumberIntVal(int64(n)), "yes": cty.True, "no": cty.False,
			"list": cty.ListVal([]cty.Value{str("a"), str(key)}), "nothing": cty.NullVal(cty.String), "secret": str("a").Mark(engine.SecretMark{Name: "s"})}),
		"probe": cty.ObjectVal(map[string]cty.Value{"later": unknownResult("later"), "object": cty.UnknownVal(cty.Object(map[string]cty.Type{"x": cty.String})),
			"none": cty.NullVal(cty.Object(map[string]cty.Type{"x": cty.String})), "known": cty.ObjectVal(map[string]cty.Value{"x": str(key), "list": cty.ListVal([]cty.Value{str("a"), str("b")}),
				"secret": str("s").Mark(engine.SecretMark{Name: "s"}), "null": cty.NullVal(cty.Map(cty.String)), "objects": cty.ListVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"n": cty.Zero})})})}),
	}
	return ctx
}

// splitContext has what is in probe one by one, and, when it is needed, probe itself.
func splitContext(ctx *hcl.EvalContext, whole bool) *hcl.EvalContext {
	for name, v := range ctx.Variables["probe"].AsValueMap() {
		ctx.Variables[hoist.Key("probe", name)] = v
	}
	if !whole {
		delete(ctx.Variables, "probe")
	}
	return ctx
}

func parse(t *testing.T, src string) hclsyntax.Expression {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(src), "x.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return e
}

// outcome is a value, or the first error.
func outcome(v cty.Value, diags hcl.Diagnostics) string {
	if diags.HasErrors() {
		return "error: " + diags[0].Summary + " " + diags[0].Detail
	}
	return fmt.Sprintf("%#v", v)
}

// TestSameValue: a rewritten expression has the value, the marks and the errors of the one that was written, on every
// host, in whatever order, also when all hosts ask at once.
func TestSameValue(t *testing.T) {
	for _, src := range expressions {
		var rewriter hoist.Rewriter
		perHost := rewriter.PerHost(parse(t, src), "self", "probe")
		onceOnly := rewriter.Once(parse(t, src))
		again := rewriter.PerHost(rewriter.PerHost(parse(t, src), "self", "probe"), "self", "probe")
		written := parse(t, src)
		shared := root(rewriter.Cache())
		var wg sync.WaitGroup
		for n := range 6 {
			wg.Go(func() {
				want := outcome(written.Value(hostContext(root(nil), n)))
				for how, e := range map[string]hclsyntax.Expression{"per host": perHost, "once": onceOnly, "again": again} {
					ctx := hostContext(shared, n)
					if how == "once" { // its loops are evaluated once per root: here, per host
						ctx = hostContext(root(rewriter.Cache()), n)
					}
					if how == "once" && strings.Contains(src, "self") {
						continue // not what Once is for
					}
					for range 2 {
						if got := outcome(e.Value(ctx)); got != want && !tolerated(got, want) {
							t.Errorf("%s, %s, host %d:\n got %s\nwant %s", src, how, n, got, want)
						}
					}
				}
				split := hoist.Rewriter{Split: []string{"probe"}}
				e := split.PerHost(parse(t, src), "self", "probe")
				if got := outcome(e.Value(splitContext(hostContext(root(split.Cache()), n), split.NeedsWhole(e)))); got != want && !tolerated(got, want) {
					t.Errorf("%s, split, host %d:\n got %s\nwant %s", src, n, got, want)
				}
				if got := outcome(perHost.Value(hostContext(root(nil), n))); got != want && !tolerated(got, want) {
					t.Errorf("%s without a cache: %s, want %s", src, got, want)
				}
			})
		}
		wg.Wait()
	}
}

// tolerated are the differences that are meant: null decides nothing.
func tolerated(got, want string) bool {
	return strings.HasPrefix(got, "error: Neither true nor false") && (strings.HasPrefix(want, "error: ") || want == "cty.False")
}

// TestEvaluatedOnce counts how often a function that costs something is called.
func TestEvaluatedOnce(t *testing.T) {
	for src, want := range map[string]int{
		`self.name == cost("x")`:                               1,
		`cost("x") == "x"`:                                     1,
		`cost(local.word) == "x" && self.yes`:                  1,
		`cost(self.name) == "x"`:                               50,
		`[for x in self.list : "${x}${cost("y")}"]`:            1,
		`[for x in self.list : cost(x)]`:                       100,
		`[for x in local.list : cost(x)]`:                      3,
		`[for x in local.list : "${cost("y")}${x}"]`:           1,
		`contains([for x in local.list : cost(x)], self.name)`: 3,
	} {
		calls := 0
		cost := function.New(&function.Spec{Params: []function.Parameter{{Name: "x", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { calls++; return args[0], nil }})
		var rewriter hoist.Rewriter
		e := rewriter.PerHost(parse(t, src), "self", "probe")
		ctx := root(rewriter.Cache())
		ctx.Functions["cost"] = cost
		for n := range 50 {
			if _, diags := e.Value(hostContext(ctx, n)); diags.HasErrors() {
				t.Fatal(diags)
			}
		}
		if calls != want {
			t.Errorf("%s: %d calls for 50 hosts, want %d", src, calls, want)
		}
	}
}

// TestNullDecidesNothing: what HCL's own operators take for false.
func TestNullDecidesNothing(t *testing.T) {
	for src, want := range map[string]string{
		`null && true`: "error", `true && null`: "error", `null && false`: "cty.False", `false && null`: "cty.False", `null && null`: "error",
		`null || true`: "cty.True", `true || null`: "cty.True", `null || false`: "error", `false || null`: "error",
		`probe.later == "x" && null`: "cty.UnknownVal", `null || probe.later == "x"`: "cty.UnknownVal",
	} {
		var rewriter hoist.Rewriter
		e := rewriter.PerHost(parse(t, src), "self", "probe")
		if got := outcome(e.Value(hostContext(root(rewriter.Cache()), 1))); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %s, want %s", src, got, want)
		}
	}
}

// TestVariables: a rewritten tree still tells which names are in it.
func TestVariables(t *testing.T) {
	for _, src := range expressions {
		var rewriter hoist.Rewriter
		before, after := len(parse(t, src).Variables()), len(rewriter.PerHost(parse(t, src), "self", "probe").Variables())
		if before != after {
			t.Errorf("%s: %d names before, %d after", src, before, after)
		}
	}
}
