package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine/lang/infer"
)

// Complete gives the names with which the last reference of a line can go on, sorted, and what of one stands there.
func (c *Console) Complete(line string, at At) (names []string, word string) {
	before, word := cutReference(line)
	switch {
	case before == "":
		names = slices.Concat(roots, slices.Collect(maps.Keys(c.functions)), []string{"type"})
	case before == "play":
		names = slices.Collect(maps.Keys(c.loader.played))
	default:
		names = c.attributes(before, at)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, word) })
	slices.Sort(names)
	return slices.Compact(names), word
}

func (c *Console) attributes(of string, at At) []string {
	e, diags := hclsyntax.ParseExpression([]byte(of), consoleFile, hcl.InitialPos)
	if diags.HasErrors() {
		return nil
	}
	t, diags := infer.Expr(e, &scope{loader: c.loader, place: c.place(at), refs: &refs{}})
	if diags.HasErrors() || !t.IsObjectType() {
		return nil
	}
	return slices.Collect(maps.Keys(t.AttributeTypes()))
}

// cutReference cuts a line into the reference that stands at its end and the beginning of its last name:
// "[for g in play.tri" gives "play" and "tri".
func cutReference(line string) (before, word string) {
	runes := []rune(line)
	from, dot := len(runes), -1
	for from > 0 && (hclsyntax.ValidIdentifier("a"+string(runes[from-1])) || runes[from-1] == '.' || runes[from-1] == '[' || runes[from-1] == ']') {
		from--
		if runes[from] == '.' && dot < 0 {
			dot = from
		}
	}
	for from < len(runes) && runes[from] == '[' {
		from++
	}
	if dot < from {
		return "", string(runes[from:])
	}
	return string(runes[from:dot]), string(runes[dot+1:])
}
