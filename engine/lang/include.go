package lang

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// part is one use of an included file. Its names are its own: it is loaded anew, as a play inside of a play, for each use.
type part struct {
	path    string
	inputs  map[string]*input
	outputs map[string]*expr
}

// input is a value that a part gets from the one who includes it.
type input struct {
	typ      cty.Type // the constraint; may have optional attributes
	defaults *typeexpr.Defaults
	given    *expr     // nil: the default is taken
	value    cty.Value // the default
	infer    infer.Type
}

var (
	includeAttrs = []string{"when", "title", "impact", "tags"}
	inputAttrs   = []string{"type", "default", "description"}
	outputAttrs  = []string{"value", "description"}
)

func (l *loader) loadInclude(b *hclsyntax.Block, s site) *entry {
	i := slices.IndexFunc(s.play.named, func(e *entry) bool { return e.block == b })
	if !l.form(b, form{rest: true, labels: []string{"SOURCE", "NAME"}}) || i < 0 || !l.identifier(b.Labels[1], b.LabelRanges[1]) {
		return nil
	}
	for _, x := range b.Body.Blocks {
		l.unexpected("block", x.Type, x.TypeRange, "in include", nil)
	}
	e := s.play.named[i]
	e.Address, e.around = s.path+"/include."+e.Name, s.around
	at := s.place(e)
	e.When = exprOf(l.attr(b.Body, "when", cty.Bool, at))
	path := filepath.Join(filepath.Dir(b.DefRange().Filename), b.Labels[0])
	chain := append(slices.Clone(s.chain), path)
	if slices.Contains(s.chain, path) {
		l.fail(b.LabelRanges[0], "Include cycle", "These files include each other: %s.", strings.Join(chain, " → "))
		return e
	}
	body := l.parsePart(path, b.LabelRanges[0])
	if body == nil {
		return e
	}
	e.part = &play{Play: &engine.Play{Name: b.Labels[0], Range: e.Range}, sudo: s.play.sudo, part: &part{path: path, inputs: map[string]*input{}, outputs: map[string]*expr{}}}
	l.loadInputs(e, body, at)
	l.declareEntries(e.part, body, s.attempt, nil)
	l.uniqueNames(e.part, body)
	inner := s
	inner.play, inner.path, inner.chain, inner.around = e.part, e.Address, chain, append(slices.Clone(s.around), e.When)
	e.Include.Entries = l.loadEntries(body, inner)
	l.loadOutputs(e, body, inner.around)
	return e
}

// parsePart parses a file for one use of it; nil: it cannot be used.
func (l *loader) parsePart(path string, where hcl.Range) *hclsyntax.Body {
	src, err := l.reads.read(path)
	if err != nil {
		l.fail(where, "File not readable", "%s.", err)
		return nil
	}
	f, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	l.files[path] = f
	l.report(diags)
	if diags.HasErrors() {
		return nil
	}
	body := f.Body.(*hclsyntax.Body)
	for _, a := range inOrder(body.Attributes) {
		l.unexpected("argument", a.Name, a.NameRange, "at file level of a part", nil)
	}
	for _, b := range body.Blocks {
		if known := append([]string{"input", "output"}, entryBlocks...); !slices.Contains(known, b.Type) {
			l.unexpected("block", b.Type, b.TypeRange, "at file level of a part", known)
		}
	}
	return body
}

// included gives the bodies of everything that a body includes, directly or not; what is wrong is reported elsewhere.
func (l *loader) included(body *hclsyntax.Body, seen map[string]bool) []*hclsyntax.Body {
	bodies := []*hclsyntax.Body{body}
	for _, b := range body.Blocks {
		if b.Type != "include" || len(b.Labels) != 2 {
			inner := l.included(b.Body, seen)
			bodies = append(bodies, inner[1:]...)
			continue
		}
		path := filepath.Join(filepath.Dir(b.DefRange().Filename), b.Labels[0])
		src, err := l.reads.read(path)
		if err != nil || seen[path] {
			continue
		}
		seen[path] = true
		f, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
		if !diags.HasErrors() {
			bodies = append(bodies, l.included(f.Body.(*hclsyntax.Body), seen)...)
		}
	}
	return bodies
}

// loadInputs compares what a part takes with what it is given.
func (l *loader) loadInputs(e *entry, body *hclsyntax.Body, at place) {
	inputs := e.part.part.inputs
	for _, b := range body.Blocks {
		if b.Type != "input" || !l.form(b, form{attrs: inputAttrs, labels: []string{"NAME"}}) || !l.identifier(b.Labels[0], b.LabelRanges[0]) {
			continue
		}
		name := b.Labels[0]
		switch {
		case inputs[name] != nil:
			l.fail(b.DefRange(), "Name given twice", "There is an input %q already.", name)
		case slices.Contains(includeAttrs, name):
			l.fail(b.LabelRanges[0], "Name not allowed", "%q is an argument that every include has itself.", name)
		default:
			inputs[name] = l.loadInput(e, b, at)
		}
	}
	for _, a := range inOrder(e.block.Body.Attributes) {
		if inputs[a.Name] == nil && !slices.Contains(includeAttrs, a.Name) {
			l.unexpected("argument", a.Name, a.NameRange, "in include of "+e.block.Labels[0], append(slices.Sorted(maps.Keys(inputs)), includeAttrs...))
			l.infer(a.Expr, at)
		}
	}
}

func (l *loader) loadInput(e *entry, b *hclsyntax.Block, at place) *input {
	name := b.Labels[0]
	in := &input{typ: cty.DynamicPseudoType}
	if a := b.Body.Attributes["type"]; a != nil {
		ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
		l.report(diags)
		in.typ, in.defaults = ty, defaults
	}
	if a := b.Body.Attributes["description"]; a != nil {
		l.demand(l.infer(a.Expr, place{what: "description", nothing: true}), cty.String, "description")
	}
	plain := in.typ.WithoutOptionalAttributesDeep()
	in.infer, in.value = infer.Of(plain), cty.UnknownVal(plain)
	def := b.Body.Attributes["default"]
	if def != nil {
		l.loadDefault(in, def)
	}
	a := e.block.Body.Attributes[name]
	switch {
	case a == nil && def == nil:
		l.fail(e.block.DefRange(), "Input missing", "%s needs the input %q.", e.block.Labels[0], name)
	case a != nil:
		at.what = name
		in.given = l.compile(a.Expr, at)
		l.given(in, name)
	}
	return in
}

// loadDefault evaluates the default of an input, which can name nothing.
func (l *loader) loadDefault(in *input, a *hclsyntax.Attribute) {
	x := l.infer(a.Expr, place{what: "default", nothing: true})
	if x.wrong || x.value == cty.NilVal {
		return
	}
	v, err := in.fit(x.value)
	if err != nil {
		l.fail(x.place, "Wrong type", "The default is no %s: %s.", typeexpr.TypeString(in.typ.WithoutOptionalAttributesDeep()), err)
		return
	}
	in.value, in.infer = v, infer.Of(v.Type())
}

// given checks what an input is given.
func (l *loader) given(in *input, name string) {
	x := in.given
	plain := in.typ.WithoutOptionalAttributesDeep()
	switch {
	case x.wrong:
		in.infer = infer.Dynamic
	case !infer.Converts(x.typ.Type, in.typ):
		l.fail(x.place, "Wrong type", "%q must be a %s, not %s.", name, plain.FriendlyName(), x.typ.FriendlyName())
	case plain == cty.DynamicPseudoType:
		in.infer = x.typ
	case x.typ.HoldsSecret():
		in.infer = infer.Secret(plain)
	default:
		in.infer = infer.Of(plain)
	}
}

// fit makes a value one of the input's type.
func (in *input) fit(v cty.Value) (cty.Value, error) {
	if in.defaults != nil && v.IsWhollyKnown() {
		v = in.defaults.Apply(v)
	}
	return convert.Convert(v, in.typ)
}

// loadOutputs loads what a part gives, and the type of include.NAME.
func (l *loader) loadOutputs(e *entry, body *hclsyntax.Body, around []engine.Expr) {
	outputs, types := e.part.part.outputs, map[string]infer.Type{}
	for _, b := range body.Blocks {
		if b.Type != "output" || !l.form(b, form{attrs: outputAttrs, required: []string{"value"}, labels: []string{"NAME"}}) || !l.identifier(b.Labels[0], b.LabelRanges[0]) {
			continue
		}
		if a := b.Body.Attributes["description"]; a != nil {
			l.demand(l.infer(a.Expr, place{what: "description", nothing: true}), cty.String, "description")
		}
		name, a := b.Labels[0], b.Body.Attributes["value"]
		if outputs[name] != nil {
			l.fail(b.DefRange(), "Name given twice", "There is an output %q already.", name)
			continue
		}
		if a == nil {
			continue
		}
		x := l.compile(a.Expr, place{what: "value", play: e.part, attempt: e.attempt}.guarded(around...))
		outputs[name], types[name] = x, x.typ
		if x.wrong {
			types[name] = infer.Dynamic
		}
	}
	e.outputs = infer.Object(types)
	e.typ, e.item = e.outputs.Type, e.outputs.Type
}

// ofPart resolves input, and refuses what a part does not see.
func (s *scope) ofPart(root, name string, at, where hcl.Range, named bool) (infer.Type, int, *hcl.Diagnostic) {
	p := s.place.play
	switch {
	case (p == nil || p.part == nil) && root == "input":
		return infer.Dynamic, 0, problem(where, "No input here", "input can be named in a file that is included. In a playbook write var.NAME.")
	case root != "input":
		return infer.Dynamic, 0, problem(where, "Not visible in a part", "An included file sees only what it is given: declare input %q, and give it where the file is included.", name)
	case !named:
		return infer.Dynamic, 0, problem(where, "Incomplete reference", "Write input.NAME.")
	}
	if in := p.part.inputs[name]; in != nil {
		s.refs.inputs = append(s.refs.inputs, in)
		return in.infer, 2, nil
	}
	return infer.Dynamic, 0, problem(at, "Unknown input", "No input %q is declared.%s", name, infer.Suggest(name, slices.Sorted(maps.Keys(p.part.inputs))))
}

// inPart tells whether an expression stands in an included file, where a root is not visible.
func (s *scope) inPart(root string) bool {
	p := s.place.play
	return root == "input" || p != nil && p.part != nil && slices.Contains([]string{"var", "local", "play"}, root)
}

// declareInclude notes an include before it is loaded.
func declareInclude(p *play, b *hclsyntax.Block, a *attempt) {
	p.named = append(p.named, &entry{Entry: &engine.Entry{Kind: engine.EntryInclude, Name: b.Labels[1], Include: &engine.Include{}, Range: decode.Range(b.DefRange())},
		play: p, block: b, attempt: a, slot: len(p.named), typ: cty.DynamicPseudoType, item: cty.DynamicPseudoType, outputs: infer.Dynamic})
}
