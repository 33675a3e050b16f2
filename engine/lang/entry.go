package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// entry is a loaded entry of a play, of a goal or of an attempt.
type entry struct {
	*engine.Entry
	play    *play
	block   *hclsyntax.Block
	typ     cty.Type // of probe.NAME or step.NAME
	item    cty.Type // of one result: typ itself, or what typ is a map of
	forEach *expr
	part    *play // of an include: the file's entries
	outputs infer.Type
	slot    int           // its place among the play's named entries
	attempt *attempt      // in which it stands
	goalOf  *entry        // the recover whose goal it belongs to
	around  []engine.Expr // conditions of the blocks around it; nil ones, too
	loaded  bool

	body     *hclsyntax.Body  // the module's arguments
	args     map[string]*expr // by name; those of nested blocks are "block.argument"
	objects  bool             // an argument needs "probe", "step" and so on as objects
	executed map[string]bool  // the names of arguments that must be known in a plan
	on       *expr
	settings *hclsyntax.Body // timeout, ignore_errors
	retry    *hclsyntax.Body
	sudo     *hclsyntax.Body
	polling  *hclsyntax.Body // of a goal: within, every
	waits    refs            // what the settings name
	check    *check
}

// attempt is a loaded attempt.
type attempt struct {
	*engine.Attempt
	of *entry
}

// site is where entries stand.
type site struct {
	play    *play
	attempt *attempt
	goalOf  *entry
	path    string        // the address of what is around
	tags    []string      // of what is around
	chain   []string      // the files around, the playbook first
	around  []engine.Expr // conditions of the blocks around
}

// place is where the expressions of an entry stand.
func (s site) place(e *entry) place {
	at := place{play: s.play, attempt: s.attempt, entry: e}.guarded(s.around...)
	if s.attempt != nil {
		at = at.guarded(s.attempt.When, s.attempt.of.When)
	}
	if s.goalOf != nil {
		at = at.guarded(s.goalOf.When)
	}
	return at
}

// declareEntries notes the probes and steps of a play before any of them is loaded.
func (l *loader) declareEntries(p *play, body *hclsyntax.Body, a *attempt, goalOf *entry) {
	for _, b := range body.Blocks {
		switch kind := engine.EntryKind(b.Type); {
		case (kind == engine.EntryProbe || kind == engine.EntryStep) && len(b.Labels) == 2:
			if p.find(kind, b.Labels[1]) != nil {
				continue // uniqueNames reports it
			}
			e := &entry{Entry: &engine.Entry{Kind: kind, Name: b.Labels[1], Range: decode.Range(b.DefRange())}, play: p, block: b, attempt: a, goalOf: goalOf, slot: len(p.named)}
			if m := l.modules[b.Labels[0]]; m != nil {
				e.Module = m
				e.typ = resultType(m, kind)
			} else {
				e.typ = cty.DynamicPseudoType
			}
			if e.item = e.typ; b.Body.Attributes["for_each"] != nil && e.Module != nil {
				e.typ = cty.Map(e.item)
			}
			p.named = append(p.named, e)
		case kind == engine.EntryRecover && len(b.Labels) == 1:
			l.declareRecover(p, b)
		case kind == engine.EntryInclude && len(b.Labels) == 2:
			if p.find(kind, b.Labels[1]) == nil {
				declareInclude(p, b, a)
			}
		case kind == engine.EntryBlock && len(b.Labels) == 1:
			if p.find(kind, b.Labels[0]) == nil {
				l.declareBlock(p, b, a)
			}
		}
	}
}

// resultType is the type of what an entry leaves: the module's result, and how it ended.
func resultType(m *engine.Module, kind engine.EntryKind) cty.Type {
	attrs := map[string]cty.Type{}
	if m.Result != nil {
		maps.Copy(attrs, engine.TypeOf(m.Result).AttributeTypes())
	}
	attrs["status"] = cty.String
	if kind == engine.EntryStep {
		attrs["changed"] = cty.Bool
	}
	return cty.Object(attrs)
}

// loadEntry loads one entry; nil: it is none, or has no name.
func (l *loader) loadEntry(b *hclsyntax.Block, s site) *entry {
	var e *entry
	own := append(slices.Clone(s.tags), l.texts(b.Body, "tags")...)
	s.tags = own // of what is in it
	switch b.Type {
	case "probe", "step":
		e = l.loadModuleEntry(b, s)
	case "recover":
		e = l.loadRecover(b, s)
	case "check":
		e = l.loadCheckEntry(b, s)
	case "block":
		e = l.loadBlock(b, s)
	case "include":
		e = l.loadInclude(b, s)
	default:
		return nil // its form was reported, or it is the play's own
	}
	if e == nil {
		return nil
	}
	e.Title, e.Tags = l.text(b.Body, "title"), own
	if e.Kind != engine.EntryCheck {
		e.Impact = l.text(b.Body, "impact")
	}
	l.entries[e.Entry] = e
	e.loaded = true
	return e
}

// metaAttrs and metaBlocks are what every probe and step has, whatever its module.
var (
	metaAttrs  = []string{"when", "for_each", "on", "timeout", "ignore_errors", "idempotent", "failed_when", "changed_when", "title", "impact", "tags"}
	metaBlocks = []string{"retry", "sudo"}
	stepAttrs  = []string{"changed_when", "idempotent"} // those of metaAttrs that no probe has
)

func (l *loader) loadModuleEntry(b *hclsyntax.Block, s site) *entry {
	if !l.form(b, form{rest: true, labels: []string{"MODULE", "NAME"}}) || !l.identifier(b.Labels[1], b.LabelRanges[1]) {
		return nil
	}
	i := slices.IndexFunc(s.play.named, func(e *entry) bool { return e.block == b })
	if i < 0 {
		return nil // a second one of this name
	}
	e := s.play.named[i]
	e.Address, e.around = s.path+"/"+b.Type+"."+e.Name, s.around
	at := l.loadForEach(e, s.place(e))
	if a := b.Body.Attributes["when"]; a != nil {
		e.When, e.WhenEach = exprOf(l.attr(b.Body, "when", cty.Bool, at)), e.ForEach != nil && namesEach(a.Expr)
	}
	at = at.guarded(e.When)
	if e.goalOf != nil && e.When != nil {
		l.fail(b.Body.Attributes["when"].NameRange, "Not allowed here", "A probe of a goal is always asked. Put the question into the condition.")
		e.When = nil
	}
	l.loadMeta(e, at)
	if e.Module == nil {
		l.fail(b.LabelRanges[0], "Unknown module", "There is no module %q.%s", b.Labels[0], l.unknownModule(b.Labels[0]))
		l.walkAll(restOf(b.Body), at)
		return e
	}
	l.usable(e)
	l.loadArgs(e, at)
	return e
}

// usable reports a module that cannot serve as a probe or as a step.
func (l *loader) usable(e *entry) {
	m := e.Module.New()
	_, probes := m.(engine.Prober)
	_, applies := m.(engine.Applier)
	if e.Kind == engine.EntryProbe && !probes {
		l.fail(e.block.TypeRange, "Not a probe", "The module %q changes things and has nothing to look at; it can only be a step.", e.Module.Name)
	}
	if e.Kind == engine.EntryStep && !applies {
		l.fail(e.block.TypeRange, "Not a step", "The module %q only looks; it can only be a probe.", e.Module.Name)
	}
}

func (l *loader) loadCheckEntry(b *hclsyntax.Block, s site) *entry {
	e := &entry{Entry: &engine.Entry{Kind: engine.EntryCheck, Range: decode.Range(b.DefRange())}, play: s.play, block: b, attempt: s.attempt}
	at := s.place(e)
	e.When = exprOf(l.attr(b.Body, "when", cty.Bool, at))
	c := l.loadCheck(b, at.guarded(e.When), []string{"when", "title", "tags"})
	if c == nil {
		return nil
	}
	e.check, e.Check, e.Name = c, c.Check, c.Name
	e.Address = s.path + "/check." + c.Name
	return e
}
