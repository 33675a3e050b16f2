package inventory

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// layers are the blocks from which settings come.
type layers struct {
	line *lineage
	kind string // type of the connection; "" for sudo
	own  *hclsyntax.Block
}

// settle decodes what the groups of d and d itself say into a target of fresh; nil when they say nothing.
// Hosts with the same layers share the target.
func (m *Model) settle(d *decl, l *lineage, kind string, fresh func() any) any {
	key := layers{l, kind, d.block(kind)}
	if known, ok := m.settled[key]; ok {
		return known
	}
	var target any
	if x := l.mixOf(m, kind).under(key.own, d); x != nil {
		for name, c := range x.clashes {
			m.disagree(d, name, c[0].by, c[1].by, c[0].attr.SrcRange, c[1].attr.SrcRange)
		}
		target = fresh()
		_, diags := decode.Struct(x.body(), m.ctx, target, m.eval)
		if m.early(d) {
			diags = withoutMissing(diags)
		}
		m.report(diags)
		if !diags.HasErrors() {
			m.validate(target, x, m.early(d))
			m.checkNeeds(target, x, m.early(d))
		}
		m.register(target)
	}
	m.settled[key] = target
	return target
}

// validate places the complaint of settings that judge themselves; early, not one about what is not written.
func (m *Model) validate(target any, x *mix, early bool) {
	v, ok := target.(engine.Validator)
	if !ok {
		return
	}
	err := v.Validate()
	var bad engine.BadArg
	switch {
	case err == nil:
	case errors.As(err, &bad) && x.args[bad.Arg].attr != nil:
		m.fail(x.args[bad.Arg].attr.Expr.Range(), "Wrong value", fmt.Sprintf("%q %s.", bad.Arg, bad.Problem))
	case !early:
		m.fail(x.place, "Wrong value", err.Error()+".")
	}
}

// checkNeeds refuses settings that lead through a host that nobody declares; early, not through one that a source may
// still find.
func (m *Model) checkNeeds(target any, x *mix, early bool) {
	n, ok := target.(engine.Needer)
	if !ok {
		return
	}
	for _, need := range n.Needs() {
		if need.Host == engine.Localhost || m.current[need.Host] != nil || early && !need.Written {
			continue
		}
		place := x.place
		if said := x.args[need.Arg]; said.attr != nil {
			place = said.attr.Expr.Range()
		}
		m.fail(place, "Unknown host", fmt.Sprintf("No host %q is declared, through which %q leads.%s", need.Host, need.Arg, decode.Suggest(need.Host, sortedKeys(m.current))))
	}
}

// register makes the passwords that are written as plain text known to the redaction, like those of secret().
func (m *Model) register(target any) {
	values, err := engine.ValueOf(target)
	if err != nil || m.opts.Secrets == nil || m.opts.Unread != nil {
		return
	}
	_, paths := values.UnmarkDeepWithPaths()
	for _, p := range paths {
		v, err := p.Path.Apply(values)
		if plain, _ := v.Unmark(); err == nil && plain.Type() == cty.String && !plain.IsNull() {
			m.opts.Secrets.Add(markName(p.Marks), plain.AsString())
		}
	}
}

func markName(marks cty.ValueMarks) string {
	for mark := range marks {
		if s, ok := mark.(engine.SecretMark); ok {
			return s.Name
		}
	}
	return ""
}

// checkBlocks decodes every block by itself, so that the mistakes in groups without hosts are found, too.
// What it lacks another layer may have: that is judged per host.
func (m *Model) checkBlocks() {
	for _, decls := range []map[string]*decl{m.groups, m.hosts} {
		for _, d := range decls {
			if d.connection != nil {
				m.checkBlock(d.connection, m.opts.Transports[d.connection.Labels[0]].Settings())
			}
			if d.sudo != nil {
				m.checkBlock(d.sudo, &sudo{})
			}
		}
	}
}

func (m *Model) checkBlock(b *hclsyntax.Block, target any) {
	_, diags := decode.Struct(b.Body, m.ctx, target, m.eval)
	m.report(withoutMissing(diags))
}

func withoutMissing(diags hcl.Diagnostics) hcl.Diagnostics {
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		return d.Summary == "Missing required argument" || d.Summary == "Missing block"
	})
}
