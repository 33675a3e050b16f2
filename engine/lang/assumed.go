package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine/lang/infer"
)

// Assumed is what a playbook names of an inventory when it was loaded without one: sorted names that nobody could check.
type Assumed struct{ Attributes, Groups, Hosts []string }

// Assumed gives what was not checked for want of an inventory.
func (p *Program) Assumed() Assumed { return p.assumed }

// Attribute implements infer.Scope: without an inventory it notes which attributes hosts are taken to have.
func (s *scope) Attribute(t cty.Type, name string, where hcl.Range) {
	if _, attribute := s.shape.attrs[name]; s.shape.checked || !attribute || !isHost(t) {
		return
	}
	if slices.Contains(s.opts.Declared, name) {
		return
	}
	assume(&s.assumed.Attributes, name)
	if s.opts.Declared == nil {
		return // nobody told what there is
	}
	if near := infer.Suggest(name, slices.Concat(s.opts.Declared, ownAttributes)); near != "" {
		s.warn(where, "Perhaps misspelt", "No attribute %q is known.%s Without an inventory nobody can tell.", name, near)
	}
}

// ownAttributes are what every host has.
var ownAttributes = slices.Sorted(maps.Keys((&shape{}).with(nil)))

// assume adds a name that cannot be checked.
func assume(names *[]string, name string) {
	if i, found := slices.BinarySearch(*names, name); !found {
		*names = slices.Insert(*names, i, name)
	}
}
