package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// consoleFile is where expressions of a console stand, for messages.
const consoleFile = "console"

// Incomplete tells whether a text ends inside of brackets or a heredoc, so that more of it is to come.
func Incomplete(src string) bool {
	tokens, _ := hclsyntax.LexExpression([]byte(src+"\n"), "", hcl.InitialPos)
	open := 0
	for _, t := range tokens {
		switch t.Type { //nolint:exhaustive // brackets only
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl, hclsyntax.TokenOHeredoc:
			open++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCHeredoc:
			open--
		}
	}
	return open > 0
}

// Eval evaluates a text; type(…) around an expression asks for its type, which is found without its value.
func (c *Console) Eval(src string, at At) (Answer, engine.Problems) {
	e, diags := c.parse(src)
	if diags.HasErrors() {
		return Answer{}, c.problems(diags)
	}
	wanted, typeOnly := typeCall(e)
	c.loader.diags = nil
	x := c.loader.infer(wanted, c.place(at))
	if x.wrong {
		return Answer{}, c.loader.problems()
	}
	warnings := c.loader.problems()
	if typeOnly && !x.typ.Type.HasDynamicTypes() {
		return Answer{Text: decode.PrettyType(x.typ.Type)}, warnings
	}
	h := c.chosen(at)
	v, diags := c.value(x, h)
	switch {
	case diags.HasErrors():
		return Answer{}, append(warnings, c.problems(diags)...)
	case typeOnly:
		return Answer{Text: decode.PrettyType(v.Type())}, warnings
	}
	out := Answer{Text: decode.Pretty(v)}
	if !v.IsWhollyKnown() {
		out.Unknown = c.reasons(x, h)
	}
	return out, warnings
}

// parse parses a text whose places are those of everything that was typed.
func (c *Console) parse(src string) (hclsyntax.Expression, hcl.Diagnostics) {
	start := hcl.Pos{Line: c.lines + 1, Column: 1, Byte: len(c.input)}
	c.input = append(append(c.input, src...), '\n')
	for _, r := range src + "\n" {
		if r == '\n' {
			c.lines++
		}
	}
	c.loader.files[consoleFile] = &hcl.File{Bytes: c.input}
	if strings.Contains(src, "<<") {
		src += "\n" // the end of a heredoc needs that of its line
	}
	e, diags := hclsyntax.ParseExpression([]byte(src), consoleFile, start)
	for _, d := range diags {
		if d.Summary == "Extra characters after expression" {
			d.Detail = "The expression ends before this. A console sets nothing: == compares."
		}
	}
	return e, diags
}

// Skip counts lines that are no expressions, so that places stay those of the input.
func (c *Console) Skip(line string) {
	c.input = append(append(c.input, line...), '\n')
	c.lines++
}

func (c *Console) problems(diags hcl.Diagnostics) engine.Problems {
	return decode.Problems(diags, c.loader.files)
}

// typeCall takes type(…) off an expression.
func typeCall(e hclsyntax.Expression) (hclsyntax.Expression, bool) {
	call, ok := e.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "type" || len(call.Args) != 1 {
		return e, false
	}
	return call.Args[0], true
}

func (c *Console) place(at At) place {
	out := place{what: consoleFile, console: &at, play: c.loader.played[at.Play]}
	if out.play == nil && at.Host != "" {
		out.play = c.nowhere
	}
	return out
}

// chosen is the scope of the host; nil: none is chosen.
func (c *Console) chosen(at At) *hostScope {
	if at.Host == "" {
		return nil
	}
	p := c.place(at).play
	if c.begun[p] == nil {
		c.begun[p] = c.scope(p)
	}
	return c.begun[p].host(at.Host)
}

// value evaluates an expression behind the end of the playbook. Every expression has a root context of its own, because it
// is made ready when others were evaluated already.
func (c *Console) value(x *expr, h *hostScope) (cty.Value, hcl.Diagnostics) {
	x.node = c.loader.rewriter.Once(x.node)
	x.leaves = leavesOf(x.node, c.loader.source)
	ctx := c.root()
	if h != nil {
		ctx = ctx.NewChild()
		ctx.Variables = h.context().Variables
	}
	v, diags := x.node.Value(ctx)
	for _, d := range diags {
		if nulls := nullText(x.nulls(ctx)); d.Severity == hcl.DiagError && nulls != "" {
			d.Detail += " That is because" + nulls[1:] + "."
			break
		}
	}
	return settled(v, x.typ.Type), diags
}

// reasons say why a value is not known.
func (c *Console) reasons(x *expr, h *hostScope) []string {
	var out []string
	for _, p := range x.refs.plays {
		if v := c.played[p]; !v.hosts.IsKnown() {
			out = append(out, fmt.Sprintf("play.%s: %s", p.Name, c.gaps[p.Name]))
		}
	}
	for _, e := range x.refs.entries {
		switch r := h.results[e.slot]; {
		case r.planned:
			out = append(out, fmt.Sprintf("%s.%s: on %s it was planned, and not executed", e.Kind, e.Name, h.name))
		case !r.set && c.gaps[e.play.Name] != "":
			out = append(out, fmt.Sprintf("%s.%s: %s", e.Kind, e.Name, c.gaps[e.play.Name]))
		case !r.set:
			out = append(out, fmt.Sprintf("%s.%s: the record has no result of it on %s", e.Kind, e.Name, h.name))
		}
	}
	if !c.run.IsWhollyKnown() && slices.ContainsFunc(x.node.Variables(), func(t hcl.Traversal) bool { return t.RootName() == "run" }) {
		out = append(out, "run.id: it is known in a run that acts")
	}
	for _, name := range c.brokenIn(x.node) {
		out = append(out, fmt.Sprintf("local.%s: %v", name, c.broken[name]))
	}
	if len(out) == 0 {
		out = append(out, "neither the record nor the inventory holds it")
	}
	return out
}

// brokenIn are the locals that could not be evaluated and that an expression names, also through others.
func (c *Console) brokenIn(e hclsyntax.Expression) []string {
	found := map[string]bool{}
	var visit func(hclsyntax.Expression)
	visit = func(e hclsyntax.Expression) {
		for _, t := range e.Variables() {
			name, _, named := second(t)
			if t.RootName() != "local" || !named || c.loader.known[name] == nil {
				continue
			}
			if c.broken[name] != nil {
				found[name] = true
			} else {
				visit(c.loader.known[name].expr.node)
			}
		}
	}
	visit(e)
	return slices.Sorted(maps.Keys(found))
}
