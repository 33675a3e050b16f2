package lang

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
)

// in is the scope in which a play, or a part that it includes, is evaluated.
func (h *hostScope) in(p *play) *hostScope {
	if p == nil || p == h.play {
		return h
	}
	top := h
	for top.host != nil || top.top != nil {
		if top.host != nil {
			top = top.host
		} else {
			top = top.top
		}
	}
	switch inner := top.parts[p]; {
	case p == top.play:
		return top
	case inner != nil:
		return inner
	}
	inner := newHostScope(h.newScope(p, h.root), h.name)
	inner.top = top
	if top.parts == nil {
		top.parts = map[*play]*hostScope{}
	}
	top.parts[p] = inner
	return inner
}

// Enter implements engine.HostScope.
func (h *hostScope) Enter(e *engine.Entry) error {
	x := h.entries[e]
	outer, inner := h.in(x.play), h.in(x.part)
	values := map[string]cty.Value{}
	for name, in := range x.part.part.inputs {
		if in.given == nil {
			values[name] = in.value
			continue
		}
		ctx := outer.context()
		v, diags := in.given.node.Value(ctx)
		if diags.HasErrors() {
			return outer.explained(h.fault(in.given, diags, ctx, h.name), in.given)
		}
		v, err := in.fit(v)
		if err != nil {
			return h.wrong(in.given, h.name, name+": "+err.Error())
		}
		values[name] = v
	}
	inner.ctx.Variables["input"] = cty.ObjectVal(values)
	return nil
}

// Leave implements engine.HostScope.
func (h *hostScope) Leave(e *engine.Entry) error {
	x := h.entries[e]
	outer, inner := h.in(x.play), h.in(x.part)
	values, known := map[string]cty.Value{}, true
	for name, out := range x.part.part.outputs {
		ctx := inner.context()
		v, diags := out.node.Value(ctx)
		if diags.HasErrors() {
			return inner.explained(h.fault(out, diags, ctx, h.name), out)
		}
		values[name] = settled(v, h.shape.pruned(out.typ.Type))
		known = known && v.IsWhollyKnown()
	}
	outer.keep(x, result{value: cty.ObjectVal(values), status: engine.StatusOK, set: known, planned: !known})
	return nil
}

// absent is what an include gives that was not executed: every output is null.
func (e *entry) absent() cty.Value {
	values := map[string]cty.Value{}
	for name, t := range e.typ.AttributeTypes() {
		values[name] = cty.NullVal(t)
	}
	return cty.ObjectVal(values)
}
