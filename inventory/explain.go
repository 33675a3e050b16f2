package inventory

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// Origin is one thing that is known of a host, and where it comes from.
type Origin struct {
	Name  string // "address", "esxi", "connection", "connection.user", "sudo.password"
	Value string // as it may be shown: a value of the language, secrets by name
	By    string // `host "dsva1"`, `group "dsva"`, `source "vc1"`, "default"
	Place string // "hosts.hcl:12"; "" for a default
}

// Explain tells where each value of a host comes from: address and groups, attributes sorted by name, connection, sudo.
// After Resolve it knows the hosts that were found, too. It returns nil for a host that it does not know.
func (m *Model) Explain(host string) []Origin {
	d := m.current[host]
	if host == engine.Localhost {
		return []Origin{{"address", quote(host), "default", ""}, {"connection", quote("local"), "default", ""}}
	}
	if d == nil {
		return nil
	}
	l, h := m.lineageOf(d.groups), m.host(d)
	out := []Origin{{"address", quote(h.Address), "default", ""}}
	if d.address.text != "" {
		out[0] = Origin{"address", quote(h.Address), d.address.by.String(), line(d.address.place)}
	}
	for _, g := range d.groups {
		out = append(out, Origin{"group", quote(g.group), g.by.String(), line(g.place)})
	}
	for _, name := range sortedKeys(h.Attrs) {
		a, own := d.attrs[name]
		if !own {
			a = l.attrs[name]
		}
		out = append(out, Origin{name, decode.Show(a.value), a.by.String(), line(a.place)})
	}
	if kind := h.Connection.Type; kind != "" {
		out = append(out, m.connectionOrigin(d, l, kind))
		if x := l.mixOf(m, kind).under(d.block(kind), d); x != nil {
			out = append(out, explained(m.blockOrigins("connection.", x, m.opts.Transports[kind].Settings()), h)...)
		}
	}
	if x := l.mixOf(m, "").under(d.sudo, d); x != nil {
		out = append(out, m.blockOrigins("sudo.", x, &sudo{})...)
	}
	return out
}

func (m *Model) connectionOrigin(d *decl, l *lineage, kind string) Origin {
	by := d
	if d.connection == nil {
		by = l.nearest(func(g *decl) bool { return g.connection != nil })[0]
	}
	return Origin{"connection", quote(kind), by.String(), line(by.connection.DefRange())}
}

// blockOrigins lists the arguments of a mix, and the defaults of those that are not written. It decodes into target.
func (m *Model) blockOrigins(prefix string, x *mix, target any) []Origin {
	body, _ := decode.Struct(x.body(), m.ctx, target, m.eval)
	written := map[string]bool{}
	var out []Origin
	for _, arg := range body.Shown {
		name, _, _ := strings.Cut(arg.Name, ".")
		name, _, _ = strings.Cut(name, "[")
		by, place := x.origin(name)
		written[name] = true
		out = append(out, Origin{prefix + arg.Name, arg.Value, by.String(), line(place)})
	}
	values, err := engine.ValueOf(target)
	if err != nil {
		return out
	}
	for _, f := range engine.Fields(target) {
		if v := values.GetAttr(f.Name); !written[f.Name] && !f.Secret && says(v) {
			out = append(out, Origin{prefix + f.Name, decode.Show(v), "default", ""})
		}
	}
	slices.SortStableFunc(out, func(a, b Origin) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// explained adds what the settings of h know besides what is written.
func explained(out []Origin, h *engine.Host) []Origin {
	e, ok := h.Connection.Settings.(engine.Explainer)
	if !ok {
		return out
	}
	for _, o := range e.Explain(h.Address) {
		out = append(out, Origin{"connection." + o.Arg, decode.Show(o.Value), o.By, o.Place})
	}
	slices.SortStableFunc(out, func(a, b Origin) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// says tells whether a default is worth showing: a text, number or bool that is not empty, zero or false.
func says(v cty.Value) bool {
	v, _ = v.Unmark()
	switch ty := v.Type(); {
	case v.IsNull() || !ty.IsPrimitiveType():
		return false
	case ty == cty.String:
		return v.AsString() != ""
	case ty == cty.Bool:
		return v.True()
	}
	return !v.RawEquals(cty.Zero)
}

func (x *mix) origin(name string) (*decl, hcl.Range) {
	if s, ok := x.args[name]; ok {
		return s.by, s.attr.SrcRange
	}
	b := x.blocks[name]
	return b.by, b.blocks[0].DefRange()
}

func quote(s string) string { return decode.Show(cty.StringVal(s)) }
