package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

func (s *scope) group(name string, at hcl.Range, named bool) (infer.Type, int, *hcl.Diagnostic) {
	names := infer.Of(cty.List(cty.String))
	inv := s.opts.Inventory
	switch {
	case !named && inv == nil:
		return infer.Of(cty.Map(cty.List(cty.String))), 1, nil
	case !named:
		groups := map[string]infer.Type{}
		for name := range inv.Groups {
			groups[name] = names
		}
		return infer.Object(groups), 1, nil
	case inv == nil:
		s.Unchecked(at)
		assume(&s.assumed.Groups, name)
		return names, 2, nil
	}
	if _, ok := inv.Groups[name]; ok {
		return names, 2, nil
	}
	return infer.Dynamic, 0, problem(at, "Unknown group", "The inventory has no group %q.%s", name, infer.Suggest(name, slices.Sorted(maps.Keys(inv.Groups))))
}

func (s *scope) host(name string, at hcl.Range, named bool) (infer.Type, int, *hcl.Diagnostic) {
	s.namesHost = true
	if !named {
		return infer.Of(cty.Map(s.shape.host())), 1, nil
	}
	if why := s.noHost(name); why != "" {
		return infer.Dynamic, 0, problem(at, "Unknown host", "%s", why)
	}
	return infer.Of(s.shape.host()), 2, nil
}

// noHost says that the inventory has no host of this name, or "".
func (l *loader) noHost(name string) string {
	inv := l.opts.Inventory
	if inv == nil && name != engine.Localhost {
		assume(&l.assumed.Hosts, name)
	}
	if inv == nil || inv.Hosts[name] != nil || l.opts.MoreHosts || name == engine.Localhost {
		return ""
	}
	return fmt.Sprintf("The inventory has no host %q.%s", name, infer.Suggest(name, inv.Names()))
}
