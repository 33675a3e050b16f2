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

// checkNeeds refuses settings that lead through a host that cannot be it.
func (m *Model) checkNeeds(target any, x *mix, early bool) {
	n, ok := target.(engine.Needer)
	if !ok {
		return
	}
	for _, need := range n.Needs() {
		summary, detail := m.judge(need, early)
		if summary == "" {
			continue
		}
		place := x.place
		if said := x.args[need.Arg]; said.attr != nil {
			place = said.attr.Expr.Range()
		}
		m.fail(place, summary, detail)
	}
}

// judge says what is wrong with a need: nobody declares its host, or it has another type of connection; "": nothing, or
// early, when a source may still find the host, or say how to reach it.
func (m *Model) judge(need engine.Need, early bool) (summary, detail string) {
	kind, d := "local", m.current[need.Host]
	switch {
	case need.Host == engine.Localhost:
	case d == nil && early && !need.Written, d != nil && d.connection == nil && m.early(d):
		return "", ""
	case d == nil:
		return "Unknown host", fmt.Sprintf("No host %q is declared, through which %q leads.%s", need.Host, need.Arg, decode.Suggest(need.Host, sortedKeys(m.current)))
	default:
		kind = m.connectionType(d, m.lineageOf(d.groups))
	}
	if need.Type == "" || need.Type == kind {
		return "", ""
	}
	has := fmt.Sprintf("has a connection of type %q", kind)
	if kind == "" {
		has = "has no connection"
	}
	return "Wrong host", fmt.Sprintf("The host %q %s; %q must name one with a connection of type %q.", need.Host, has, need.Arg, need.Type)
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
