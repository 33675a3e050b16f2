package hoist

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Rewriter makes expressions whose hoistable parts are evaluated once per Cache. It is used while loading, by one goroutine.
type Rewriter struct {
	// Split are variables whose attributes may stand in a context one by one, under Key.
	Split []string
	slots int
}

// Cache makes an empty cache for a root context, once nothing is rewritten any more.
func (r *Rewriter) Cache() *Cache { return &Cache{slots: make([]slot, r.slots)} }

// PerHost rewrites an expression that is evaluated for each host: what names none of the dynamic roots is hoisted.
// The tree is changed in place; variables of "for" must not shadow roots.
func (r *Rewriter) PerHost(e hclsyntax.Expression, dynamic ...string) hclsyntax.Expression {
	w := rewrite{Rewriter: r, dynamic: map[string]bool{}}
	for _, name := range dynamic {
		w.dynamic[name] = true
	}
	e, d := w.expr(e)
	return w.hoist(e, d)
}

// Once rewrites an expression that is evaluated once per root context: only what a loop repeats is hoisted.
func (r *Rewriter) Once(e hclsyntax.Expression) hclsyntax.Expression {
	e, _ = (&rewrite{Rewriter: r}).expr(e)
	return e
}

// Keep makes an expression that is evaluated once per Cache, if it names none of the dynamic roots.
func (r *Rewriter) Keep(e hclsyntax.Expression, dynamic ...string) hclsyntax.Expression {
	for _, t := range e.Variables() {
		if slices.Contains(dynamic, t.RootName()) {
			return e
		}
	}
	return (&rewrite{Rewriter: r}).hoist(e, nil)
}

type rewrite struct {
	*Rewriter
	dynamic map[string]bool
	bound   []string
}

// Written is the expression as it stands in the playbook, for a part that was rewritten.
func Written(e hclsyntax.Node) hclsyntax.Node {
	switch e := e.(type) {
	case *once:
		return Written(e.Expression)
	case *member:
		return e.FunctionCallExpr
	case *quick:
		return e.FunctionCallExpr
	case *logic:
		return e.Expression
	case *operator:
		return e.Expression
	case *ref:
		return e.traversal
	}
	return e
}

// deps are the names, and the items of splats, on which a part depends and which differ between its evaluations.
type deps map[any]struct{}

func (d deps) add(o deps) deps {
	if len(o) == 0 {
		return d
	}
	if d == nil {
		d = deps{}
	}
	for k := range o {
		d[k] = struct{}{}
	}
	return d
}

func (d deps) without(keys ...any) deps {
	for _, k := range keys {
		delete(d, k)
	}
	return d
}

// hoist wraps a part that depends on nothing and is worth keeping.
func (w *rewrite) hoist(e hclsyntax.Expression, d deps) hclsyntax.Expression {
	if len(d) > 0 {
		return e
	}
	switch e.(type) {
	case *hclsyntax.LiteralValueExpr, *hclsyntax.ScopeTraversalExpr, *ref, *hclsyntax.ObjectConsKeyExpr, *once:
		return e
	}
	w.slots++
	return &once{e, w.slots - 1}
}

// name is what a traversal depends on.
func (w *rewrite) name(t hcl.Traversal) deps {
	root := t.RootName()
	for _, b := range w.bound {
		if b == root {
			return deps{root: {}}
		}
	}
	if w.dynamic[root] {
		return deps{root: {}}
	}
	return nil
}

// all rewrites the children of one node. When they depend on nothing, neither does the node, and it is left whole.
func (w *rewrite) all(children ...*hclsyntax.Expression) deps {
	d, _ := w.each(children...)
	return d
}

// each is all, and tells the dependencies of each child, too.
func (w *rewrite) each(children ...*hclsyntax.Expression) (deps, []deps) {
	each := make([]deps, len(children))
	var d deps
	for i, c := range children {
		*c, each[i] = w.expr(*c)
		d = d.add(each[i])
	}
	if len(d) > 0 {
		for i, c := range children {
			*c = w.hoist(*c, each[i])
		}
	}
	return d, each
}

func (w *rewrite) expr(e hclsyntax.Expression) (hclsyntax.Expression, deps) {
	switch x := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if r := w.refOf(x); r != nil {
			e = r
		}
		return e, w.name(x.Traversal)
	case *ref: // rewritten before
		return e, w.name(x.traversal.Traversal)
	case *hclsyntax.AnonSymbolExpr:
		return e, deps{x: {}}
	case *hclsyntax.RelativeTraversalExpr:
		return e, w.all(&x.Source)
	case *hclsyntax.ParenthesesExpr:
		return e, w.all(&x.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return e, w.all(&x.Wrapped)
	case *hclsyntax.IndexExpr:
		return e, w.all(&x.Collection, &x.Key)
	case *hclsyntax.ConditionalExpr:
		return e, w.all(&x.Condition, &x.TrueResult, &x.FalseResult)
	case *hclsyntax.BinaryOpExpr:
		d := w.all(&x.LHS, &x.RHS)
		if x.Op == hclsyntax.OpLogicalAnd || x.Op == hclsyntax.OpLogicalOr {
			return &logic{Expression: x, op: x}, d
		}
		if o := operatorOf(x); o != nil {
			return o, d
		}
		return e, d
	case *hclsyntax.UnaryOpExpr:
		d := w.all(&x.Val)
		if o := operatorOf(x); o != nil {
			return o, d
		}
		return folded(e, d)
	case *hclsyntax.TemplateExpr:
		return folded(e, w.all(pointers(x.Parts)...))
	case *hclsyntax.TupleConsExpr:
		return folded(e, w.all(pointers(x.Exprs)...))
	case *hclsyntax.ObjectConsExpr:
		return e, w.object(x)
	case *hclsyntax.FunctionCallExpr:
		return w.call(x)
	case *hclsyntax.ForExpr:
		return e, w.loop(x)
	case *hclsyntax.SplatExpr:
		return e, w.splat(x)
	case *member: // rewritten before
		return e, w.all(pointers(x.Args)...)
	case *quick:
		return e, w.all(pointers(x.Args)...)
	case *logic:
		return e, w.all(&x.op.LHS, &x.op.RHS)
	case *operator:
		if x.right == nil {
			return e, w.all(x.left)
		}
		return e, w.all(x.left, x.right)
	case *hclsyntax.TemplateJoinExpr: // its tuple must stay one that it knows
		_, d := w.expr(x.Tuple)
		return e, d
	}
	return e, nil
}

func pointers(list []hclsyntax.Expression) []*hclsyntax.Expression {
	out := make([]*hclsyntax.Expression, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// folded makes a literal of a node whose children are literals: a text in quotes is evaluated anew each time otherwise.
func folded(e hclsyntax.Expression, d deps) (hclsyntax.Expression, deps) {
	if len(d) > 0 || len(e.Variables()) > 0 {
		return e, d
	}
	v, diags := e.Value(nil) // a function is none of the children's business: without a context it is an error
	if len(diags) > 0 {
		return e, d
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}, nil
}
