package lang_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine/lang"
)

var allMutants = flag.Bool("mutants", false, "try every expression in every place")

// strange are expressions to put where something else stood.
var strange = []string{
	`null`, `true`, `"x"`, `5`, `[]`, `{}`, `[null]`, `{ a = null }`, `self`, `self.name`, `probe`, `step`, `local`, `play`, `group`, `host`, `var`, `run`,
	`play.one.hosts`, `play.p.hosts`, `play.p.missing[0]`, `local.names`, `group.guests`, `group["guests"][0]`, `host["vm1"]`, `host[self.name]`, `[for x in group.guests : x]`,
	`{ for x in group.guests : x => x... }`, `[for k, v in self : v]`, `probe.a`, `probe.a.pid`, `probe.a.running`, `step.b.status`, `{ for h in play.p.hosts : h.name => h }`,
	`play.p.hosts[*].probe`, `jsondecode("[1, {}]")`, `jsondecode("null")`, `secret("env:NOBODY_SETS_THIS")`, `try(self.name, null)`, `can(self.name)`, `-"5"`, `!null`, `null == null`,
	`true ? null : "x"`, `self.name == "vm1" ? [1] : []`, `flatten([[], [1]])`, `merge({}, { a = 1 })`, `values({})`, `keys({ a = 1 })`, `toset([])`, `tomap({})`, `zipmap([], [])`, `lookup({}, "x", null)`,
	`"%{for x in [1]}${x}%{endfor}"`, `"${null}"`, `[self[*]]`, `self[*].name`, `self["name"]`, `self[probe.a.status]`, `concat([], group.guests)`, `element(["a"], 0)`, `regex("a", self.name)`, `max([]...)`, `length(self)`,
	`coalesce(null, self.rack)`, `tolist(["a", null])`, `{ (self.name) = 1 }`, `[[[]]]`, `{ a = { b = [] } }.a.b`, `result`, `each.key`, `formatlist("%s", group.guests)`, `contains(group.guests, null)`, `count([null, self], self)`,
	`distinct([self, self])`, `one([self]).name`, `index([self.name], self.name)`, `sum([])`, `sort(group.guests)[0]`, `1 / 0`, `"a" < "b"`, `transpose({})`, `chunklist(group.guests, 1)[0][0]`, `setproduct(["a"], [1])[0][1]`,
}

// TestMutants puts strange expressions into good playbooks. Loading never panics; and what is accepted runs without a
// panic, and without the mistakes that loading promises to find.
func TestMutants(t *testing.T) {
	t.Setenv("NOBODY_SETS_THIS", "but this test")
	path := filepath.Join(t.TempDir(), "mutant.hcl")
	n, accepted := 0, 0
	for _, name := range files(t, "testdata/good/*.hcl") {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range expressionsIn(t, src, name) {
			for i, x := range strange {
				n++
				if !*allMutants && (n+i)%101 != 0 {
					continue
				}
				mutant := string(src[:r.Start.Byte]) + x + string(src[r.End.Byte:])
				if err := os.WriteFile(path, []byte(mutant), 0o600); err != nil {
					t.Fatal(err)
				}
				if mutate(t, path, fmt.Sprintf("%s with %s", r, x)) {
					accepted++
				}
			}
		}
	}
	if accepted == 0 {
		t.Error("no mutant was accepted: nothing was tried")
	}
	t.Logf("%d of %d mutants were accepted", accepted, n)
}

func expressionsIn(t *testing.T, src []byte, name string) []hcl.Range {
	t.Helper()
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var out []hcl.Range
	_ = hclsyntax.VisitAll(f.Body.(*hclsyntax.Body), func(n hclsyntax.Node) hcl.Diagnostics {
		if a, ok := n.(*hclsyntax.Attribute); ok {
			out = append(out, a.Expr.Range())
		}
		if e, ok := n.(*hclsyntax.ScopeTraversalExpr); ok {
			out = append(out, e.Range())
		}
		return nil
	})
	return out
}

// mutate loads and runs one mutant, and tells whether it was accepted.
func mutate(t *testing.T, path, what string) bool {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s: panic: %v", what, p)
		}
	}()
	program, problems := lang.Load(path, options())
	if program == nil {
		if problems.Err() == nil {
			t.Errorf("%s: no program, and no problem", what)
		}
		return false
	}
	r := &runner{t: t, program: program, inv: testInventory(), pass: program.Pass(testInventory(), runVars)}
	failed := false
	w := &whole{runner: r}
	w.report = func(place string, err error) {
		if strings.Contains(what, "with [for k, v in self : v]") || strings.HasSuffix(what, "with self") { // for_each = self
			failed = true // attributes of different types: an element may be anything, so nothing is promised of it
		}
		if strings.Contains(what, "with { for") && strings.Contains(err.Error(), "This object does not have an attribute named") {
			failed = true // a key that a map does not have is found only when it is looked up
		}
		if !failed && (strings.Contains(err.Error(), "Unsupported attribute") || strings.Contains(err.Error(), "Unknown variable") || strings.Contains(err.Error(), "panic")) {
			t.Errorf("%s: accepted, but %s: %v", what, place, err)
		}
		failed = true
	}
	w.run("vm1")
	return true
}
