package lang

import (
	"maps"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
)

// hostAttrs are the attributes of a host that the playbook reads, those that it lacks as null. An unknown name gives
// a host without any. The map must not be changed.
func (s *pass) hostAttrs(name string) map[string]cty.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	if attrs, ok := s.attrs[name]; ok {
		return attrs
	}
	h := s.inv.Hosts[name]
	if h == nil {
		h = &engine.Host{Name: name}
	}
	attrs := map[string]cty.Value{"name": cty.StringVal(h.Name), "address": cty.StringVal(h.Address), "groups": stringList(h.Groups)}
	for attr := range s.shape.attrs {
		if s.shape.names[attr] {
			attrs[attr] = s.attribute(h, attr)
		}
	}
	if s.shape.all {
		for attr := range s.inv.Attrs {
			attrs[attr] = s.attribute(h, attr)
		}
	}
	s.attrs[name] = attrs
	return attrs
}

func (s *pass) attribute(h *engine.Host, name string) cty.Value {
	ty, ok := s.inv.Attrs[name]
	if !ok {
		ty = cty.DynamicPseudoType
	}
	v, ok := h.Attrs[name]
	if !ok {
		return cty.NullVal(ty)
	}
	if c, err := convert.Convert(v, ty); err == nil {
		return c
	}
	return v
}

// self is a host as an object.
func (s *pass) self(name string) cty.Value { return cty.ObjectVal(s.hostAttrs(name)) }

// listOf is a list, or a tuple when the types differ: what a module gives may be of any type.
func listOf(values []cty.Value, of cty.Type) cty.Value {
	if len(values) == 0 {
		return cty.ListValEmpty(of)
	}
	if !cty.CanListVal(values) {
		return cty.TupleVal(values)
	}
	return cty.ListVal(values)
}

// mapOf is a map, or an object when the types differ.
func mapOf(values map[string]cty.Value) cty.Value {
	if !cty.CanMapVal(values) {
		return cty.ObjectVal(values)
	}
	return cty.MapVal(values)
}

func stringList(texts []string) cty.Value {
	values := make([]cty.Value, len(texts))
	for i, t := range texts {
		values[i] = cty.StringVal(t)
	}
	return listOf(values, cty.String)
}

// asString is a known primitive value as text; "" for null.
func asString(v cty.Value) string {
	v, err := convert.Convert(v, cty.String)
	if err != nil || v.IsNull() {
		return ""
	}
	return v.AsString()
}

func asBool(v cty.Value) (bool, string) {
	b, err := convert.Convert(v, cty.Bool)
	if err != nil || b.IsNull() {
		return false, "must be true or false"
	}
	return b.True(), ""
}

// whole is what probe.NAME or step.NAME holds when r is the result of the entry as a whole.
func (e *entry) whole(r engine.Result) cty.Value {
	switch {
	case e.Kind == engine.EntryInclude && r.Value != cty.NilVal && !r.Value.IsKnown():
		return cty.UnknownVal(e.typ)
	case e.Kind == engine.EntryInclude:
		return e.absent()
	case e.Kind == engine.EntryBlock:
		return blockObject(r)
	case e.forEach == nil:
		return e.object(r)
	case r.Value != cty.NilVal && !r.Value.IsKnown():
		return cty.UnknownVal(e.typ)
	}
	return e.none()
}

// object is what probe.NAME or step.NAME holds, or one item of it: the result, how it ended, and for a step whether it changed something.
// An entry without a result is unknown; a skipped one, or one whose error was ignored, has null attributes.
func (e *entry) object(r engine.Result) cty.Value {
	if r.Value != cty.NilVal && !r.Value.IsKnown() {
		return cty.UnknownVal(e.item)
	}
	var given cty.Value
	var marks cty.ValueMarks
	if r.Value != cty.NilVal {
		given, marks = r.Value.Unmark()
	}
	has := given != cty.NilVal && !given.IsNull() && given.Type().IsObjectType()
	types := e.item.AttributeTypes()
	attrs := make(map[string]cty.Value, len(types))
	for name, t := range types {
		if has && given.Type().HasAttribute(name) {
			attrs[name] = given.GetAttr(name).WithMarks(marks)
		} else {
			attrs[name] = cty.NullVal(t)
		}
	}
	attrs["status"] = cty.StringVal(string(r.Status))
	if e.Kind == engine.EntryStep {
		attrs["changed"] = cty.BoolVal(r.Status == engine.StatusChanged)
	}
	return cty.ObjectVal(attrs)
}

// end makes play.NAME of what the hosts left. Nothing is made where nobody reads it.
func (p *play) end(outcomes []engine.Outcome, s *pass) playValue {
	var hosts, missing []cty.Value
	if p.hostsUsed == nil && !p.missingUsed {
		outcomes = nil
	}
	for _, o := range outcomes {
		attrs := maps.Clone(s.hostAttrs(o.Host))
		attrs["status"] = cty.StringVal(string(o.Status))
		if o.Status != engine.HostOK {
			text := ""
			if o.Err != nil {
				text = o.Err.Error()
			}
			attrs["error"] = cty.StringVal(text)
			missing = append(missing, cty.ObjectVal(attrs))
			continue
		}
		attrs["probe"], attrs["step"] = s.scopes[p].left(o.Host, engine.EntryProbe), s.scopes[p].left(o.Host, engine.EntryStep)
		hosts = append(hosts, cty.ObjectVal(attrs))
	}
	return playValue{hosts: listOf(hosts, p.hostType), missing: listOf(missing, p.missingType)}
}
