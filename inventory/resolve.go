package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// source is a source block.
type source struct {
	decl     *decl // for messages: its name and place
	kind     string
	impl     Source
	settings any
	attrs    map[string]cty.Type
	body     *hclsyntax.Body
	from     string // the host that it asks; "" when its settings name none
}

func (m *Model) declareSource(b *hclsyntax.Block) {
	if !m.labels(b, 2, "its kind and its name") {
		return
	}
	s := &source{decl: &decl{kind: "source", name: b.Labels[1], source: b.Labels[1], place: b.DefRange()}, kind: b.Labels[0], impl: m.opts.Sources[b.Labels[0]], body: b.Body}
	kinds := sortedKeys(m.opts.Sources)
	if s.impl == nil {
		m.fail(b.LabelRanges[0], "Unknown kind of source", fmt.Sprintf("There is no source %q.%s Known are %s.", s.kind, decode.Suggest(s.kind, kinds), strings.Join(kinds, ", ")))
		return
	}
	if i := slices.IndexFunc(m.sources, func(x *source) bool { return x.decl.name == s.decl.name }); i >= 0 {
		m.fail(s.decl.place, "Declared twice", fmt.Sprintf("The %s is declared at %s, too.", s.decl, line(m.sources[i].decl.place)))
		return
	}
	s.settings = s.impl.Settings()
	_, diags := decode.Struct(b.Body, m.ctx, s.settings, m.eval)
	m.report(diags)
	if diags.HasErrors() {
		return
	}
	m.validate(s.settings, (*mix)(nil).under(b, s.decl), false)
	m.register(s.settings)
	s.attrs = s.impl.Attrs(s.settings)
	m.sources = append(m.sources, s)
}

// checkSources looks whether the hosts and groups that sources name are declared.
func (m *Model) checkSources() {
	for _, s := range m.sources {
		if a := s.body.Attributes["from"]; a != nil {
			if v, _ := m.eval(a.Expr); v.Type() == cty.String && !v.IsMarked() && v.IsKnown() && !v.IsNull() {
				s.from = v.AsString()
				m.checkFrom(s.from, a.Expr.Range())
			}
		}
		if a := s.body.Attributes["groups"]; a != nil {
			v, _ := m.eval(a.Expr)
			for _, name := range texts(v) {
				if m.groups[name] == nil {
					m.fail(a.Expr.Range(), "Unknown group", m.unknownGroup(name))
				}
			}
		}
	}
}

func (m *Model) checkFrom(name string, place hcl.Range) {
	if m.hosts[name] == nil && name != engine.Localhost {
		m.fail(place, "Unknown host", fmt.Sprintf("No host %q is declared.%s A source asks a host that is written in the inventory.", name, decode.Suggest(name, sortedKeys(m.hosts))))
	}
}

// texts are the strings in a value: itself, or its elements.
func texts(v cty.Value) []string {
	v, _ = v.Unmark()
	switch {
	case v.IsNull() || !v.IsKnown():
		return nil
	case v.Type() == cty.String:
		return []string{v.AsString()}
	case !v.CanIterateElements():
		return nil
	}
	var out []string
	for _, x := range v.Elements() {
		out = append(out, texts(x)...)
	}
	return out
}

// Open connects to a host of the inventory. It is called by several sources at once; its caller does not close
// the connection.
type Open func(ctx context.Context, h *engine.Host) (engine.Conn, error)

// Resolve asks all sources at once and gives the inventory with the hosts that they found. A host that is written
// in a file and found, too, is one host: what the file says wins. The inventory is nil when a problem is an error.
func (m *Model) Resolve(ctx context.Context, open Open) (*engine.Inventory, engine.Problems) {
	clear(m.seen)
	clear(m.settled)
	found, errs := m.fetch(ctx, open)
	hosts, finder := maps.Clone(m.hosts), map[string]*source{}
	for i, s := range m.sources {
		if errs[i] != nil {
			m.fail(s.decl.place, "Source failed", failure(s, errs[i]))
			continue
		}
		for _, f := range found[i] {
			if other := finder[f.Name]; other != nil {
				m.fail(s.decl.place, "Host found twice", fmt.Sprintf("The %s found a host %q, which the %s (%s) found, too.", s.decl, f.Name, other.decl, line(other.decl.place)))
				continue
			}
			finder[f.Name] = s
			if d := m.adopt(s, f); d != nil {
				hosts[f.Name] = d
			}
		}
	}
	if m.diags.HasErrors() { // what is missing now would be blamed on the wrong place
		return nil, m.problems()
	}
	m.current = hosts
	inv := m.build(hosts)
	problems := m.problems()
	if problems.Err() != nil {
		return nil, problems
	}
	return inv, problems
}

func (m *Model) fetch(ctx context.Context, open Open) ([][]Found, []error) {
	byName := func(ctx context.Context, name string) (engine.Conn, error) {
		h := m.written.Hosts[name]
		if h == nil {
			return nil, &engine.Error{Kind: engine.KindEval, Op: "connect to " + name, Msg: "no such host is written in the inventory"}
		}
		return open(ctx, h)
	}
	found, errs := make([][]Found, len(m.sources)), make([]error, len(m.sources))
	var wg sync.WaitGroup
	for i, s := range m.sources {
		wg.Go(func() { found[i], errs[i] = s.impl.Fetch(ctx, s.settings, byName) })
	}
	wg.Wait()
	return found, errs
}

func failure(s *source, err error) string {
	text := fmt.Sprintf("The %s (%s) could not be asked: ", s.decl, s.kind)
	if host := engine.HostOf(err); host != "" {
		text += "host " + host + ": "
	}
	text += strings.TrimSuffix(err.Error(), ".") + "."
	if hint := engine.HintOf(err); hint != "" {
		text += "\n" + hint
	}
	return text
}

// adopt makes a declaration of what a source found, merged with what is written of the host; nil when it cannot be one.
func (m *Model) adopt(s *source, f Found) *decl {
	d := &decl{kind: "host", name: f.Name, source: s.decl.name, place: s.decl.place, address: address{f.Address, s.decl.place, s.decl}, attrs: map[string]attr{}}
	if problem := badName("host", f.Name); problem != "" {
		m.fail(s.decl.place, "Name not allowed", fmt.Sprintf("The %s found a host %q. %s", s.decl, f.Name, problem))
		return nil
	}
	for _, group := range f.Groups {
		d.groups = append(d.groups, member{group, s.decl.place, s.decl})
	}
	for name, v := range f.Attrs {
		m.adoptAttr(d, s, name, v)
	}
	if written := m.hosts[f.Name]; written != nil {
		d.source, d.place, d.connection, d.sudo = "", written.place, written.connection, written.sudo
		d.groups = append(slices.Clone(written.groups), d.groups...)
		maps.Copy(d.attrs, written.attrs)
		if written.address.text != "" {
			d.address = written.address
		}
	}
	m.checkMembers(d)
	return d
}

func (m *Model) adoptAttr(d *decl, s *source, name string, v cty.Value) {
	_, declared := s.attrs[name]
	switch {
	case !declared || v.ContainsMarked() || !v.IsWhollyKnown():
		m.fail(s.decl.place, "Source broken", fmt.Sprintf("The %s gave %s an attribute %q that it did not announce, or that is secret or not known. This is a bug in dsplay.", s.decl, d, name))
		return
	case v.IsNull():
		return
	}
	v, err := convert.Convert(v, m.types[name])
	if err != nil {
		m.fail(s.decl.place, "Types do not fit", fmt.Sprintf("The %s gave %s an attribute %q that does not fit: %s.", s.decl, d, name, err))
		return
	}
	d.attrs[name] = attr{v, s.decl.place, s.decl}
}
