package infer

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine/lang/decode"
)

func (w *walker) traversal(e *hclsyntax.ScopeTraversalExpr) Type {
	root := e.Traversal.RootName()
	for _, b := range slices.Backward(w.bound) {
		if b.name == root {
			return w.steps(b.t, root, e.Traversal[1:])
		}
	}
	t, used, problem := w.scope.Name(e.Traversal)
	if problem != nil {
		w.add(problem)
		return Dynamic
	}
	return w.steps(t, root+written(e.Traversal[1:used]), e.Traversal[used:])
}

// steps is the type of what a traversal arrives at; of is how the value is written from which it starts.
func (w *walker) steps(t Type, of string, steps hcl.Traversal) Type {
	for i, s := range steps {
		switch s := s.(type) {
		case hcl.TraverseAttr:
			if hasInside(t, s.Name) {
				t = w.keyMissing(t, of+written(steps[:i]), s)
				continue
			}
			t = w.attr(t, s.Name, s.SrcRange)
		case hcl.TraverseIndex:
			t = w.at(t, Of(s.Key.Type()), s.Key, s.SrcRange)
		default:
			return Dynamic
		}
	}
	return t
}

// hasInside tells whether t is a map of objects that have an attribute of this name, as the results of an entry with
// for_each are: who writes it as an attribute of the map means one of the objects.
func hasInside(t Type, name string) bool {
	return t.IsMapType() && t.ElementType().IsObjectType() && t.ElementType().HasAttribute(name)
}

func (w *walker) keyMissing(t Type, of string, s hcl.TraverseAttr) Type {
	return w.fail(s.SrcRange, "Key missing", "%s is a map: each of its values has %q. Write %s[\"key\"].%s, or [for key, x in %s : x.%s]. Where it is itself a key, write %s[%q].",
		of, s.Name, of, s.Name, of, s.Name, of, s.Name)
}

// written is how the steps of a traversal are written.
func written(steps hcl.Traversal) string {
	var b strings.Builder
	for _, s := range steps {
		switch s := s.(type) {
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			if s.Key.Type() == cty.String {
				b.WriteString("[" + strconv.Quote(s.Key.AsString()) + "]")
			} else {
				b.WriteString("[" + s.Key.AsBigFloat().Text('f', -1) + "]")
			}
		}
	}
	return b.String()
}

func (w *walker) attr(t Type, name string, where hcl.Range) Type {
	switch {
	case t.isDynamic():
		w.scope.Unchecked(where)
		return t.element(cty.DynamicPseudoType)
	case t.IsObjectType() && t.HasAttribute(name):
		w.scope.Attribute(t.Type, name, where)
		return t.attr(name)
	case t.IsObjectType():
		return w.noAttribute(t, name, where)
	case t.IsMapType():
		w.scope.Unchecked(where)
		return Type{t.ElementType(), t.secret.at(name)}
	case t.isSequence():
		return w.fail(where, "Unsupported attribute", "This is %s, which has no attributes. Read %s of every element with [*].%s or a for expression.", friendly(t.Type), name, name)
	}
	return w.fail(where, "Unsupported attribute", "This is %s, which has no attributes.", friendly(t.Type))
}

func (w *walker) noAttribute(t Type, name string, where hcl.Range) Type {
	more, open, certain := w.scope.NoAttribute(t.Type, name)
	if open {
		w.scope.Unchecked(where)
		return Dynamic
	}
	if more == "" {
		more = Suggest(name, slices.Sorted(maps.Keys(t.AttributeTypes())))
	}
	if certain {
		return w.insist(where, "Unsupported attribute", "There is no attribute %q here.%s", name, more)
	}
	return w.fail(where, "Unsupported attribute", "There is no attribute %q here.%s", name, more)
}

func (w *walker) index(e *hclsyntax.IndexExpr) Type {
	t, kt := w.expr(e.Collection), w.expr(e.Key)
	key, ok := w.constant(e.Key)
	if !ok {
		key = cty.UnknownVal(kt.Type)
	}
	if t.IsObjectType() && len(e.Key.Variables()) > 0 {
		w.scope.Observe(t.Type) // the attribute's name stands nowhere
	}
	out := w.at(t, kt, key, e.BracketRange)
	out.secret = out.secret.and(flat(kt))
	return out
}

// at is the type of what stands under a key, which may be unknown.
func (w *walker) at(t, kt Type, key cty.Value, where hcl.Range) Type {
	want := cty.String
	if t.IsListType() || t.IsTupleType() {
		want = cty.Number
	}
	known := key.IsKnown() && !key.IsNull()
	if converted, err := convert.Convert(key, want); err == nil {
		key = converted
	} else if !t.isDynamic() && (t.isSequence() || t.IsMapType() || t.IsObjectType()) {
		return w.fail(where, "Wrong key", "%s needs a %s as its key, and this is %s.", upper(friendly(t.Type)), want.FriendlyName(), friendly(kt.Type))
	} else {
		known = false
	}
	if t.isDynamic() || t.IsMapType() || t.IsListType() || !known {
		w.scope.Unchecked(where)
	}
	switch {
	case t.isDynamic():
		w.scope.Observe(t.Type)
		return t.element(cty.DynamicPseudoType)
	case t.IsListType():
		return t.element(t.ElementType())
	case t.IsMapType() && known:
		return Type{t.ElementType(), t.secret.at(key.AsString())}
	case t.IsMapType():
		return t.element(t.ElementType())
	case t.IsTupleType():
		return w.tupleElement(t, key, known, where)
	case t.IsObjectType() && known && t.HasAttribute(key.AsString()):
		w.scope.Attribute(t.Type, key.AsString(), where)
		return t.attr(key.AsString())
	case t.IsObjectType() && known:
		return w.noAttribute(t, key.AsString(), where)
	case t.IsObjectType():
		w.scope.Observe(t.Type)
		var types []Type
		for name := range t.AttributeTypes() {
			types = append(types, t.attr(name))
		}
		return join(types)
	case t.IsSetType():
		return w.fail(where, "No elements by number", "The elements of a set have no number or key. Make it a list with tolist().")
	}
	return w.fail(where, "No elements", "This is %s, which has no elements.", friendly(t.Type))
}

func (w *walker) tupleElement(t Type, key cty.Value, known bool, where hcl.Range) Type {
	types := make([]Type, t.Length())
	for i, et := range t.TupleElementTypes() {
		types[i] = Type{et, t.secret.at(strconv.Itoa(i))}
	}
	if !known {
		return join(types)
	}
	i, exact := key.AsBigFloat().Int64()
	if exact != 0 || i < 0 || int(i) >= len(types) {
		return w.fail(where, "No such element", "There are %d elements here; the first is [0].", len(types))
	}
	return types[i]
}

// Suggest is ` Did you mean "x"?` with the nearest of the known names, or "". Two letters that changed places are near.
func Suggest(name string, known []string) string {
	letters := []rune(name)
	for i := range max(len(letters)-1, 0) {
		swapped := slices.Clone(letters)
		swapped[i], swapped[i+1] = letters[i+1], letters[i]
		if slices.Contains(known, string(swapped)) {
			return decode.Suggest(string(swapped), known)
		}
	}
	return decode.Suggest(name, known)
}

// friendly names a type with its article.
func friendly(t cty.Type) string {
	name := t.FriendlyName()
	if t == cty.DynamicPseudoType {
		return "a value of any type"
	}
	if strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
