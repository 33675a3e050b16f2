package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// local is one name of a locals block.
type local struct {
	name string
	expr *expr
	typ  cty.Type // as it is at run time
}

// loadLocals loads a block in the order in which it is written, so that a local can name those above it.
func (l *loader) loadLocals(b *hclsyntax.Block) {
	if len(b.Labels) > 0 {
		l.fail(b.LabelRanges[0], "Too many labels", "%s", usage("locals", nil))
	}
	for _, x := range b.Body.Blocks {
		l.unexpected("block", x.Type, x.TypeRange, "in locals", nil)
	}
	item := &engine.Locals{Range: decode.Range(b.DefRange())}
	for _, a := range inOrder(b.Body.Attributes) {
		if first := l.known[a.Name]; first != nil {
			l.fail(a.NameRange, "Name given twice", "local.%s is declared at line %d, too.", a.Name, first.expr.place.Start.Line)
			continue
		}
		x := &local{name: a.Name, expr: l.compile(a.Expr, place{what: a.Name})}
		l.known[a.Name] = x
		l.locals[item] = append(l.locals[item], x)
		item.Names = append(item.Names, a.Name)
	}
	l.playbook.Items = append(l.playbook.Items, engine.Item{Locals: item})
}

// settleTypes tells locals and plays what their values will look like at run time.
func (l *loader) settleTypes() {
	for _, block := range l.locals {
		for _, x := range block {
			x.typ = l.shape.pruned(x.expr.typ.Type)
		}
	}
	for _, p := range l.plays {
		p.hostType, p.missingType = l.shape.pruned(p.hostType), l.shape.pruned(p.missingType)
	}
}

// check is a condition that must hold, at file level or in a play.
type check struct {
	*engine.Check
	condition, message *expr
}

// loadCheck loads a check; more are arguments that it may have as an entry. nil: it has no name.
func (l *loader) loadCheck(b *hclsyntax.Block, at place, more []string) *check {
	ok := l.form(b, form{attrs: append([]string{"condition", "error_message", "severity"}, more...),
		required: []string{"condition", "error_message"}, labels: []string{"NAME"}})
	if !ok {
		return nil
	}
	c := &check{Check: &engine.Check{Name: b.Labels[0], Range: decode.Range(b.DefRange())}}
	c.condition = l.attr(b.Body, "condition", cty.Bool, at)
	c.message = l.attr(b.Body, "error_message", cty.String, at)
	switch severity := l.text(b.Body, "severity"); severity {
	case "", "error":
	case "warning":
		c.Warning = true
	default:
		l.fail(b.Body.Attributes["severity"].Expr.Range(), "Wrong value", `"severity" must be "error" or "warning".`)
	}
	l.checks[c.Check] = c
	return c
}

// warnEvidence points at judgements over the hosts that answered, where nobody asks how many did not.
func (l *loader) warnEvidence() {
	for _, p := range l.plays {
		if p.hostsUsed != nil && !p.missingUsed && !p.bounded {
			l.warn(*p.hostsUsed, "Silent hosts are not counted", "play.%s.hosts are the hosts that answered. Say how many may be missing with max_failures in play %q, or use play.%s.missing.", p.Name, p.Name, p.Name)
		}
	}
}

// note remembers where a play's hosts were named first.
func (p *play) note(at hcl.Range, missing bool) {
	p.missingUsed = p.missingUsed || missing
	if p.hostsUsed == nil {
		p.hostsUsed = &at
	}
}
