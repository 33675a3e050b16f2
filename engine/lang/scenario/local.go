package scenario

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// local is a name for an expression, which mocks and later locals may use. It is evaluated when it is used.
type local struct {
	name string
	expr hclsyntax.Expression
	uses []string // names of locals, through others, too
	pure bool     // it is the same for every call, as long as the state is
}

func (f *File) addLocals(b *hclsyntax.Block) {
	for _, a := range inOrder(b.Body.Attributes) {
		if i := slices.IndexFunc(f.locals, func(l *local) bool { return l.name == a.Name }); i >= 0 {
			f.fail(a.NameRange, "Declared twice", "There is a local %q already, at line %d.", a.Name, f.locals[i].expr.Range().Start.Line)
			continue
		}
		l := &local{name: a.Name, expr: a.Expr, uses: f.uses(a.Expr), pure: true}
		for _, t := range a.Expr.Variables() {
			l.pure = l.pure && !slices.Contains([]string{"self", "on", "args", "entry", "item", "now"}, t.RootName())
		}
		for _, before := range f.locals {
			if slices.Contains(l.uses, before.name) {
				l.pure = l.pure && before.pure
			}
		}
		f.locals = append(f.locals, l)
	}
}

// uses are the names of the locals that e needs.
func (f *File) uses(e hclsyntax.Expression) []string {
	var out []string
	for _, t := range e.Variables() {
		if t.RootName() != "local" {
			continue
		}
		for _, l := range f.locals {
			if a, ok := next(t); !ok || a == l.name {
				out = append(append(out, l.uses...), l.name)
			}
		}
	}
	return out
}

// next is the name behind the root of a traversal; false: it is used as a whole, or by an index.
func next(t hcl.Traversal) (string, bool) {
	if len(t) < 2 {
		return "", false
	}
	a, ok := t[1].(hcl.TraverseAttr)
	return a.Name, ok
}

func namesOf(locals []*local) []string {
	names := make([]string, len(locals))
	for i, l := range locals {
		names[i] = l.name
	}
	return names
}

// locals are the values that e needs, evaluated with names.
func (w *World) locals(e hclsyntax.Expression, names map[string]cty.Value) error {
	values := map[string]cty.Value{}
	names["local"] = cty.EmptyObjectVal
	used := w.test.file.uses(e)
	for _, l := range w.test.file.locals {
		if !slices.Contains(used, l.name) {
			continue
		}
		v, known := w.memo[l.name]
		if !known {
			var problems error
			if v, problems = w.evaluated(l.expr, names); problems != nil {
				return problems
			}
		}
		if l.pure {
			w.memo[l.name] = v
		}
		values[l.name] = v
		names["local"] = cty.ObjectVal(values)
	}
	return nil
}
