package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// shape is the one object type that all hosts have, and which of its attributes are carried along at run time:
// with 10,000 hosts every attribute that nobody reads is memory and time.
type shape struct {
	attrs   map[string]cty.Type // of the inventory; without one, every name that is read, of any type
	checked bool                // attrs came from an inventory
	names   map[string]bool     // read anywhere in the playbook, whatever of
	all     bool                // some expression looks at whole hosts
}

// shapeOf collects every attribute name that stands in the playbook.
func shapeOf(bodies []*hclsyntax.Body, inv *engine.Inventory) shape {
	s := shape{names: map[string]bool{}, attrs: map[string]cty.Type{}, checked: inv != nil}
	visit := func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.ScopeTraversalExpr:
			s.collect(n.Traversal)
		case *hclsyntax.RelativeTraversalExpr:
			s.collect(n.Traversal)
		case *hclsyntax.IndexExpr:
			if v, diags := n.Key.Value(nil); !diags.HasErrors() {
				s.collect(hcl.Traversal{hcl.TraverseIndex{Key: v}})
			} else {
				s.all = true // which attribute it is, if it is one, turns out later
			}
		}
		return nil
	}
	for _, body := range bodies {
		_ = hclsyntax.VisitAll(body, visit)
	}
	if inv != nil {
		s.attrs, s.all = inv.Attrs, false // the walker knows what is indexed
		return s
	}
	for name := range s.names {
		if !slices.Contains(engine.Reserved, name) {
			s.attrs[name] = cty.DynamicPseudoType
		}
	}
	return s
}

func (s *shape) collect(t hcl.Traversal) {
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			s.names[step.Name] = true
		case hcl.TraverseIndex:
			if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
				s.names[step.Key.AsString()] = true
			}
		}
	}
}

// host is the type of a host with all its attributes.
func (s *shape) host() cty.Type { return cty.Object(s.with(nil)) }

// with are a host's attributes and others.
func (s *shape) with(more map[string]cty.Type) map[string]cty.Type {
	attrs := maps.Clone(s.attrs)
	if attrs == nil {
		attrs = map[string]cty.Type{}
	}
	attrs["name"], attrs["address"], attrs["groups"] = cty.String, cty.String, cty.List(cty.String)
	maps.Copy(attrs, more)
	return attrs
}

// isHost tells whether t is the type of a host, whatever else is in it.
func isHost(t cty.Type) bool {
	return t.IsObjectType() && t.HasAttribute("name") && t.HasAttribute("address") && t.HasAttribute("groups")
}

// observe notes that some expression looks at all attributes of a value.
func (s *shape) observe(t cty.Type) {
	if s.all {
		return
	}
	_, s.all = s.rebuild(t, func(host cty.Type) cty.Type { return host })
	s.all = s.all || t == cty.DynamicPseudoType
}

// settle decides what is carried along, once the whole playbook was walked.
func (s *shape) settle() {
	if s.all {
		for name := range s.attrs {
			s.names[name] = true
		}
	}
}

// pruned is t as it is at run time: hosts have only what is read.
func (s *shape) pruned(t cty.Type) cty.Type {
	out, _ := s.rebuild(t, func(host cty.Type) cty.Type {
		attrs := maps.Clone(host.AttributeTypes())
		maps.DeleteFunc(attrs, func(name string, _ cty.Type) bool {
			_, attribute := s.attrs[name]
			return attribute && !s.names[name]
		})
		for _, results := range []string{"probe", "step"} {
			if t, ok := attrs[results]; ok {
				attrs[results] = s.carried(t)
			}
		}
		return cty.Object(attrs)
	})
	return out
}

// carried are the entries of a play that are read after it.
func (s *shape) carried(results cty.Type) cty.Type {
	entries := maps.Clone(results.AttributeTypes())
	maps.DeleteFunc(entries, func(name string, _ cty.Type) bool { return !s.names[name] && !s.all })
	return cty.Object(entries)
}

// rebuild replaces the hosts in a type, and tells whether there was one.
func (s *shape) rebuild(t cty.Type, replace func(cty.Type) cty.Type) (cty.Type, bool) {
	switch {
	case isHost(t):
		return replace(t), true
	case t.IsListType():
		e, found := s.rebuild(t.ElementType(), replace)
		return cty.List(e), found
	case t.IsSetType():
		e, found := s.rebuild(t.ElementType(), replace)
		return cty.Set(e), found
	case t.IsMapType():
		e, found := s.rebuild(t.ElementType(), replace)
		return cty.Map(e), found
	case t.IsObjectType():
		attrs, any := map[string]cty.Type{}, false
		for name, at := range t.AttributeTypes() {
			e, found := s.rebuild(at, replace)
			attrs[name], any = e, any || found
		}
		return cty.Object(attrs), any
	case t.IsTupleType():
		var types []cty.Type
		any := false
		for _, et := range t.TupleElementTypes() {
			e, found := s.rebuild(et, replace)
			types, any = append(types, e), any || found
		}
		return cty.Tuple(types), any
	}
	return t, false
}

// explain says more about a missing attribute, where it is one of a host or of a result.
func (s *shape) explain(t cty.Type, name string) (more string, open, certain bool) {
	switch {
	case !isHost(t):
		return "", false, t.HasAttribute("status")
	case t.HasAttribute("error") && t.HasAttribute("status") && (name == "probe" || name == "step"):
		return " A host in .missing has no results, because not every entry of the play has one: it has attributes, status and error. Those with results are in .hosts.", false, true
	case name == "probe" || name == "step":
		return " Results stand in the hosts of a play: play.NAME.hosts; for the host itself they are probe.NAME and step.NAME.", false, true
	case name == "error" && t.HasAttribute("probe"):
		return " Only hosts in .missing have an error.", false, true
	case !s.checked && slices.Contains(engine.Reserved, name):
		return " The name is reserved: no host of an inventory has such an attribute.", false, true
	case !s.checked:
		return "", true, false
	}
	if near := infer.Suggest(name, slices.Sorted(maps.Keys(t.AttributeTypes()))); near != "" {
		return near, false, true
	}
	return fmt.Sprintf(" No host of the inventory has the attribute %q.", name), false, true
}
