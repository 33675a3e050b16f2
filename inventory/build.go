package inventory

import (
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// sudo are the arguments of a sudo block.
type sudo struct {
	User     string        `hcl:"user,optional" doc:"The user to become; root unless said."`
	Password engine.Secret `hcl:"password,optional" doc:"What sudo asks for; none is sent unless said."`
	Method   string        `hcl:"method,optional" doc:"The program that does it: sudo (default), su, doas, or a command line with {user} and {command} (words) or {line} (one word), such as pbrun -u {user} {command}."`
	TTY      bool          `hcl:"tty,optional" doc:"Give it a terminal: for requiretty in sudoers, and for a doas that asks for a password. What the command says on stderr then comes on stdout."`
}

// Validate refuses a method that is none.
func (s *sudo) Validate() error { return s.engine().Validate() }

func (s *sudo) engine() engine.Sudo {
	return engine.Sudo{User: s.User, Password: s.Password, Method: s.Method, TTY: s.TTY}
}

// build makes the engine's inventory of the hosts, and reports what only shows when groups and host are seen together.
func (m *Model) build(hosts map[string]*decl) *engine.Inventory {
	inv := &engine.Inventory{Hosts: make(map[string]*engine.Host, len(hosts)+1), Groups: map[string][]string{}, Attrs: m.types}
	for group := range m.groups {
		inv.Groups[group] = []string{}
	}
	for _, name := range sortedKeys(hosts) {
		h := m.host(hosts[name])
		inv.Hosts[name] = h
		inv.Groups[All] = append(inv.Groups[All], name)
		for _, group := range h.Groups {
			inv.Groups[group] = append(inv.Groups[group], name)
		}
	}
	m.checkCircles(inv.Hosts)
	inv.Hosts[engine.Localhost] = m.localhost()
	return inv
}

func (m *Model) localhost() *engine.Host {
	h := &engine.Host{Name: engine.Localhost, Address: engine.Localhost, Attrs: map[string]cty.Value{}, Connection: engine.Connection{Type: "local"}}
	if t := m.opts.Transports["local"]; t != nil {
		h.Connection.Settings = t.Settings()
	}
	return h
}

func (m *Model) host(d *decl) *engine.Host {
	l := m.lineageOf(d.groups)
	h := &engine.Host{Name: d.name, Address: d.address.text, Groups: l.names, Attrs: m.attributes(d, l), Range: decode.Range(d.place), Source: d.source}
	if h.Address == "" {
		h.Address = d.name
	}
	if kind := m.connectionType(d, l); kind != "" {
		h.Connection = engine.Connection{Type: kind, Settings: m.settle(d, l, kind, m.opts.Transports[kind].Settings)}
	}
	if s, ok := m.settle(d, l, "", func() any { return &sudo{} }).(*sudo); ok {
		h.Sudo = new(s.engine())
	}
	return h
}

// early tells whether d may still get groups and attributes from a source, so that what it lacks is no mistake yet.
// Hosts that sources ask must be complete before.
func (m *Model) early(d *decl) bool {
	return m.written == nil && len(m.sources) > 0 && !slices.ContainsFunc(m.sources, func(s *source) bool { return s.from == d.name })
}

// announced tells whether a source gives hosts this attribute.
func (m *Model) announced(name string) bool {
	return slices.ContainsFunc(m.sources, func(s *source) bool { _, ok := s.attrs[name]; return ok })
}

func (m *Model) attributes(d *decl, l *lineage) map[string]cty.Value {
	attrs := make(map[string]cty.Value, len(l.attrs)+len(d.attrs))
	for name, a := range l.attrs {
		if !a.value.IsNull() {
			attrs[name] = a.value
		}
	}
	for name, a := range d.attrs {
		delete(attrs, name)
		if !a.value.IsNull() {
			attrs[name] = a.value
		}
	}
	for name, c := range l.clashes {
		if _, own := d.attrs[name]; !own && !(m.early(d) && m.announced(name)) {
			m.disagree(d, fmt.Sprintf("the attribute %q", name), c[0].by, c[1].by, c[0].place, c[1].place)
		}
	}
	return attrs
}

// connectionType is the type of the connection of d: its own, or that of the nearest groups.
func (m *Model) connectionType(d *decl, l *lineage) string {
	if d.connection != nil {
		return d.connection.Labels[0]
	}
	speakers := l.nearest(func(g *decl) bool { return g.connection != nil })
	if len(speakers) == 0 {
		return ""
	}
	first := speakers[0].connection
	for _, g := range speakers[1:] {
		if g.connection.Labels[0] != first.Labels[0] {
			m.disagree(d, "the type of the connection", speakers[0], g, first.DefRange(), g.connection.DefRange())
		}
	}
	return first.Labels[0]
}
