package hoist

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// ref is a reference like probe.vm.awake. HCL's own allocates at every step; here that is only so where a step is not
// simply an attribute of a known object.
type ref struct {
	*hclsyntax.ParenthesesExpr // around the reference as it is written, so that a walk over the tree finds it
	traversal                  *hclsyntax.ScopeTraversalExpr
	root                       string
	names                      []string
	key                        string // of the variable that holds root.names[0]; "": there is none
}

// Key names the variable that stands for one attribute of another one. With probe.vm under it, reading probe.vm.awake
// needs no object of all probes, which would have to be made anew with each of them. No identifier is like it.
func Key(root, name string) string { return root + "." + name }

// refOf makes a ref of a traversal; nil: it has a step that is no attribute.
func (r *Rewriter) refOf(e *hclsyntax.ScopeTraversalExpr) *ref {
	x := refTo(e)
	if x != nil && len(x.names) > 0 && slices.Contains(r.Split, x.root) {
		x.key = Key(x.root, x.names[0])
	}
	return x
}

func refTo(e *hclsyntax.ScopeTraversalExpr) *ref {
	r := &ref{ParenthesesExpr: &hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.SrcRange}, traversal: e, root: e.Traversal.RootName()}
	for _, step := range e.Traversal[1:] {
		a, ok := step.(hcl.TraverseAttr)
		if !ok {
			return nil
		}
		r.names = append(r.names, a.Name)
	}
	return r
}

func (r *ref) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	for c := ctx; c != nil; c = c.Parent() {
		if r.key != "" {
			if v, ok := c.Variables[r.key]; ok {
				return r.from(v, 1, ctx)
			}
		}
		if v, ok := c.Variables[r.root]; ok {
			return r.from(v, 0, ctx)
		}
	}
	return r.traversal.Value(ctx)
}

// from reads what is left of the names after the first read of them.
func (r *ref) from(v cty.Value, read int, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	whole := v
	for _, name := range r.names[read:] {
		if v.IsMarked() || !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() || !v.Type().HasAttribute(name) {
			if read == 0 {
				return r.traversal.Value(ctx)
			}
			return r.traversal.Traversal[1+read:].TraverseRel(whole)
		}
		v = v.GetAttr(name)
	}
	return v, nil
}

// NeedsWhole tells whether something in e reads one of the split variables other than by the name of an attribute.
func (r *Rewriter) NeedsWhole(e hclsyntax.Expression) bool {
	w := &wholeWalker{split: r.Split}
	_ = hclsyntax.Walk(e, w)
	return w.found
}

type wholeWalker struct {
	split []string
	refs  int // around the node
	found bool
}

func (w *wholeWalker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch x := n.(type) {
	case *ref:
		w.refs++
		w.found = w.found || x.key == "" && slices.Contains(w.split, x.root)
	case *hclsyntax.ScopeTraversalExpr:
		w.found = w.found || w.refs == 0 && slices.Contains(w.split, x.Traversal.RootName())
	}
	return nil
}

func (w *wholeWalker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	if _, ok := n.(*ref); ok {
		w.refs--
	}
	return nil
}
