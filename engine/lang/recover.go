package lang

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// declareRecover declares a recover with its attempts, and the probes and steps in it.
func (l *loader) declareRecover(p *play, b *hclsyntax.Block) {
	r := &entry{Entry: &engine.Entry{Kind: engine.EntryRecover, Name: b.Labels[0], Recover: &engine.Recover{}, Range: decode.Range(b.DefRange())}, play: p, block: b}
	if p.recovers == nil {
		p.recovers = map[*hclsyntax.Block]*entry{}
		p.attempts = map[*hclsyntax.Block]*attempt{}
	}
	p.recovers[b] = r
	for _, x := range b.Body.Blocks {
		switch x.Type {
		case "goal":
			l.declareEntries(p, x.Body, nil, r)
		case "attempt":
			a := &attempt{Attempt: &engine.Attempt{Range: decode.Range(x.DefRange())}, of: r}
			if len(x.Labels) == 1 {
				a.Name = x.Labels[0]
			}
			p.attempts[x] = a
			l.declareEntries(p, x.Body, a, nil)
		}
	}
}

func (l *loader) loadRecover(b *hclsyntax.Block, s site) *entry {
	if s.attempt != nil || s.goalOf != nil {
		return nil // its form was reported
	}
	ok := l.form(b, form{attrs: []string{"when", "title", "impact", "tags"}, blocks: []string{"goal", "attempt"}, labels: []string{"NAME"}})
	if !ok || !l.identifier(b.Labels[0], b.LabelRanges[0]) {
		return nil
	}
	r := s.play.recovers[b]
	r.Address = s.path + "/" + r.Name
	r.When = exprOf(l.attr(b.Body, "when", cty.Bool, s.place(r)))
	if goal := l.one(b.Body, "goal"); goal == nil {
		l.fail(b.DefRange(), "Goal missing", "A recover needs a goal { probe … condition = … }: what shall hold in the end.")
	} else {
		l.loadGoal(r, goal, s)
	}
	for _, x := range b.Body.Blocks {
		if x.Type == "attempt" {
			l.loadAttempt(r, x, s)
		}
	}
	if len(r.Recover.Attempts) == 0 {
		l.fail(b.DefRange(), "Attempt missing", "A recover needs at least one attempt \"NAME\" { … }. To judge without acting, write a check.")
	}
	return r
}

func (l *loader) loadGoal(r *entry, b *hclsyntax.Block, s site) {
	l.form(b, form{attrs: []string{"condition", "error_message", "within", "every"}, blocks: []string{"probe"}, required: []string{"condition"}})
	for _, x := range b.Body.Blocks {
		if x.Type != "probe" {
			continue
		}
		if e := l.loadEntry(x, site{play: s.play, goalOf: r, path: r.Address + "/goal", tags: s.tags, around: s.around, chain: s.chain}); e != nil {
			r.Recover.Goal = append(r.Recover.Goal, e.Entry)
		}
	}
	at := place{play: s.play}.guarded(s.around...).guarded(r.When)
	if condition := l.attr(b.Body, "condition", cty.Bool, at); condition != nil {
		condition.said = l.attr(b.Body, "error_message", cty.String, at)
		r.Recover.Condition = condition
	}
	r.polling = only(b.Body, "within", "every")
	goal := pollingDefaults
	l.decode(r.polling, &goal, place{play: s.play}, &r.waits)
	_, bad := goal.read()
	l.placed(r.polling, bad)
}

func (l *loader) loadAttempt(r *entry, b *hclsyntax.Block, s site) {
	if !l.form(b, form{attrs: []string{"when"}, blocks: attemptBlocks, labels: []string{"NAME"}}) {
		return
	}
	a := s.play.attempts[b]
	a.When = exprOf(l.attr(b.Body, "when", cty.Bool, place{play: s.play, before: r}.guarded(s.around...).guarded(r.When)))
	a.Entries = l.loadEntries(b.Body, site{play: s.play, attempt: a, path: r.Address + "/" + a.Name, tags: s.tags, around: s.around, chain: s.chain})
	if len(b.Body.Blocks) == 0 {
		l.fail(b.DefRange(), "Empty attempt", "An attempt needs at least one step.")
	}
	r.Recover.Attempts = append(r.Recover.Attempts, a.Attempt)
}
