package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine/lang/infer"
)

// ofPlay resolves play.NAME.hosts and play.NAME.missing.
func (s *scope) ofPlay(t hcl.Traversal, name string, at hcl.Range, named bool) (infer.Type, int, *hcl.Diagnostic) {
	if !named {
		return infer.Dynamic, 0, problem(t[0].SourceRange(), "Incomplete reference", "Write play.NAME.hosts or play.NAME.missing.")
	}
	p := s.played[name]
	if p == nil {
		if s.place.play != nil && s.place.play.Name == name {
			return infer.Dynamic, 0, problem(at, "It comes later", "A play's hosts are known when it has ended. Inside of it, read probe.NAME and step.NAME.")
		}
		if r, ok := s.later["play."+name]; ok {
			return infer.Dynamic, 0, problem(at, "It comes later", "play.%s stands at line %d. Values flow only backwards.", name, r.Start.Line)
		}
		return infer.Dynamic, 0, problem(at, "Unknown play", "There is no play %q before this.%s", name, infer.Suggest(name, slices.Sorted(maps.Keys(s.played))))
	}
	s.refs.play(p)
	if len(t) < 3 {
		p.note(at, true)
		return infer.Of(cty.Object(map[string]cty.Type{"hosts": cty.List(p.hostType), "missing": cty.List(p.missingType)})), 2, nil
	}
	part, ok := t[2].(hcl.TraverseAttr)
	switch {
	case ok && part.Name == "hosts":
		p.note(at, false)
		return infer.Of(cty.List(p.hostType)), 3, nil
	case ok && part.Name == "missing":
		p.missingUsed = true
		return infer.Of(cty.List(p.missingType)), 3, nil
	}
	return infer.Dynamic, 0, problem(t[2].SourceRange(), "Incomplete reference", "A play has hosts and missing: play.%s.hosts, play.%s.missing.", name, name)
}
