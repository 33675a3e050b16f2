package lang_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
)

// The property of the walker: an expression that loading accepts never fails for an attribute that is not there; and one
// that it refuses is refused for the name that is misspelt in it. Expressions are generated of the type that is
// wanted, so one without a misspelt name must be accepted.

// sample is one generated expression, and where it stands.
type sample struct {
	text, misspelt string
	hidden         bool // the misspelt name stands in try() or can()
	where          string
	line           int  // in the playbook
	foreign        bool // a fuzzer wrote it: there may be anything wrong with it
	refused        bool // loading reported it
	reasons        string
}

// stages are the places where expressions stand; each sees other names.
var stages = []string{"local", "host", "each", "result"}

const before = `variable "text" {
  type    = string
  default = "x"
}
variable "flag" {
  type    = bool
  default = true
}
variable "size" {
  type    = number
  default = 3
}
variable "objects" {
  type    = list(object({ name = string, size = optional(number), up = optional(bool) }))
  default = [{ name = "a", size = 1, up = true }]
}
variable "table" {
  type    = map(number)
  default = { p = 1, x = 2 }
}
`

const entriesOfBoth = `  probe "service" "a" {
    name = "x"
  }
  probe "service" "maybe" {
    when = probe.a.running
    name = "x"
  }
  probe "login" "l" {
    user = "x"
  }
  probe "ds_computers" "d" {
    bios_uuids = []
  }
  probe "service" "each" {
    for_each = ["p", "q"]
    name     = each.key
  }
  step "service" "b" {
    name  = "x"
    state = "started"
  }
  step "service" "many" {
    for_each = { p = 1, q = 2 }
    name     = each.key
  }
`

// playbook writes the samples that were not refused into a playbook, and notes their lines.
func playbook(samples []*sample) string {
	var b strings.Builder
	put := func(s *sample, form string) {
		head, tail, _ := strings.Cut(form, "EXPR")
		b.WriteString(head)
		s.line = strings.Count(b.String(), "\n") + 1
		b.WriteString(s.text + tail)
	}
	b.WriteString(before + "play \"one\" {\n  hosts        = group.guests\n  max_failures = \"50%\"\n" + entriesOfBoth + "}\n")
	b.WriteString("locals {\n  names  = play.one.hosts[*].name\n  byname = { for h in play.one.hosts : h.name => h }\n}\n")
	for i, s := range samples {
		if !s.refused && s.where == "local" {
			put(s, fmt.Sprintf("locals {\n  x%d = EXPR\n}\n", i))
		}
	}
	b.WriteString("play \"two\" {\n  hosts        = group.guests\n" + entriesOfBoth)
	for i, s := range samples {
		form := map[string]string{
			"host":   "  step \"login\" \"x%d\" {\n    user = \"u\"\n    any  = EXPR\n  }\n",
			"each":   "  step \"login\" \"x%d\" {\n    for_each = { for o in var.objects : o.name => o }\n    user = \"u\"\n    any  = EXPR\n  }\n",
			"result": "  probe \"login\" \"x%d\" {\n    user = \"u\"\n    failed_when = [EXPR] == null\n  }\n",
		}[s.where]
		if !s.refused && form != "" {
			put(s, fmt.Sprintf(form, i))
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// rootsOf are the names that can be read in a place.
func rootsOf(where string) []root {
	object := func(attrs map[string]cty.Type) kind { return kindOf(cty.Object(attrs)) }
	attrs := maps.Clone(testInventory().Attrs)
	attrs["name"], attrs["address"], attrs["groups"] = cty.String, cty.String, cty.List(cty.String)
	with := func(v any, more map[string]cty.Type) cty.Type {
		out := maps.Clone(more)
		for name, t := range engine.TypeOf(v).AttributeTypes() {
			if name != "token" { // a secret has rules of its own
				out[name] = t
			}
		}
		return cty.Object(out)
	}
	looked, acted := map[string]cty.Type{"status": cty.String}, map[string]cty.Type{"status": cty.String, "changed": cty.Bool}
	probes := map[string]cty.Type{"a": with(serviceResult{}, looked), "maybe": with(serviceResult{}, looked), "l": with(loginResult{}, looked),
		"d": with(dsComputersResult{}, looked), "each": cty.Map(with(serviceResult{}, looked))}
	steps := map[string]cty.Type{"b": with(serviceResult{}, acted), "many": cty.Map(with(serviceResult{}, acted))}
	host, missing := maps.Clone(attrs), maps.Clone(attrs)
	host["status"], host["probe"], host["step"] = cty.String, cty.Object(probes), cty.Object(steps)
	missing["status"], missing["error"] = cty.String, cty.String
	thing := cty.Object(map[string]cty.Type{"name": cty.String, "size": cty.Number, "up": cty.Bool})
	roots := []root{
		{"var", object(map[string]cty.Type{"text": cty.String, "flag": cty.Bool, "size": cty.Number, "table": cty.Map(cty.Number), "objects": cty.List(thing)})},
		{"var.objects", kindOf(cty.List(thing))},
		{"local", object(map[string]cty.Type{"names": cty.List(cty.String), "byname": cty.Map(cty.Object(host))})},
		{`host["vm1"]`, object(attrs)},
		{"group", object(map[string]cty.Type{"guests": cty.List(cty.String), "esxi": cty.List(cty.String)})},
		{"play.one.hosts", kindOf(cty.List(cty.Object(host)))},
		{"play.one.missing", kindOf(cty.List(cty.Object(missing)))},
		{"values(local.byname)", kindOf(cty.List(cty.Object(host)))},
		{"run", object(map[string]cty.Type{"id": cty.String})},
	}
	if where != "local" {
		roots = append(roots, root{"self", object(attrs)}, root{"probe", object(probes)}, root{"step", object(steps)})
	}
	switch where {
	case "each":
		roots = append(roots, root{"each", object(map[string]cty.Type{"key": cty.String, "value": thing})})
	case "result":
		roots = append(roots, root{"result", kindOf(with(loginResult{}, map[string]cty.Type{}))})
	}
	return roots
}

// generator makes samples.
type generator struct {
	roots map[string][]root
	paths map[string]map[string][]path
}

func newGenerator() *generator {
	g := &generator{map[string][]root{}, map[string]map[string][]path{}}
	for _, where := range stages {
		g.roots[where] = rootsOf(where)
	}
	return g
}

func (g *generator) sample(c *choices, where string, misspell bool) *sample {
	x := grammar{choices: c, roots: g.roots[where], paths: g.paths, misspell: misspell}
	return &sample{text: x.expr(x.any(), 4), where: where, misspelt: x.misspelt, hidden: x.hidden}
}

// judge loads samples and runs those that were accepted, with results that c decides.
func judge(t *testing.T, path string, samples []*sample, c *choices, o lang.Options) {
	t.Helper()
	write := func() {
		if err := os.WriteFile(path, []byte(playbook(samples)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	program, problems := lang.Load(path, o)
	for _, p := range problems {
		if !p.Warning {
			refuse(t, samples, p)
		}
	}
	for _, s := range samples {
		s.reasonable(t)
	}
	if program == nil {
		write()
		if program, problems = lang.Load(path, o); program == nil {
			t.Fatalf("what was accepted is refused: %v", problems)
		}
	}
	inv := testInventory()
	w := &whole{runner: &runner{t: t, program: program, inv: inv, pass: program.Pass(inv, runVars)}, result: func(e *engine.Entry) engine.Result { return c.result(t, e) }}
	w.report = func(place string, err error) { unsound(t, samples, place, err) }
	w.run([]string{"", "vm2"}[c.of(2)]) // who does not answer
	for what, ty := range lang.LocalTypes(w.pass) {
		if !ty[0].HasDynamicTypes() && !ty[0].Equals(ty[1]) {
			expression := what
			if i, err := strconv.Atoi(strings.TrimPrefix(what, "x")); err == nil {
				expression = samples[i].text
			}
			t.Errorf("%s is %#v, inferred %#v", expression, ty[1], ty[0])
		}
	}
}

// refuse notes which sample a problem is about.
func refuse(t *testing.T, samples []*sample, p engine.Problem) {
	t.Helper()
	i := slices.IndexFunc(samples, func(s *sample) bool { return s.line == p.Range.Line })
	if i < 0 {
		t.Fatalf("it belongs to no sample: %v", p)
	}
	samples[i].refused = true
	samples[i].reasons += p.Summary + ": " + p.Detail + "\n"
}

// valueMistakes are what is wrong with values that are known while loading: a key that a map does not have.
var valueMistakes = []string{"Duplicate object key", "Invalid index: ", "Invalid function argument: ", "Error in function call: ", "with at most one element is required"}

// reasonable: only a misspelt name is a reason to refuse an expression.
func (s *sample) reasonable(t *testing.T) {
	t.Helper()
	switch {
	case !s.refused || s.foreign || slices.ContainsFunc(valueMistakes, func(words string) bool { return strings.Contains(s.reasons, words) }):
	case s.misspelt == "":
		t.Errorf("(%s): refused: %s: nothing is wrong in %s", s.where, s.reasons, s.text)
	case !strings.Contains(s.reasons, s.misspelt):
		t.Errorf("%s (%s): %q is misspelt, and nobody says so: %s", s.text, s.where, s.misspelt, s.reasons)
	}
}

// unsound reports an error that the walker had to find.
func unsound(t *testing.T, samples []*sample, place string, err error) {
	t.Helper()
	var e *engine.Error
	bad := !errors.As(err, &e) || e.Kind != engine.KindEval
	for _, summary := range []string{"Unsupported attribute", "Unknown variable", "Invalid index", "Missing map element", "Invalid traversal", "Call to unknown function"} {
		bad = bad || strings.HasPrefix(e.Msg, summary)
	}
	if !bad {
		return
	}
	for _, s := range samples {
		if strings.Contains(err.Error(), fmt.Sprintf(":%d:", s.line)) && !s.refused {
			t.Errorf("%s (%s): accepted, but: %v", s.text, s.where, err)
			return
		}
	}
	t.Errorf("%s: %v", place, err)
}

// result is what an entry may leave: anything that its type allows, null and unknown included.
func (c *choices) result(t *testing.T, e *engine.Entry) engine.Result {
	t.Helper()
	typ := engine.TypeOf(e.Module.Result)
	switch n := c.of(8); {
	case n == 1:
		return engine.Result{Status: engine.StatusSkipped, Value: cty.NullVal(typ)}
	case n == 2 && e.Kind == engine.EntryStep:
		return engine.Result{Value: cty.UnknownVal(typ)}
	case n == 3:
		return engine.Result{Status: engine.StatusFailed, Value: cty.NullVal(typ), Err: errors.New("no answer")}
	}
	attrs := map[string]cty.Value{}
	for _, f := range engine.Fields(e.Module.Result) {
		attrs[f.Name] = c.value(f.Type)
		if f.Optional && c.of(2) == 0 {
			attrs[f.Name] = cty.NullVal(f.Type)
		}
	}
	status := []engine.Status{engine.StatusOK, engine.StatusChanged, engine.StatusUnchanged}[c.of(3)]
	if len(attrs) == 0 {
		return engine.Result{Status: status, Value: cty.EmptyObjectVal}
	}
	return engine.Result{Status: status, Value: cty.ObjectVal(attrs)}
}

// value is any value of a type but null.
func (c *choices) value(t cty.Type) cty.Value {
	switch {
	case t == cty.String:
		return cty.StringVal([]string{"p", "q", "online", ""}[c.of(4)])
	case t == cty.Number:
		return cty.NumberIntVal(int64(c.of(5)) - 1)
	case t == cty.Bool:
		return cty.BoolVal(c.of(2) == 0)
	case t.IsListType():
		values := make([]cty.Value, c.of(3))
		for i := range values {
			values[i] = c.value(t.ElementType())
		}
		if len(values) == 0 {
			return cty.ListValEmpty(t.ElementType())
		}
		return cty.ListVal(values)
	case t.IsMapType():
		if c.of(3) == 0 {
			return cty.MapValEmpty(t.ElementType())
		}
		return cty.MapVal(map[string]cty.Value{"p": c.value(t.ElementType())})
	case t.IsObjectType():
		attrs := map[string]cty.Value{}
		for name, at := range t.AttributeTypes() {
			attrs[name] = c.value(at)
		}
		return cty.ObjectVal(attrs)
	}
	return cty.NullVal(t)
}

var rounds = flag.Int("rounds", 20, "how many hundred expressions TestWalkerIsSound tries")

// TestWalkerIsSound is the property for some thousand expressions, the same ones each time.
func TestWalkerIsSound(t *testing.T) {
	g, path := newGenerator(), filepath.Join(t.TempDir(), "play.hcl")
	misspelt, found, total := 0, 0, 0
	for round := range uint64(*rounds) {
		var samples []*sample
		for i := range 100 {
			c := shuffled(round*1000+uint64(i)*7919+17, 400)
			s := g.sample(c, stages[i%len(stages)], i%2 == 1)
			samples = append(samples, s)
		}
		o := options()
		if round%4 == 3 {
			o.Inventory = nil // while loading
		}
		judge(t, path, samples, shuffled(round+99, 20000), o)
		for _, s := range samples {
			total++
			if s.misspelt != "" && !s.hidden && o.Inventory != nil {
				misspelt++
				if s.refused {
					found++
				}
			}
		}
		if t.Failed() {
			break
		}
	}
	t.Logf("%d expressions; of %d with a misspelt name %d were refused", total, misspelt, found)
	if found*100 < misspelt*98 {
		t.Error("what is misspelt is not found often enough: something made the types less exact")
	}
}

// FuzzWalker is the same property for expressions of a fuzzer, and for generated ones that it chooses.
func FuzzWalker(f *testing.F) {
	g := newGenerator()
	for i, x := range strange {
		if i%3 == 0 {
			f.Add(x, []byte{byte(i)})
		}
	}
	for i := range uint64(20) {
		c := shuffled(i+1, 300)
		f.Add(g.sample(shuffled(i+1000, 300), stages[i%4], i%2 == 0).text, c.rest)
	}
	path := filepath.Join(f.TempDir(), "play.hcl")
	f.Fuzz(func(t *testing.T, src string, data []byte) {
		c := &choices{data}
		samples := []*sample{g.sample(c, stages[c.of(len(stages))], c.of(2) == 1)}
		if _, diags := hclsyntax.ParseExpression([]byte("("+src+")"), "x", hcl.InitialPos); !diags.HasErrors() && !strings.ContainsAny(src, "\r\n") && len(src) < 2000 {
			samples = append(samples, &sample{text: "(" + src + ")", where: stages[c.of(len(stages))], foreign: true})
		}
		o := options()
		if c.of(4) == 3 {
			o.Inventory = nil
		}
		judge(t, path, samples, c, o)
	})
}
