package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
)

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
