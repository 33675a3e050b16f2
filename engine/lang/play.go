package lang

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// play is a loaded play.
type play struct {
	*engine.Play
	part                                            *part // it is an included file; nil: it is a play
	hosts, batch, parallel, maxFailures, allowEmpty *expr

	named     []*entry // probes and steps, also of goals and attempts, in the order of the file
	recovers  map[*hclsyntax.Block]*entry
	attempts  map[*hclsyntax.Block]*attempt
	sudo      *hclsyntax.Body // for entries without one of their own
	sudoWaits refs
	tags      []string

	hostType, missingType cty.Type // of the elements of its lists
	hostsUsed             *hcl.Range
	missingUsed, bounded  bool
}

var playAttrs = []string{"hosts", "batch", "parallel", "max_failures", "allow_empty", "window", "title", "tags"}

// attemptBlocks are the entries that may stand in an attempt.
var attemptBlocks = []string{"probe", "step", "check", "block", "include"}

// entryBlocks are the entries that may stand in a play.
var entryBlocks = []string{"probe", "step", "recover", "check", "block", "include"}

func (l *loader) loadPlay(b *hclsyntax.Block) {
	if !l.form(b, form{attrs: playAttrs, blocks: append([]string{"sudo"}, entryBlocks...), required: []string{"hosts"}, labels: []string{"NAME"}}) {
		return
	}
	name := b.Labels[0]
	if !l.identifier(name, b.LabelRanges[0]) {
		return
	}
	if first := l.played[name]; first != nil {
		l.fail(b.DefRange(), "Name given twice", "Play %q is declared at line %d, too.", name, first.Range.Line)
		return
	}
	p := &play{Play: &engine.Play{Name: name, Range: decode.Range(b.DefRange())}}
	l.plays[p.Play] = p
	l.playbook.Items = append(l.playbook.Items, engine.Item{Play: p.Play})
	l.declareEntries(p, b.Body, nil, nil)
	l.uniqueNames(p, b.Body)
	l.playArgs(p, b.Body)
	p.Entries = l.loadEntries(b.Body, site{play: p, path: name, tags: p.tags, chain: []string{filepath.Clean(l.path)}})
	for e := range engine.Walk(p.Entries) {
		p.Acts = p.Acts || e.Kind == engine.EntryStep
	}
	p.hostType = cty.Object(l.shape.with(map[string]cty.Type{"status": cty.String, "probe": p.results(engine.EntryProbe), "step": p.results(engine.EntryStep)}))
	p.missingType = cty.Object(l.shape.with(map[string]cty.Type{"status": cty.String, "error": cty.String}))
	l.played[name] = p
}

// results is the type of all probes or all steps of the play.
func (p *play) results(kind engine.EntryKind) cty.Type {
	attrs := map[string]cty.Type{}
	for _, e := range p.named {
		if e.Kind == kind {
			attrs[e.Name] = e.typ
		}
	}
	return cty.Object(attrs)
}

func (l *loader) playArgs(p *play, body *hclsyntax.Body) {
	p.Title, p.tags = l.text(body, "title"), l.texts(body, "tags")
	l.loadWindow(p, body)
	p.hosts = l.hostNames(body)
	if p.batch = l.attr(body, "batch", cty.DynamicPseudoType, place{}); p.batch != nil && !p.batch.wrong && p.batch.value != cty.NilVal {
		if _, err := sizes(p.batch.value); err != "" {
			l.fail(p.batch.place, "Wrong value", "%q %s.", "batch", err)
		}
	}
	if p.maxFailures = l.attr(body, "max_failures", cty.DynamicPseudoType, place{}); p.maxFailures != nil && !p.maxFailures.wrong && p.maxFailures.value != cty.NilVal {
		if _, err := size(p.maxFailures.value, 0); err != "" {
			l.fail(p.maxFailures.place, "Wrong value", "%q %s.", "max_failures", err)
		}
	}
	if p.parallel = l.attr(body, "parallel", cty.Number, place{}); p.parallel != nil && !p.parallel.wrong && p.parallel.value != cty.NilVal {
		if s, err := size(p.parallel.value, 1); err != "" || s.Percent {
			l.fail(p.parallel.place, "Wrong value", "%q must be a whole number, 1 or more.", "parallel")
		}
	}
	p.allowEmpty = l.attr(body, "allow_empty", cty.Bool, place{})
	p.bounded = p.maxFailures != nil || p.batch != nil
	if b := l.one(body, "sudo"); b != nil {
		p.sudo = b.Body
		l.decode(p.sudo, &sudoArgs{}, place{play: p}, &p.sudoWaits)
	}
}

func (l *loader) loadWindow(p *play, body *hclsyntax.Body) {
	before := len(l.diags)
	text := l.text(body, "window")
	if body.Attributes["window"] == nil || l.diags[before:].HasErrors() {
		return
	}
	var err error
	if p.Window, err = engine.ParseWindow(text); err != nil {
		l.fail(body.Attributes["window"].Expr.Range(), "Wrong value", "%s.", err)
	}
}

// hostNames loads the argument hosts: a list of names.
func (l *loader) hostNames(body *hclsyntax.Body) *expr {
	a := body.Attributes["hosts"]
	if a == nil {
		return nil
	}
	x := l.compile(a.Expr, place{what: "hosts"})
	t := x.typ.Type
	switch {
	case x.wrong:
		return x
	case t == cty.String:
		l.fail(x.place, "Wrong type", `"hosts" takes a list of names: write it in brackets, ["…"], or name a group: group.NAME.`)
		x.wrong = true
	case (t.IsListType() || t.IsSetType()) && t.ElementType().IsObjectType():
		l.fail(x.place, "Wrong type", `"hosts" takes names, and these are objects. Write [for h in … : h.name].`)
		x.wrong = true
	default:
		l.demand(x, cty.List(cty.String), "hosts")
	}
	l.knownHosts(x)
	return x
}

// knownHosts reports names that the inventory does not have, where they are written in the playbook.
func (l *loader) knownHosts(x *expr) {
	if x.wrong || x.value == cty.NilVal {
		return
	}
	if x.value.IsNull() || !x.value.CanIterateElements() {
		l.fail(x.place, "Wrong value", "\"hosts\" must be a list of names, and not null.")
		return
	}
	for _, v := range x.value.Elements() {
		if v.IsNull() || v.Type() != cty.String {
			l.fail(x.place, "Wrong value", "A name of a host must be a string, and not null.")
		} else if why := l.noHost(v.AsString()); why != "" {
			l.fail(x.place, "Unknown host", "%s", why)
		}
	}
}

// texts evaluates a list of strings at load.
func (l *loader) texts(body *hclsyntax.Body, name string) []string {
	x := l.attr(body, name, cty.List(cty.String), place{onlyVars: true})
	if x == nil || x.wrong || x.value == cty.NilVal || x.value.IsNull() || !x.value.CanIterateElements() {
		return nil
	}
	var out []string
	for _, v := range x.value.Elements() {
		if !v.IsNull() {
			out = append(out, asString(v))
		}
	}
	return out
}

// sizes reads a batch: sizes, or one of them.
func sizes(v cty.Value) ([]engine.Size, string) {
	t := v.Type()
	if v.IsNull() || !(t.IsTupleType() || t.IsListType()) {
		s, err := size(v, 1)
		return []engine.Size{s}, err
	}
	var out []engine.Size
	for _, e := range v.Elements() {
		s, err := size(e, 1)
		if err != "" {
			return nil, err
		}
		out = append(out, s)
	}
	return out, ""
}

// size reads a number of hosts or a percentage, at least min. The text says what is wrong, or is "".
func size(v cty.Value, min int) (engine.Size, string) {
	wrong := "must be a whole number or a percentage like \"25%\", at least " + strconv.Itoa(min)
	if v.IsNull() || !v.IsKnown() || !infer.Converts(v.Type(), cty.String) {
		return engine.Size{}, wrong
	}
	text, percent := strings.CutSuffix(strings.TrimSpace(asString(v)), "%")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < min || percent && n > 100 {
		return engine.Size{}, wrong
	}
	return engine.Size{N: n, Percent: percent}, ""
}
