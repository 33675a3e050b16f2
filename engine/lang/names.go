package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine"
)

// checkModules finds modules that cannot be used in the language: a mistake of this program, not of a playbook.
func (l *loader) checkModules() {
	for _, name := range slices.Sorted(maps.Keys(l.modules)) {
		m := l.modules[name]
		if m.Result != nil {
			for _, f := range engine.Fields(m.Result) {
				if f.Name == "status" || f.Name == "changed" {
					panic("lang: module " + name + " has a result named " + f.Name + ", which every entry has itself")
				}
			}
		}
		for _, f := range engine.Fields(m.New()) {
			if slices.Contains(metaAttrs, f.Name) {
				panic("lang: module " + name + " has an argument named " + f.Name + ", which every entry has itself")
			}
		}
	}
}

// uniqueNames reports names that are given twice in a play: entries of one kind share a name space, attempts too.
func (l *loader) uniqueNames(p *play, body *hclsyntax.Body) {
	first := map[string]*hclsyntax.Block{}
	var visit func(*hclsyntax.Body, string)
	visit = func(body *hclsyntax.Body, around string) {
		for _, b := range body.Blocks {
			key := b.Type
			switch {
			case (b.Type == "probe" || b.Type == "step" || b.Type == "include") && len(b.Labels) == 2:
				key += "." + b.Labels[1]
			case slices.Contains([]string{"check", "recover", "block"}, b.Type) && len(b.Labels) == 1:
				key += "." + b.Labels[0]
			case b.Type == "attempt" && len(b.Labels) == 1:
				key += "." + around + "." + b.Labels[0]
			case b.Type != "goal" && !slices.Contains(parts, b.Type):
				continue
			}
			if f := first[key]; f != nil && len(b.Labels) > 0 {
				l.fail(b.DefRange(), "Name given twice", "In play %q another %s has this name, at line %d.", p.Name, b.Type, f.DefRange().Start.Line)
			}
			first[key] = b
			if slices.Contains([]string{"recover", "goal", "attempt", "block", "rescue", "finally"}, b.Type) {
				visit(b.Body, key)
			}
		}
	}
	visit(body, "")
}
