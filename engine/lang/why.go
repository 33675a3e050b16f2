package lang

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/hoist"
)

// leaf is a part of an expression whose value explains the value of the whole.
type leaf struct {
	text  string
	node  hclsyntax.Expression
	inner bool // it stands inside of a part that is shown itself: a list adds nothing there
}

// reducers make one value of many: what they give says more than the list does.
var reducers = []string{"length", "count", "contains", "anytrue", "alltrue", "sum", "max", "min", "index", "lookup", "one", "join", "can", "startswith", "endswith", "regex"}

// leavesOf finds the references of an expression, and the calls that reduce a list.
func leavesOf(e hclsyntax.Expression, source func(hcl.Range) string) []leaf {
	w := &leafWalker{source: source}
	_ = hclsyntax.Walk(e, w)
	return w.out
}

type leafWalker struct {
	source func(hcl.Range) string
	bound  []map[string]struct{}
	inner  []bool
	out    []leaf
}

func (w *leafWalker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	inner := len(w.inner) > 0 && w.inner[len(w.inner)-1]
	below := inner
	switch x := hoist.Written(n).(type) {
	case hclsyntax.ChildScope:
		w.bound = append(w.bound, x.LocalNames)
	case *hclsyntax.ScopeTraversalExpr:
		w.add(n, inner)
	case *hclsyntax.FunctionCallExpr:
		if slices.Contains(reducers, x.Name) {
			w.add(n, inner)
			below = true
		}
	case *hclsyntax.IndexExpr, *hclsyntax.RelativeTraversalExpr, *hclsyntax.SplatExpr:
		w.add(n, inner)
		below = true
	case *hclsyntax.ForExpr:
		below = true
	}
	w.inner = append(w.inner, below)
	return nil
}

func (w *leafWalker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	w.inner = w.inner[:len(w.inner)-1]
	if _, ok := n.(hclsyntax.ChildScope); ok {
		w.bound = w.bound[:len(w.bound)-1]
	}
	return nil
}

// add keeps a part that does not depend on the variable of a loop or the item of a splat.
func (w *leafWalker) add(n hclsyntax.Node, inner bool) {
	e := n.(hclsyntax.Expression)
	if !w.free(e) {
		return
	}
	text := w.source(hoist.Written(n).Range())
	if i := slices.IndexFunc(w.out, func(l leaf) bool { return l.text == text }); i >= 0 {
		w.out[i].inner = w.out[i].inner && inner
		return
	}
	w.out = append(w.out, leaf{text, e, inner})
}

func (w *leafWalker) free(e hclsyntax.Expression) bool {
	for _, t := range e.Variables() {
		for _, names := range w.bound {
			if _, ok := names[t.RootName()]; ok {
				return false
			}
		}
	}
	return len(e.Variables()) > 0
}

// why is the expression and the values in it: `!probe.a.running: probe.a.running = true`. Secrets are hidden.
func (x *expr) why(ctx *hcl.EvalContext) string {
	var b strings.Builder
	b.Grow(2*len(x.text) + 16*len(x.leaves))
	separator := ""
	if len(x.leaves) == 0 || x.leaves[0].text != x.text {
		b.WriteString(x.text)
		separator = ": "
	}
	for _, l := range x.leaves {
		v, diags := l.node.Value(ctx)
		if diags.HasErrors() || l.inner && v.IsKnown() && !v.Type().IsPrimitiveType() {
			continue
		}
		b.WriteString(separator)
		b.WriteString(l.text)
		b.WriteString(" = ")
		b.WriteString(brief(v))
		separator = ", "
	}
	return b.String()
}

const (
	briefElements = 8
	briefLength   = 200
)

// brief is a value that fits into a sentence.
func brief(v cty.Value) string {
	switch {
	case v.IsMarked() || !v.IsKnown() || v.IsNull():
	case v.Type() == cty.Bool:
		return strconv.FormatBool(v.True())
	case v.Type() == cty.String && simple(v.AsString()):
		return `"` + v.AsString() + `"`
	case v.CanIterateElements() && v.LengthInt() > briefElements:
		return fmt.Sprintf("(%d elements)", v.LengthInt())
	}
	text := decode.Show(v)
	if r := []rune(text); len(r) > briefLength {
		return string(r[:briefLength]) + "…"
	}
	return text
}

// simple tells whether a text is short and can stand in quotes as it is.
func simple(s string) bool {
	return len(s) < briefLength && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
}

// nulls names the parts of an expression that are null: most often the reason why it has no value.
func (x *expr) nulls(ctx *hcl.EvalContext) []string {
	var out []string
	for _, l := range x.leaves {
		text := ""
		if t, ok := hoist.Written(l.node).(*hclsyntax.ScopeTraversalExpr); ok {
			text = nullPrefix(t.Traversal, ctx)
		} else if v, diags := l.node.Value(ctx); !diags.HasErrors() && v.IsKnown() && v.IsNull() {
			text = l.text
		}
		if text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// nullPrefix is the part of a reference that is null: "self.disks" in self.disks[0]; "" when none is.
func nullPrefix(t hcl.Traversal, ctx *hcl.EvalContext) string {
	for n := 1; n <= len(t); n++ {
		v, diags := t[:n].TraverseAbs(ctx)
		if diags.HasErrors() {
			return ""
		}
		if v.IsKnown() && v.IsNull() {
			return written(t[:n])
		}
	}
	return ""
}

func written(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + decode.Show(s.Key) + "]")
		}
	}
	return b.String()
}
