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
		if r.entry.When == nil || r.attr == "status" || r.attr == "changed" {
			continue
		}
		if !slices.ContainsFunc(append(at.guards, x), func(g *expr) bool { return g.asks(r.entry) }) {
			name := string(r.entry.Kind) + "." + r.entry.Name
			ask := name + ".status != \"skipped\""
			if r.entry.Kind == engine.EntryInclude {
				ask = name + "." + r.attr + " != null"
			}
			l.warn(r.where, "May be null", "%s is skipped where its condition does not hold (line %d); %s.%s is null then. Ask before: %s.",
				name, r.entry.When.Range().Line, name, r.attr, ask)
		}
	}
}

// asks tells whether an expression takes care of an entry that may have been skipped: by its status, by its own
// condition, or by treating null.
func (x *expr) asks(e *entry) bool {
	for _, r := range x.refs.reads {
		if r.entry == e && (r.attr == "status" || r.attr == "changed") {
			return true
		}
	}
	for _, word := range []string{e.When.Text(), "null", "try(", "can(", "coalesce("} {
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
