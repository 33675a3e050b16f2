package lang

import (
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// guard warns of what an expression reads of an entry that may have been skipped, unless somebody asks before. What is
// read is null then: an argument that is missing, a condition that cannot be judged.
func (l *loader) guard(x *expr, at place) {
	for _, r := range x.refs.reads {
		if r.attr == "status" || r.attr == "changed" {
			continue
		}
		for _, condition := range r.entry.conditions() {
			if slices.ContainsFunc(append(at.guards, x), func(g *expr) bool { return g.asks(r.entry, condition) }) {
				continue
			}
			name := string(r.entry.Kind) + "." + r.entry.Name
			ask := name + ".status != \"skipped\""
			if r.entry.Kind == engine.EntryInclude {
				ask = name + "." + r.attr + " != null"
			}
			whose := "its condition"
			if condition != r.entry.When {
				whose = "the condition around it"
			}
			l.warn(r.where, "May be null", "%s is skipped where %s does not hold (line %d); %s.%s is null then. Ask before: %s.",
				name, whose, condition.Range().Line, name, r.attr, ask)
			break
		}
	}
}

// conditions are those under which an entry runs: its own, and those of the blocks or of the recover around it.
func (e *entry) conditions() []engine.Expr {
	all := append([]engine.Expr{e.When}, e.around...)
	if e.goalOf != nil {
		all = append(all, e.goalOf.When)
	}
	return slices.DeleteFunc(all, func(c engine.Expr) bool { return c == nil })
}

// asks tells whether an expression takes care of an entry that may have been skipped: by its status, by the condition
// itself, or by treating null.
func (x *expr) asks(e *entry, condition engine.Expr) bool {
	for _, r := range x.refs.reads {
		if r.entry == e && (r.attr == "status" || r.attr == "changed") {
			return true
		}
	}
	for _, word := range []string{condition.Text(), "null", "try(", "can(", "coalesce("} {
		if strings.Contains(x.text, word) {
			return true
		}
	}
	return false
}

// guarded adds conditions under which an entry is reached.
func (p place) guarded(conditions ...engine.Expr) place {
	p.guards = slices.Clone(p.guards)
	for _, c := range conditions {
		if x, ok := c.(*expr); ok {
			p.guards = append(p.guards, x)
		}
	}
	return p
}
