package inventory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

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
