package hoist

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func (w *rewrite) object(x *hclsyntax.ObjectConsExpr) deps {
	var children []*hclsyntax.Expression
	for i := range x.Items {
		if k, ok := x.Items[i].KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok && (k.ForceNonLiteral || hcl.ExprAsKeyword(k.Wrapped) == "") {
			children = append(children, &k.Wrapped)
		}
		children = append(children, &x.Items[i].ValueExpr)
	}
	return w.all(children...)
}

func (w *rewrite) call(x *hclsyntax.FunctionCallExpr) (hclsyntax.Expression, deps) {
	q := quickOf(x) // before: what is written out may become a literal, and shares its elements
	d, each := w.each(pointers(x.Args)...)
	if q != nil && len(d) > 0 {
		return q, d
	}
	indexed := (x.Name == "contains" || x.Name == "count") && len(x.Args) == 2 || x.Name == "lookup" && len(x.Args) > 1
	if len(d) == 0 || !indexed || len(each[0]) > 0 || x.ExpandFinal {
		return x, d
	}
	w.slots++
	return &member{x, w.slots - 1}, d
}

// loop rewrites a "for": what in its body does not depend on the turn is hoisted even when the loop itself is.
func (w *rewrite) loop(x *hclsyntax.ForExpr) deps {
	var coll deps
	x.CollExpr, coll = w.expr(x.CollExpr)
	before := len(w.bound)
	own := []any{x.ValVar}
	w.bound = append(w.bound, x.ValVar)
	if x.KeyVar != "" {
		own = append(own, x.KeyVar)
		w.bound = append(w.bound, x.KeyVar)
	}
	var body deps
	for _, part := range []*hclsyntax.Expression{&x.KeyExpr, &x.ValExpr, &x.CondExpr} {
		if *part == nil {
			continue
		}
		e, d := w.expr(*part)
		*part = w.hoist(e, d)
		body = body.add(d)
	}
	w.bound = w.bound[:before]
	d := deps(nil).add(coll).add(body.without(own...))
	if len(d) > 0 {
		x.CollExpr = w.hoist(x.CollExpr, coll)
	}
	return d
}

func (w *rewrite) splat(x *hclsyntax.SplatExpr) deps {
	var source, each deps
	x.Source, source = w.expr(x.Source)
	x.Each, each = w.expr(x.Each)
	d := deps(nil).add(source).add(each.without(x.Item))
	if len(d) > 0 {
		x.Source = w.hoist(x.Source, source)
	}
	return d
}
