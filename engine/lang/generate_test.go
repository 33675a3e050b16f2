package lang_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// choices decide what is generated: a fuzzer's bytes. When they are used up, the simplest thing is always chosen.
type choices struct{ rest []byte }

// of gives a number below n.
func (c *choices) of(n int) int {
	if len(c.rest) == 0 || n < 2 {
		return 0
	}
	b := int(c.rest[0])
	c.rest = c.rest[1:]
	return b % n
}

// shuffled are choices for a number, each number's own.
func shuffled(seed uint64, n int) *choices {
	out, r := make([]byte, n), rand.NewPCG(seed, 1)
	for i := range out {
		out[i] = byte(r.Uint64() >> 8)
	}
	return &choices{out}
}

// kind is a type with its name, by which types are compared.
type kind struct {
	cty.Type
	name string
}

func kindOf(t cty.Type) kind {
	switch {
	case t.IsListType():
		return listOf(kindOf(t.ElementType()))
	case t.IsMapType():
		return mapOf(kindOf(t.ElementType()))
	case t.IsObjectType():
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(t.AttributeTypes())) {
			b.WriteString(name + "=" + kindOf(t.AttributeType(name)).name + ";")
		}
		return kind{t, "{" + b.String() + "}"}
	}
	return kind{t, t.FriendlyName()}
}

func listOf(e kind) kind { return kind{cty.List(e.Type), "[" + e.name + "]"} }
func mapOf(e kind) kind  { return kind{cty.Map(e.Type), "<" + e.name + ">"} }

// element is what a list or a map holds.
func (k kind) element() kind { return kind{k.ElementType(), k.name[1 : len(k.name)-1]} }

var (
	text   = kindOf(cty.String)
	number = kindOf(cty.Number)
	truth  = kindOf(cty.Bool)
	many   = []kind{text, number, truth, kindOf(cty.List(cty.String)), kindOf(cty.Map(cty.Number)), kindOf(cty.List(cty.Number)),
		kindOf(cty.Object(map[string]cty.Type{"name": cty.String, "size": cty.Number})), kindOf(cty.Map(cty.List(cty.String))),
		kindOf(cty.List(cty.Object(map[string]cty.Type{"name": cty.String, "up": cty.Bool})))}
)

// step is one step of a path: an attribute of an object, which can be misspelt, or an element.
type step struct {
	attr, index string
	others      []string // attributes that the object has
}

type path struct {
	steps []step
	typ   cty.Type
}

// root is a name that an expression can begin with.
type root struct {
	name string
	typ  kind
}

// grammar makes expressions of a wanted type out of names.
type grammar struct {
	*choices
	roots    []root
	paths    map[string]map[string][]path // by the type of the root and the wanted type
	bound    int                          // names given to variables of loops
	misspell bool                         // one name shall be misspelt
	misspelt string                       // the name, when that was done
	lazy     int                          // calls of try and can around
	hidden   bool                         // the misspelt name stands in one of them
}

// inside are the paths that lead from a type to others.
func (g *grammar) inside(t kind) map[string][]path {
	if found := g.paths[t.name]; found != nil {
		return found
	}
	out := map[string][]path{}
	var walk func(t cty.Type, steps []step)
	walk = func(t cty.Type, steps []step) {
		k := kindOf(t).name
		out[k] = append(out[k], path{slices.Clone(steps), t})
		if len(steps) > 4 {
			return
		}
		switch {
		case t.IsObjectType():
			attrs := slices.Sorted(maps.Keys(t.AttributeTypes()))
			for _, name := range attrs {
				walk(t.AttributeType(name), append(steps, step{attr: name, others: attrs}))
			}
		case t.IsListType():
			walk(t.ElementType(), append(steps, step{index: "[0]"}))
		case t.IsMapType():
			walk(t.ElementType(), append(steps, step{index: `["p"]`}))
		}
	}
	walk(t.Type, nil)
	g.paths[t.name] = out
	return out
}

// written is how a path is written, one name perhaps wrong.
func (g *grammar) written(p path) string {
	var b strings.Builder
	for _, s := range p.steps {
		name := s.attr
		switch {
		case name == "":
			b.WriteString(s.index)
			continue
		case g.misspell && g.misspelt == "" && g.of(3) == 0:
			if wrong := g.wrong(name, s.others); wrong != "" {
				name, g.misspelt, g.hidden = wrong, wrong, g.lazy > 0
			}
		}
		if g.of(5) == 1 {
			b.WriteString(`["` + name + `"]`)
		} else {
			b.WriteString("." + name)
		}
	}
	return b.String()
}

// wrong is a name that the object does not have, or "".
func (g *grammar) wrong(name string, others []string) string {
	wrong := name + "s"
	switch n := g.of(5); {
	case n == 1 && len(name) > 2:
		wrong = name[1:2] + name[:1] + name[2:]
	case n == 2 && len(name) > 2:
		wrong = name[:len(name)-1]
	case n == 3:
		wrong = []string{"probe", "step", "error", "changed", "status", "running", "Name"}[g.of(7)]
	case n == 4:
		wrong = strings.ToUpper(name[:1]) + name[1:]
	}
	if slices.Contains(others, wrong) {
		return ""
	}
	return wrong
}

// ref is a name that leads to a value of a type; false: none does.
func (g *grammar) ref(t kind) (string, bool) {
	type way struct {
		root string
		path path
	}
	var ways []way
	for _, r := range slices.Backward(g.roots) {
		for _, p := range g.inside(r.typ)[t.name] {
			ways = append(ways, way{r.name, p})
		}
	}
	if len(ways) == 0 {
		return "", false
	}
	w := ways[(g.of(256)*256+g.of(256))%len(ways)]
	return w.root + g.written(w.path), true
}

// leaf is the simplest value of a type.
func (g *grammar) leaf(t kind) string {
	if x, ok := g.ref(t); ok {
		return x
	}
	switch {
	case t.Type == cty.String:
		return `"x"`
	case t.Type == cty.Number:
		return "1"
	case t.Type == cty.Bool:
		return "true"
	case t.IsListType():
		return "tolist([" + g.leaf(t.element()) + "])"
	case t.IsMapType():
		return "tomap({ p = " + g.leaf(t.element()) + " })"
	case t.IsObjectType():
		return g.object(t, 0)
	}
	return "null"
}

func (g *grammar) object(t kind, depth int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(t.AttributeTypes())) {
		parts = append(parts, name+" = "+g.expr(kindOf(t.AttributeType(name)), depth))
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// any is one of the types that expressions are made of.
func (g *grammar) any() kind { return many[g.of(len(many))] }

// expr is an expression of a type.
func (g *grammar) expr(t kind, depth int) string {
	if depth <= 0 || g.of(4) == 0 {
		return g.leaf(t)
	}
	depth--
	if g.of(2) == 0 {
		if x := g.special(t, depth); x != "" {
			return x
		}
	}
	same := func() string { return g.expr(t, depth) }
	list, table := listOf(t), mapOf(t)
	switch g.of(16) {
	case 0:
		return "(" + g.expr(truth, depth) + " ? " + same() + " : " + same() + ")"
	case 1:
		return "try(" + g.caught(same) + ", " + same() + ")"
	case 2:
		return "[" + same() + ", " + g.expr(g.any(), depth) + "][0]"
	case 3:
		return "{ one = " + same() + ", two = " + g.expr(g.any(), depth) + " }.one"
	case 4:
		return g.expr(list, depth) + "[0]"
	case 5:
		return "element(" + g.expr(list, depth) + ", " + g.expr(number, 0) + ")"
	case 6:
		return `lookup(` + g.expr(table, depth) + `, ` + g.expr(text, depth) + `, ` + same() + `)`
	case 7:
		return g.expr(table, depth) + `[` + g.expr(text, depth) + `]`
	case 8:
		return "values(" + g.expr(table, depth) + ")[0]"
	case 9:
		return "merge({ a = " + same() + " }, { b = " + same() + " }).a"
	case 10:
		return "(" + g.expr(truth, depth) + " ? " + same() + " : null)"
	case 11:
		return "one(" + g.expr(list, depth) + ")"
	case 12:
		return "values({ a = " + same() + ", b = " + same() + " })[" + strconv.Itoa(g.of(2)) + "]"
	case 13:
		return g.loop(depth, func(in string) string { return "[for " + in + " : " + g.expr(t, depth) + "]" }) + "[0]"
	case 14:
		return "coalesce(" + same() + ", " + same() + ")"
	}
	return "[for a in [" + same() + ", " + same() + "] : a][" + g.expr(number, 0) + "]"
}

// caught is what stands in try or can.
func (g *grammar) caught(make func() string) string {
	g.lazy++
	defer func() { g.lazy-- }()
	return make()
}

// special is an expression that only values of this type can have; "" where there is none.
func (g *grammar) special(t kind, depth int) string {
	switch {
	case t.Type == cty.String:
		return g.text(depth)
	case t.Type == cty.Number:
		return g.number(depth)
	case t.Type == cty.Bool:
		return g.truth(depth)
	case t.IsListType():
		return g.list(t, depth)
	case t.IsMapType():
		return g.table(t, depth)
	case t.IsObjectType() && !t.HasAttribute("address") && !t.HasAttribute("status") && !t.HasAttribute("l"): // hosts and results cannot be written
		return g.object(t, depth)
	}
	return ""
}

func (g *grammar) text(depth int) string {
	x := func() string { return g.expr(text, depth) }
	switch g.of(8) {
	case 0:
		return `"a ${` + x() + `} b${` + g.expr(number, depth) + `}"`
	case 1:
		return "upper(" + x() + ")"
	case 2:
		return `join(", ", ` + g.expr(kindOf(cty.List(cty.String)), depth) + ")"
	case 3:
		return "jsonencode(" + g.expr(g.any(), depth) + ")"
	case 4:
		return g.loop(depth, func(in string) string { return `"%{for ` + in + `}${` + x() + `},%{endfor}"` })
	case 5:
		return `"%{if ` + g.expr(truth, depth) + `}a%{else}${` + x() + `}%{endif}"`
	case 6:
		return `format("%s-%v", ` + x() + `, ` + g.expr(g.any(), depth) + `)`
	}
	return "tostring(" + g.expr(number, depth) + ")"
}

func (g *grammar) number(depth int) string {
	x := func() string { return g.expr(number, depth) }
	switch g.of(6) {
	case 0:
		return "length(" + g.expr(listOf(g.any()), depth) + ")"
	case 1:
		return "(" + x() + " + " + x() + " * 2)"
	case 2:
		return "count(" + g.expr(kindOf(cty.List(cty.String)), depth) + ", " + g.expr(text, depth) + ")"
	case 3:
		return "max(" + x() + ", " + x() + ")"
	case 4:
		return "length(" + g.expr(mapOf(g.any()), depth) + ")"
	}
	return "-" + g.leaf(number)
}

func (g *grammar) truth(depth int) string {
	x := func() string { return g.expr(truth, depth) }
	k := g.any()
	switch g.of(9) {
	case 0:
		return "(" + g.expr(k, depth) + " == " + g.expr(k, depth) + ")"
	case 1:
		return "(" + g.expr(number, depth) + " < " + g.expr(number, depth) + ")"
	case 2:
		return "(" + x() + " && " + x() + ")"
	case 3:
		return "(" + x() + " || " + x() + ")"
	case 4:
		return "!" + x()
	case 5:
		return "contains(" + g.expr(listOf(k), depth) + ", " + g.expr(k, depth) + ")"
	case 6:
		return g.caught(func() string { return "can(" + g.expr(k, depth) + ")" })
	case 7:
		return "(" + g.expr(k, depth) + " != null)"
	}
	return "anytrue(" + g.expr(kindOf(cty.List(cty.Bool)), depth) + ")"
}

func (g *grammar) list(t kind, depth int) string {
	e := t.element()
	x := func() string { return g.expr(t, depth) }
	switch g.of(9) {
	case 0:
		return g.loop(depth, func(in string) string { return "[for " + in + " : " + g.expr(e, depth) + "]" })
	case 1:
		return g.loop(depth, func(in string) string {
			return "[for " + in + " : " + g.expr(e, depth) + " if " + g.expr(truth, depth) + "]"
		})
	case 2:
		return g.splat(e)
	case 3:
		return "concat(" + x() + ", " + x() + ")"
	case 4:
		return "reverse(" + x() + ")"
	case 5:
		return "values(" + g.expr(mapOf(e), depth) + ")"
	case 6:
		if !e.IsListType() {
			return "flatten([" + x() + ", [" + g.expr(e, depth) + "]])"
		}
	case 7:
		return "distinct(" + x() + ")"
	}
	return "tolist([" + g.expr(e, depth) + "])"
}

func (g *grammar) table(t kind, depth int) string {
	e := t.element()
	switch g.of(5) {
	case 0:
		return g.loop(depth, func(in string) string {
			return "{ for " + in + " : " + g.expr(text, depth) + " => " + g.expr(e, depth) + " }"
		})
	case 1:
		return "merge(" + g.expr(t, depth) + ", " + g.expr(t, depth) + ")"
	case 2:
		return "zipmap(" + g.expr(kindOf(cty.List(cty.String)), depth) + ", " + g.expr(listOf(e), depth) + ")"
	case 3:
		if e.IsListType() {
			return g.loop(depth, func(in string) string {
				return "{ for " + in + " : " + g.expr(text, depth) + " => " + g.expr(e.element(), depth) + "... }"
			})
		}
	}
	return "tomap({ p = " + g.expr(e, depth) + " })"
}

// loop makes "x in COLLECTION", and what follows it, which sees the element.
func (g *grammar) loop(depth int, body func(in string) string) string {
	e := g.element()
	coll, key := "", ""
	switch g.of(4) {
	case 0:
		coll, key = g.expr(mapOf(e), depth), "k"
	case 1:
		coll = "[" + g.expr(e, depth) + ", " + g.expr(e, depth) + "]"
	default:
		coll = g.expr(listOf(e), depth)
	}
	g.bound++
	name := "v" + strconv.Itoa(g.bound)
	in := name + " in " + coll
	before := len(g.roots)
	if key != "" {
		key += strconv.Itoa(g.bound)
		in = key + ", " + in
		g.roots = append(g.roots, root{key, text})
	}
	g.roots = append(g.roots, root{name, e})
	defer func() { g.roots = g.roots[:before] }()
	return body(in)
}

// element is a type whose values stand in a list somewhere, most often hosts of a play.
func (g *grammar) element() kind {
	var found []kind
	for _, r := range g.roots {
		if r.typ.IsListType() {
			found = append(found, r.typ.element())
		}
	}
	if len(found) == 0 || g.of(4) == 0 {
		return g.any()
	}
	return found[g.of(len(found))]
}

// splat reads something of every element of a list of objects.
func (g *grammar) splat(want kind) string {
	for range 4 {
		r := g.roots[g.of(len(g.roots))]
		if !r.typ.IsListType() {
			continue
		}
		if ways := g.inside(r.typ.element())[want.name]; len(ways) > 0 {
			return "(" + r.name + "[*]" + g.written(ways[g.of(len(ways))]) + ")" // else what follows belongs to each element
		}
	}
	return "tolist([" + g.leaf(want) + "])"
}
