package hoist

import (
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
}

// refOf makes a ref of a traversal; nil: it has a step that is no attribute.
func refOf(e *hclsyntax.ScopeTraversalExpr) *ref {
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
		v, ok := c.Variables[r.root]
		if !ok {
			continue
		}
		for _, name := range r.names {
			if v.IsMarked() || !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() || !v.Type().HasAttribute(name) {
				return r.traversal.Value(ctx)
			}
			v = v.GetAttr(name)
		}
		return v, nil
	}
	return r.traversal.Value(ctx)
}
