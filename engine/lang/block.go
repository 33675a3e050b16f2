package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

var (
	blockError = cty.Object(map[string]cty.Type{"kind": cty.String, "text": cty.String, "host": cty.String})
	blockType  = cty.Object(map[string]cty.Type{"status": cty.String, "failed": cty.Bool, "error": blockError})
)

// parts are the blocks of a block that are no entries.
var parts = []string{"rescue", "finally"}

// declareBlock declares a block, and what is in it: its names are those of the play.
func (l *loader) declareBlock(p *play, b *hclsyntax.Block, a *attempt) {
	p.named = append(p.named, &entry{Entry: &engine.Entry{Kind: engine.EntryBlock, Name: b.Labels[0], Block: &engine.Block{}, Range: decode.Range(b.DefRange())},
		play: p, block: b, attempt: a, slot: len(p.named), typ: blockType, item: blockType})
	l.declareEntries(p, b.Body, a, nil)
	for _, x := range b.Body.Blocks {
		if slices.Contains(parts, x.Type) {
			l.declareEntries(p, x.Body, a, nil)
		}
	}
}

func (l *loader) loadBlock(b *hclsyntax.Block, s site) *entry {
	ok := l.form(b, form{attrs: []string{"when", "title", "impact", "tags"}, blocks: append(slices.Clone(s.holds()), parts...), labels: []string{"NAME"}})
	i := slices.IndexFunc(s.play.named, func(e *entry) bool { return e.block == b })
	if !ok || i < 0 || !l.identifier(b.Labels[0], b.LabelRanges[0]) {
		return nil
	}
	e := s.play.named[i]
	e.Address = s.path + "/" + e.Name
	e.When = exprOf(l.attr(b.Body, "when", cty.Bool, s.place(e)))
	s.around, s.path = append(slices.Clone(s.around), e.When), e.Address
	e.Block.Entries = l.loadEntries(b.Body, s)
	e.loaded = true // from here on, what is in it may ask whether it failed
	rescue, finally := l.one(b.Body, "rescue"), l.one(b.Body, "finally")
	l.orderOfParts(b.Body, rescue, finally)
	if rescue != nil {
		l.form(rescue, form{blocks: s.holds()})
		e.Block.Rescue = l.loadEntries(rescue.Body, s)
	}
	if finally != nil {
		l.form(finally, form{blocks: s.holds()})
		e.Block.Finally = l.loadEntries(finally.Body, s)
	}
	if len(e.Block.Entries) == 0 {
		l.fail(b.DefRange(), "Empty block", "A block needs at least one entry.")
	}
	return e
}

// orderOfParts demands that a block is written in the order in which it runs.
func (l *loader) orderOfParts(body *hclsyntax.Body, rescue, finally *hclsyntax.Block) {
	last := 0
	for _, x := range body.Blocks {
		rank := 1 + slices.Index(parts, x.Type)
		if (x == rescue || x == finally || rank == 0) && rank < last {
			l.fail(x.DefRange(), "Wrong order", "A block is written as it runs: its entries, then rescue, then finally.")
		}
		last = max(last, rank)
	}
}

// loadEntries loads the entries that stand in a body.
func (l *loader) loadEntries(body *hclsyntax.Body, s site) []*engine.Entry {
	var out []*engine.Entry
	for _, x := range body.Blocks {
		if !slices.Contains(s.holds(), x.Type) {
			continue // reported with the form
		}
		if e := l.loadEntry(x, s); e != nil {
			out = append(out, e.Entry)
		}
	}
	return out
}

// holds are the kinds of entries that may stand here.
func (s site) holds() []string {
	if s.attempt != nil {
		return attemptBlocks
	}
	return entryBlocks
}

// blockObject is what block.NAME holds: whether its entries failed, rescued or not, and the error.
func blockObject(r engine.Result) cty.Value {
	if r.Value != cty.NilVal && !r.Value.IsKnown() {
		return cty.UnknownVal(blockType)
	}
	err := cty.NullVal(blockError)
	if r.Err != nil {
		err = cty.ObjectVal(map[string]cty.Value{"kind": cty.StringVal(string(engine.KindOf(r.Err))),
			"text": cty.StringVal(r.Err.Error()), "host": cty.StringVal(engine.HostOf(r.Err))})
	}
	return cty.ObjectVal(map[string]cty.Value{"status": cty.StringVal(string(r.Status)), "failed": cty.BoolVal(r.Err != nil), "error": err})
}
