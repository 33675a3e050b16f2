package lang

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// ofHost resolves self, probe and step, which exist for one host in one play.
func (s *scope) ofHost(t hcl.Traversal, root, name string, at hcl.Range, named bool) (infer.Type, int, *hcl.Diagnostic) {
	if s.console != nil {
		if why := s.console.lacks(root); why != "" {
			return infer.Dynamic, 0, problem(t[0].SourceRange(), "No host here", "%s", why)
		}
	} else if s.place.play == nil {
		text := fmt.Sprintf("%s is of one host in one play. Here, read the hosts of an earlier play: [for h in play.NAME.hosts : …].", root)
		return infer.Dynamic, 0, problem(t[0].SourceRange(), "No host here", "%s", text)
	}
	if root == "self" {
		return infer.Of(s.shape.host()), 1, nil
	}
	kind := engine.EntryKind(root)
	if !named {
		return infer.Of(s.visible(kind)), 1, nil
	}
	e := s.place.play.find(kind, name)
	if e == nil {
		return infer.Dynamic, 0, problem(at, "Unknown "+root, "Play %q has no %s %q.%s", s.place.play.Name, root, name, s.near(kind, name))
	}
	if why := s.hidden(e); why != nil {
		why.Subject = &at
		return infer.Dynamic, 0, why
	}
	s.refs.entry(e)
	if len(t) > 2 {
		a, ok := t[2].(hcl.TraverseAttr)
		if ok && e.forEach != nil && e.item.IsObjectType() && e.item.HasAttribute(a.Name) {
			return infer.Dynamic, 0, problem(a.SrcRange, "One result for each item", "%s.%s has for_each: it is a map of results by key. Write %s.%s[\"KEY\"].%s, or [for key, r in %s.%s : r.%s].",
				root, name, root, name, a.Name, root, name, a.Name)
		}
		if ok && e.forEach == nil {
			s.refs.reads = append(s.refs.reads, read{e, a.Name, a.SrcRange})
		}
	}
	if e.Kind == engine.EntryInclude {
		return e.outputs, 2, nil
	}
	return infer.Of(e.typ), 2, nil
}

// near suggests an entry: one of the same kind with a similar name, or one of the other kind with the same.
func (s *scope) near(kind engine.EntryKind, name string) string {
	other := engine.EntryProbe
	if kind == engine.EntryProbe {
		other = engine.EntryStep
	}
	if s.place.play.find(other, name) != nil {
		return fmt.Sprintf(" Did you mean %s.%s?", other, name)
	}
	var known []string
	for _, e := range s.place.play.named {
		if e.Kind == kind {
			known = append(known, e.Name)
		}
	}
	return infer.Suggest(name, known)
}

// visible is the type of "probe" or "step" as a whole.
func (s *scope) visible(kind engine.EntryKind) cty.Type {
	attrs := map[string]cty.Type{}
	for _, e := range s.place.play.named {
		if e.Kind == kind && s.hidden(e) == nil {
			s.refs.entry(e)
			attrs[e.Name] = e.typ
		}
	}
	return cty.Object(attrs)
}

// hidden says why the result of e cannot be read here; nil: it can.
func (s *scope) hidden(e *entry) *hcl.Diagnostic {
	name := fmt.Sprintf("%s.%s", e.Kind, e.Name)
	line := e.block.DefRange().Start.Line
	switch {
	case s.console != nil: // it stands behind everything
		return nil
	case e == s.place.entry:
		return problem(hcl.Range{}, "It comes later", "An entry cannot read its own result. In retry.until it is called result.")
	case e.attempt != nil && e.attempt != s.attempt:
		return problem(hcl.Range{}, "Not readable here", "%s belongs to the attempt %q (line %d), which may not run. It can be read in that attempt, and in later plays: play.%s.hosts[*].%s.",
			name, e.attempt.Name, line, e.play.Name, name)
	case e.goalOf != nil && e.goalOf == s.before:
		return problem(hcl.Range{}, "Not readable here", "The condition of an attempt is judged before the goal is looked at. Put a probe before the recover and read that.")
	case !e.loaded:
		return problem(hcl.Range{}, "It comes later", "%s stands at line %d. Values flow only backwards.", name, line)
	}
	return nil
}

// find gives the entry of a name; nil: the play has none.
func (p *play) find(kind engine.EntryKind, name string) *entry {
	i := slices.IndexFunc(p.named, func(e *entry) bool { return e.Kind == kind && e.Name == name })
	if i < 0 {
		return nil
	}
	return p.named[i]
}
