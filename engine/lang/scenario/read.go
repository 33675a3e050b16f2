package scenario

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

func (f *File) parse(path string) *hclsyntax.Body {
	src, err := os.ReadFile(path)
	if err != nil {
		f.report(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Test not readable", Detail: err.Error() + ".", Subject: &hcl.Range{Filename: path}}})
		return nil
	}
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	f.files[path], f.source = file, engine.File{Path: path, Data: src}
	f.report(diags)
	if diags.HasErrors() {
		return nil
	}
	return file.Body.(*hclsyntax.Body)
}

var (
	levelAttrs  = []string{"playbook", "inventory", "variables", "state", "unreachable", "policy", "now"}
	fileBlocks  = []string{"inventory", "locals", "mock", "test"}
	testBlocks  = []string{"inventory", "mock", "expect"}
	probeAttrs  = []string{"result", "error"}
	stepAttrs   = []string{"status", "result", "error", "set", "after"}
	expectAttrs = []string{"stopped_by", "acts", "plan", "hosts", "warnings", "says", "refused_by"}
)

// read reads the whole file; what comes first in it matters only for locals.
func (f *File) read(body *hclsyntax.Body) {
	f.form(body, "a test file", levelAttrs, fileBlocks)
	f.shared = f.level(body)
	for _, b := range body.Blocks {
		if b.Type == "locals" && f.labels(b, 0, "no label") {
			f.form(b.Body, "locals", nil, nil)
			f.addLocals(b)
		}
	}
	f.checkReach(f.shared.unreachable, f.shared.states)
	for i, l := range f.locals {
		f.value(l.expr, unknowns(f.shared.states, namesOf(f.locals[:i]), cty.DynamicVal))
	}
	f.shared.mocks = f.mocks(body, f.shared.states)
	names := map[string]bool{}
	for _, b := range body.Blocks {
		if b.Type != "test" || !f.labels(b, 1, "its name") {
			continue
		}
		if names[b.Labels[0]] {
			f.fail(b.LabelRanges[0], "Two tests with one name", "There is a test %q already; the report could not tell them apart.", b.Labels[0])
		}
		names[b.Labels[0]] = true
		f.Tests = append(f.Tests, f.test(b))
	}
	if len(f.Tests) == 0 {
		f.fail(hcl.Range{Filename: f.Path, Start: hcl.InitialPos, End: hcl.InitialPos}, "No test", "A file that ends in %s has at least one test block.", Suffix)
	}
}

func (f *File) test(b *hclsyntax.Block) *Test {
	f.form(b.Body, "a test", levelAttrs, testBlocks)
	t := &Test{Name: b.Labels[0], Range: decode.Range(b.DefRange()), file: f, own: f.level(b.Body)}
	if f.shared.inventory != "" && len(t.own.hosts) > 0 {
		f.fail(b.DefRange(), "Two inventories", "The file takes its inventory from %q; the hosts of a test can only be added to an inventory block.", f.shared.inventory)
	}
	for _, name := range t.own.states {
		if !slices.Contains(f.shared.states, name) && len(f.shared.states) > 0 {
			f.fail(t.own.stateExpr.Range(), "Unknown state", "The state of this file has no %q.%s", name, decode.Suggest(name, f.shared.states))
		}
	}
	f.checkReach(t.own.unreachable, t.states())
	t.own.mocks = f.mocks(b.Body, t.states())
	for _, inner := range b.Body.Blocks {
		switch {
		case inner.Type != "expect":
		case t.expect != nil:
			f.fail(inner.DefRange(), "Block given twice", "A test has one expect block; the first is at line %d.", t.expect.DefRange().Start.Line)
		case f.labels(inner, 0, "no label"):
			t.expect = inner
			f.form(inner.Body, "expect", expectAttrs, nil)
		}
	}
	if t.expect == nil {
		f.fail(b.DefRange(), "Nothing expected", "A test without an expect block proves nothing. expect {} says: nothing is done, and every host is ok.")
		return t
	}
	_, diags := readExpect(t.expect, f.static(map[string]cty.Value{"host": cty.DynamicVal}))
	f.report(diags)
	return t
}

// checkReach finds what is wrong with unreachable whatever the state.
func (f *File) checkReach(e hclsyntax.Expression, states []string) {
	if e != nil {
		f.value(e, map[string]cty.Value{"host": cty.DynamicVal, "now": cty.UnknownVal(cty.String), "state": unknownObject(states)})
	}
}

// unknowns are the names that the expressions of mocks and locals may use, before their values are known.
func unknowns(states, locals []string, args cty.Value) map[string]cty.Value {
	return map[string]cty.Value{"entry": cty.UnknownVal(cty.String), "item": cty.UnknownVal(cty.String), "self": cty.DynamicVal, "on": cty.DynamicVal, "args": args,
		"host": cty.DynamicVal, "now": cty.UnknownVal(cty.String), "state": unknownObject(states), "local": unknownObject(locals)}
}

// unknownObject has every name; what is behind it is not known.
func unknownObject(names []string) cty.Value {
	values := map[string]cty.Value{}
	for _, name := range names {
		values[name] = cty.DynamicVal
	}
	return cty.ObjectVal(values)
}

// level reads what a file and a test may both say, but for mocks.
func (f *File) level(body *hclsyntax.Body) level {
	l := level{playbook: f.text(body, "playbook"), inventory: f.text(body, "inventory"), variables: f.variables(body), policy: f.text(body, "policy"), now: f.time(body, "now")}
	if a := body.Attributes["state"]; a != nil {
		l.stateExpr = a.Expr
		l.states = f.keys(a.Expr, map[string]cty.Value{"host": cty.DynamicVal}, `"state"`)
	}
	if a := body.Attributes["unreachable"]; a != nil {
		l.unreachable = a.Expr
	}
	for _, b := range body.Blocks {
		if b.Type == "inventory" && f.labels(b, 0, "no label") {
			l.hosts = append(l.hosts, f.hosts(b.Body))
		}
	}
	if l.inventory != "" && len(l.hosts) > 0 {
		f.fail(body.Attributes["inventory"].NameRange, "Two inventories", "Either inventory = \"PATH\", or inventory { … }.")
	}
	return l
}

func (f *File) variables(body *hclsyntax.Body) map[string]lang.Var {
	a := body.Attributes["variables"]
	if a == nil {
		return nil
	}
	v, ok := f.value(a.Expr, nil)
	if !ok || !v.IsWhollyKnown() || v.IsNull() || !v.CanIterateElements() || !(v.Type().IsObjectType() || v.Type().IsMapType()) {
		f.fail(a.Expr.Range(), "Wrong value", "variables is an object of known values: { patience = \"15m\" }.")
		return nil
	}
	vars := map[string]lang.Var{}
	for name, x := range v.AsValueMap() {
		text := decode.Show(x)
		if !x.IsNull() && x.Type() == cty.String {
			text = x.AsString()
		}
		vars[name] = lang.Var{Value: text, Origin: fmt.Sprintf("variables at %s", decode.Range(a.NameRange))}
	}
	return vars
}

// text is an attribute that must be a text known at load; "" when it is not there.
func (f *File) text(body *hclsyntax.Body, name string) string {
	a := body.Attributes[name]
	if a == nil {
		return ""
	}
	v, ok := f.value(a.Expr, nil)
	if !ok {
		return ""
	}
	if !v.IsWhollyKnown() || v.IsNull() || v.Type() != cty.String || v.AsString() == "" {
		f.fail(a.Expr.Range(), "Wrong value", "%q must be a text.", name)
		return ""
	}
	return v.AsString()
}

// time is an attribute that must be a time known at load; zero when it is not there.
func (f *File) time(body *hclsyntax.Body, name string) time.Time {
	text := f.text(body, name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.fail(body.Attributes[name].Expr.Range(), "Wrong value", "%q is a time like \"2026-11-21T01:30:00+09:00\".", name)
	}
	return t
}

// value evaluates as far as it can be done at load. A secret has no business in a test.
func (f *File) value(e hclsyntax.Expression, names map[string]cty.Value) (cty.Value, bool) {
	v, diags := e.Value(f.static(names))
	f.report(diags)
	if diags.HasErrors() {
		return cty.DynamicVal, false
	}
	if v.ContainsMarked() {
		f.fail(e.Range(), "A secret cannot be used here", "A test is shown, and compared with what is shown: write a text instead.")
		return cty.DynamicVal, false
	}
	return v, true
}

// keys are the names in an object; what is behind them may be unknown.
func (f *File) keys(e hclsyntax.Expression, names map[string]cty.Value, what string) []string {
	v, ok := f.value(e, names)
	switch {
	case !ok || !v.IsKnown():
		return nil
	case v.IsNull() || !v.Type().IsObjectType():
		f.fail(e.Range(), "Wrong value", "%s must be an object: { name = value }.", what)
		return nil
	}
	return slices.Sorted(maps.Keys(v.Type().AttributeTypes()))
}

// form reports what must not be in a body.
func (f *File) form(body *hclsyntax.Body, where string, attrs, blocks []string) {
	for _, a := range inOrder(body.Attributes) {
		if attrs != nil && !slices.Contains(attrs, a.Name) {
			f.fail(a.NameRange, "Unexpected argument", "%q is no argument of %s.%s", a.Name, where, decode.Suggest(a.Name, slices.Concat(attrs, blocks)))
		}
	}
	for _, b := range body.Blocks {
		if !slices.Contains(blocks, b.Type) {
			f.fail(b.TypeRange, "Unexpected block", "%q is no block of %s.%s", b.Type, where, decode.Suggest(b.Type, slices.Concat(attrs, blocks)))
		}
	}
}

func (f *File) labels(b *hclsyntax.Block, n int, what string) bool {
	if len(b.Labels) != n {
		f.fail(b.DefRange(), "Wrong number of labels", "A %s block has %s before its brace.", b.Type, what)
	}
	return len(b.Labels) == n
}

func (f *File) report(diags hcl.Diagnostics) { f.diags = append(f.diags, diags...) }

func (f *File) fail(where hcl.Range, summary, format string, args ...any) {
	f.report(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &where}})
}

// inOrder gives attributes as they are written.
func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.SrcRange.Start.Byte, b.SrcRange.Start.Byte)
	})
}
