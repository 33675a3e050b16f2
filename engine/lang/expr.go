package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// expr is a checked expression. It implements engine.Expr.
type expr struct {
	place  hcl.Range
	text   string
	typ    infer.Type
	node   hclsyntax.Expression // with hoisted parts
	refs   refs
	leaves []leaf
	whole  bool      // it needs "probe", "step" and so on as objects, not only what is in them
	wrong  bool      // a mistake was reported
	owner  *play     // whose names it sees; nil: those of the file
	value  cty.Value // when it depends on nothing that is not known at load; else NilVal
	said   *expr     // of a condition: what the playbook says to its being false; nil: nothing
}

// Range implements engine.Expr.
func (x *expr) Range() engine.Range { return decode.Range(x.place) }

// Text implements engine.Expr.
func (x *expr) Text() string { return x.text }

// exprOf keeps a nil *expr from becoming an interface that is not nil.
func exprOf(x *expr) engine.Expr {
	if x == nil {
		return nil
	}
	return x
}

// refs is what an expression names.
type refs struct {
	entries []*entry // of the play in which it stands
	plays   []*play  // also through locals
	inputs  []*input // of the part in which it stands
	run     bool     // it names run., which no plan knows
	reads   []read
}

// read is an attribute of an entry's result that an expression reads.
type read struct {
	entry *entry
	attr  string
	where hcl.Range
}

func (r *refs) entry(e *entry) {
	if !slices.Contains(r.entries, e) {
		r.entries = append(r.entries, e)
	}
}

func (r *refs) play(p *play) {
	if !slices.Contains(r.plays, p) {
		r.plays = append(r.plays, p)
	}
}

// adopt adds what another expression names.
func (r *refs) adopt(o refs) {
	r.run = r.run || o.run
	r.inputs = append(r.inputs, o.inputs...)
	for _, e := range o.entries {
		r.entry(e)
	}
	for _, p := range o.plays {
		r.play(p)
	}
}

// perHost are the names whose values differ between hosts or between evaluations for one host.
var perHost = []string{"self", "probe", "step", "block", "include", "each", "input", "result"}

// infer checks an expression; compile makes it ready for evaluation, which changes its tree.
func (l *loader) infer(e hclsyntax.Expression, at place) *expr {
	x := &expr{place: e.Range(), text: l.source(e.Range()), node: e}
	s := &scope{loader: l, place: at, refs: &x.refs}
	t, diags := infer.Expr(e, s)
	l.report(diags)
	l.secrets = append(l.secrets, s.sources(e)...)
	x.typ, x.wrong = t, diags.HasErrors()
	if x.wrong {
		return x
	}
	if v, diags, ok := s.Constant(e); ok {
		if diags.HasErrors() {
			l.report(diags)
			x.wrong = true
		} else {
			x.value = v
		}
	}
	return x
}

func (l *loader) compile(e hclsyntax.Expression, at place) *expr {
	x := l.infer(e, at)
	l.ready(x, at)
	return x
}

func (l *loader) ready(x *expr, at place) {
	if x.wrong {
		return
	}
	l.guard(x, at)
	x.owner = at.play
	if at.play != nil {
		x.node = l.rewriter.PerHost(x.node, perHost...)
	} else {
		x.node = l.rewriter.Once(x.node)
	}
	x.whole = l.rewriter.NeedsWhole(x.node)
	x.leaves = leavesOf(x.node, l.source)
	for i := range x.leaves {
		x.leaves[i].node = l.rewriter.Keep(x.leaves[i].node, perHost...)
	}
}

// attr compiles an attribute that must be of a type; nil: it is not written.
func (l *loader) attr(body *hclsyntax.Body, name string, want cty.Type, at place) *expr {
	a := body.Attributes[name]
	if a == nil {
		return nil
	}
	at.what = name
	x := l.compile(a.Expr, at)
	l.demand(x, want, name)
	return x
}

// demand reports an expression that cannot be of a type, or that holds a secret.
func (l *loader) demand(x *expr, want cty.Type, name string) {
	switch {
	case x.wrong:
	case x.typ.HoldsSecret():
		l.fail(x.place, "A secret cannot be used here", "%q decides what is done, and is shown: it must not hold a secret.", name)
	case !infer.Converts(x.typ.Type, want), want == cty.Bool && x.typ.Type == cty.String:
		l.fail(x.place, "Wrong type", "%q must be a %s, not %s.", name, want.FriendlyName(), x.typ.FriendlyName())
	default:
		return
	}
	x.wrong = true
}

// text evaluates an attribute at load: it may name variables only. "" when it is not written or wrong.
func (l *loader) text(body *hclsyntax.Body, name string) string {
	x := l.attr(body, name, cty.String, place{onlyVars: true})
	if x == nil || x.wrong || x.value == cty.NilVal || x.value.IsNull() || !x.value.IsKnown() || x.value.IsMarked() {
		return ""
	}
	return asString(x.value)
}

// source is the text of a range on one line.
func (l *loader) source(r hcl.Range) string {
	f := l.files[r.Filename]
	if f == nil || r.End.Byte > len(f.Bytes) || r.Start.Byte > r.End.Byte {
		return ""
	}
	return strings.Join(strings.Fields(string(f.Bytes[r.Start.Byte:r.End.Byte])), " ")
}

// sources are those of the secrets that e reads, where they are known at load.
func (s *scope) sources(e hclsyntax.Expression) []cty.Value {
	var out []cty.Value
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		c, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || c.Name != "secret" || len(c.Args) != 1 {
			return nil
		}
		if v, diags, ok := s.Constant(c.Args[0]); ok && !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() && !v.IsMarked() {
			out = append(out, v)
		}
		return nil
	})
	return out
}

// secretCall tells whether secret() is called in e.
func secretCall(e hclsyntax.Expression) bool {
	found := false
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if c, ok := n.(*hclsyntax.FunctionCallExpr); ok && c.Name == "secret" {
			found = true
		}
		return nil
	})
	return found
}
