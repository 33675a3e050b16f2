package decode_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine/lang/decode"
)

// ownFunctions are those that Terraform does not have.
var ownFunctions = []string{"count", "duration", "psq", "secret", "shq", "template"}

// terraformFunctions are the names that Terraform gives; -terraform=all asks it anew.
func terraformFunctions(t *testing.T) []string {
	t.Helper()
	const file = "testdata/terraform-functions.txt"
	if *ask == "all" {
		out, err := newConsole(t).command(t.Context(), "metadata", "functions", "-json").Output()
		var all struct {
			Signatures map[string]any `json:"function_signatures"`
		}
		if err == nil {
			err = json.Unmarshal(out, &all)
		}
		if err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(all.Signatures, func(name string, _ any) bool { return strings.Contains(name, "::") }) // every one comes as core::NAME, too
		text := strings.Join(slices.Sorted(maps.Keys(all.Signatures)), "\n") + "\n"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

// TestEveryFunctionOfTerraform is ours, with four cases or more in the tables, or left out for a reason.
func TestEveryFunctionOfTerraform(t *testing.T) {
	ours, theirs, cases := decode.Functions(decode.FunctionOptions{}), terraformFunctions(t), callsInTables(t)
	for _, name := range theirs {
		_, here := ours[name]
		why := decode.NotHere(name)
		switch {
		case here == (why != ""):
			t.Errorf("%s: it is a function here (%v), or is left out for a reason (%q)", name, here, why)
		case here && cases[name] < 4:
			t.Errorf("%s: %d cases; 4 are wanted", name, cases[name])
		}
	}
	for name := range ours {
		if slices.Contains(theirs, name) == slices.Contains(ownFunctions, name) {
			t.Errorf("%s is either Terraform's or dsplay's own", name)
		}
	}
	for _, note := range decode.LeftOut() {
		if !slices.Contains(theirs, note.Name) {
			t.Errorf("Terraform has no function %s", note.Name)
		}
	}
}

// callsInTables counts in how many cases a function is called.
func callsInTables(t *testing.T) map[string]int {
	t.Helper()
	cases := map[string]int{}
	for _, r := range allRows(t) {
		expr, _ := hclsyntax.ParseExpression([]byte(r.text), "x", hcl.InitialPos)
		called := map[string]bool{}
		_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
			if call, ok := n.(*hclsyntax.FunctionCallExpr); ok {
				called[call.Name] = true
			}
			return nil
		})
		for name := range called {
			cases[name]++
		}
	}
	return cases
}

func allRows(t *testing.T) []*row {
	t.Helper()
	var all []*row
	for _, name := range tables(t) {
		all = append(all, slices.DeleteFunc(readTable(t, name), func(r *row) bool { return !r.isCase() })...)
	}
	return all
}

// TestDifferencesAreListed: what the tables mark as different is explained, and nothing else is.
func TestDifferencesAreListed(t *testing.T) {
	marked := map[string]bool{}
	for _, r := range allRows(t) {
		if r.dsplay != "" {
			marked[nameOf(t, r.text)] = true
		}
	}
	listed := map[string]bool{}
	for _, note := range decode.Differences() {
		listed[note.Name] = true
	}
	if !maps.Equal(marked, listed) {
		t.Errorf("different in the tables: %v\nexplained: %v", slices.Sorted(maps.Keys(marked)), slices.Sorted(maps.Keys(listed)))
	}
}

// nameOf is the function or the operator that an expression is about.
func nameOf(t *testing.T, src string) string {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(src), "x", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(src, diags)
	}
	switch e := expr.(type) {
	case *hclsyntax.FunctionCallExpr:
		return e.Name
	case *hclsyntax.BinaryOpExpr:
		return strings.TrimSpace(src[e.LHS.Range().End.Byte:e.RHS.Range().Start.Byte])
	}
	return src
}

// TestExamples: the manual's examples give what it says, and Terraform's functions do so in Terraform, too.
func TestExamples(t *testing.T) {
	t.Setenv("DSVA_SUDO", "hunter2")
	ctx := tableContext(t)
	rows := allRows(t)
	for _, d := range decode.Describe() {
		v, problems := evalIn(t, d.Example, ctx)
		if got := decode.Show(v); problems != "" || got != d.Result {
			t.Errorf("%s gives %s, not %s; %s", d.Example, got, d.Result, problems)
		}
		if !strings.Contains(d.Example, d.Name+"(") {
			t.Errorf("%s: %s is no example of it", d.Name, d.Example)
		}
		if !slices.Contains(ownFunctions, d.Name) && !slices.ContainsFunc(rows, func(r *row) bool { return r.text == d.Example }) {
			t.Errorf("%s stands in no table", d.Example)
		}
	}
}

// TestErrorsOfFunctions: a complaint names the function, where it is about one argument its parameter, and is written
// for the author of a playbook.
func TestErrorsOfFunctions(t *testing.T) {
	ctx := tableContext(t)
	for _, r := range allRows(t) {
		expr, diags := hclsyntax.ParseExpression([]byte(r.text), "x", hcl.InitialPos)
		call, ok := expr.(*hclsyntax.FunctionCallExpr)
		if r.want() != "error" || diags.HasErrors() || !ok {
			continue
		}
		f, known := ctx.Functions[call.Name]
		_, diags = expr.Value(ctx)
		for _, p := range decode.Problems(diags, nil) {
			if !strings.Contains(p.Detail, call.Name+"()") && !strings.Contains(p.Detail, `"`+call.Name+`"`) && p.Summary != "Invalid expanding argument value" {
				t.Errorf("%s: the function is not named: %s", r.text, p.Detail)
			}
			if known && len(call.Args) > 1 && len(f.Params()) > 1 && p.Summary == "Error in function call" {
				t.Errorf("%s: the parameter is not named: %s", r.text, p.Detail)
			}
			for _, bad := range []string{"panic", "EOF", "9223372036854775807", "dynamic", "cty.", "inputMap"} {
				if strings.Contains(p.Detail, bad) {
					t.Errorf("%s: %q does not belong into %q", r.text, bad, p.Detail)
				}
			}
		}
	}
}
