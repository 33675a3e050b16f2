// Package hoist knows which parts of an expression have the same value for every host, or in every turn of a loop, and
// evaluates them once. An expression over ten thousand hosts is otherwise evaluated, and its lists are walked, each time.
package hoist

import (
	"reflect"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Name is the variable of a root evaluation context under which its cache stands. No identifier is like it.
const Name = "hoisted values"

// Cache keeps the values of hoisted parts for one root context, whose variables must not change any more.
// It is safe for use by several goroutines.
type Cache struct{ slots []slot }

// slot is of a part that is evaluated once, or of a collection that is indexed once.
type slot struct {
	once     sync.Once
	value    cty.Value
	diags    hcl.Diagnostics
	texts    map[string]int64     // of a list of texts: how often each is in it; nil: it is no such list
	elements map[string]cty.Value // of a map; nil: it is none
}

var cacheType = cty.Capsule("cache", reflect.TypeFor[Cache]())

// Value is what a root context holds under Name.
func (c *Cache) Value() cty.Value { return cty.CapsuleVal(cacheType, c) }

// find gives the root of ctx and its cache; nil: it has none.
func find(ctx *hcl.EvalContext) (*hcl.EvalContext, *Cache) {
	if ctx == nil {
		return nil, nil
	}
	for ctx.Parent() != nil {
		ctx = ctx.Parent()
	}
	v, ok := ctx.Variables[Name]
	if !ok {
		return ctx, nil
	}
	return ctx, v.EncapsulatedValue().(*Cache)
}

// index prepares a collection for look-ups. One with a secret or an unknown value in it is left to the functions.
func (s *slot) index(v cty.Value, diags hcl.Diagnostics) {
	if len(diags) > 0 || v.ContainsMarked() || !v.IsWhollyKnown() || v.IsNull() {
		return
	}
	switch t := v.Type(); {
	case t.IsMapType():
		s.value, s.elements = v, v.AsValueMap()
		if s.elements == nil {
			s.elements = map[string]cty.Value{}
		}
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		s.texts = texts(v)
	}
}

// texts counts the elements of a list of texts; nil when it is anything else.
func texts(list cty.Value) map[string]int64 {
	index := map[string]int64{}
	for _, v := range list.Elements() {
		if v.Type() != cty.String {
			return nil
		}
		if !v.IsNull() { // null equals no text
			index[v.AsString()]++
		}
	}
	return index
}
