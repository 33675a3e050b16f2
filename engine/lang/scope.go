package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dsplay/dsplay/engine/lang/infer"
)

// place is where an expression stands, which decides what it may name.
type place struct {
	what     string      // for messages
	play     *play       // self, probe and step may be named; nil: not
	entry    *entry      // whose argument it is; nil: of none
	attempt  *attempt    // in which it stands; nil: in none
	before   *entry      // the recover whose goal has not been looked at yet; nil: none
	result   cty.Type    // of "result"; NilType: it may not be named
	each     *infer.Type // of "each"; nil: it may not be named
	onlyVars bool        // it is evaluated while loading
	nothing  bool        // so early that not even variables are known
	guards   []*expr     // conditions under which it is evaluated
	console  *At         // it stands in a console, where this was chosen; nil: in the playbook
}

// scope implements infer.Scope, and notes what is named.
type scope struct {
	*loader
	place
	refs *refs
}

// roots are the names with which a reference can begin.
var roots = []string{"var", "local", "self", "host", "group", "probe", "step", "block", "include", "play", "each", "input", "result", "run"}

// strangers are what Ansible and Terraform call things.
var strangers = map[string]string{
	"inventory_hostname": "Write self.name.", "hostvars": `Write host["NAME"].`, "groups": "Write group.NAME.", "vars": "Write var.NAME.",
	"ansible_facts": "Write a probe, and read it as probe.NAME.", "item": "Write each.value, in an entry with for_each.", "data": "Write probe.NAME.",
	"locals": "Write local.NAME.", "hosts": "Write play.NAME.hosts or group.NAME.", "path": "Paths are relative to the playbook.", "inventory": `Write host["NAME"] or group.NAME.`,
}

func (s *scope) Reserved(name string) bool { return slices.Contains(roots, name) }

func (s *scope) Functions() map[string]function.Function { return s.functions }

func (s *scope) Observe(t cty.Type) { s.shape.observe(t) }

func (s *scope) Unchecked(where hcl.Range) { s.unchecked[where] = true }

func (s *scope) NoAttribute(t cty.Type, name string) (string, bool, bool) {
	return s.shape.explain(t, name)
}

// Constant implements infer.Scope: only variables and functions are known at load, and secrets are not read then.
func (s *scope) Constant(e hclsyntax.Expression) (cty.Value, hcl.Diagnostics, bool) {
	for _, t := range e.Variables() {
		if t.RootName() != "var" {
			return cty.NilVal, nil, false
		}
	}
	if secretCall(e) {
		return cty.NilVal, nil, false
	}
	v, diags := e.Value(s.constants)
	if !diags.HasErrors() && !v.IsWhollyKnown() {
		return cty.NilVal, nil, false
	}
	return v, diags, true
}

func problem(where hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &where}
}

// second is the name after the root: "x" in var.x and in host["x"]; false: there is none, the root stands alone.
func second(t hcl.Traversal) (string, hcl.Range, bool) {
	if len(t) < 2 {
		return "", hcl.Range{}, false
	}
	switch s := t[1].(type) {
	case hcl.TraverseAttr:
		return s.Name, s.SrcRange, true
	case hcl.TraverseIndex:
		if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull() {
			return s.Key.AsString(), s.SrcRange, true
		}
	}
	return "", t[1].SourceRange(), false
}

// Name implements infer.Scope.
func (s *scope) Name(t hcl.Traversal) (infer.Type, int, *hcl.Diagnostic) {
	root, where := t.RootName(), t[0].SourceRange()
	if s.onlyVars && root != "var" && slices.Contains(roots, root) {
		return infer.Dynamic, 0, problem(where, "Not known yet", "%q is evaluated when the playbook is loaded: it can name var only.", s.what)
	}
	if s.nothing && slices.Contains(roots, root) {
		return infer.Dynamic, 0, problem(where, "Not known yet", "%q cannot name anything: it is needed before the values of variables are known.", s.what)
	}
	name, at, named := second(t)
	if s.inPart(root) {
		return s.ofPart(root, name, at, where, named)
	}
	switch root {
	case "var":
		return s.variable(name, at, named)
	case "local":
		return s.local(name, at, named)
	case "group":
		return s.group(name, at, named)
	case "host":
		return s.host(name, at, named)
	case "play":
		return s.ofPlay(t, name, at, named)
	case "run":
		s.refs.run = true
		return infer.Of(cty.Object(map[string]cty.Type{"id": cty.String})), 1, nil
	case "self", "probe", "step", "block", "include":
		return s.ofHost(t, root, name, at, named)
	case "result":
		if s.result == cty.NilType {
			return infer.Dynamic, 0, problem(where, "No result here", "result is the entry's own result; it can be named in failed_when, changed_when and retry.until only.")
		}
		return infer.Of(s.result), 1, nil
	case "each":
		if s.each == nil {
			return infer.Dynamic, 0, problem(where, "No item here", "each is the item of a for_each: it can be named in the other arguments of an entry that has one.")
		}
		return *s.each, 1, nil
	}
	more := strangers[root]
	if more == "" {
		more = "A text stands in quotes."
		if near := infer.Suggest(root, roots); near != "" {
			more = strings.TrimSpace(near)
		}
	}
	return infer.Dynamic, 0, problem(where, "Unknown name", "There is no %q here. %s", root, more)
}

func (s *scope) variable(name string, at hcl.Range, named bool) (infer.Type, int, *hcl.Diagnostic) {
	if !named {
		attrs := map[string]infer.Type{}
		for name, v := range s.variables {
			v.used = true
			attrs[name] = v.infer()
		}
		return infer.Object(attrs), 1, nil
	}
	v := s.variables[name]
	if v == nil {
		return infer.Dynamic, 0, problem(at, "Unknown variable", "No variable %q is declared.%s", name, infer.Suggest(name, slices.Sorted(maps.Keys(s.variables))))
	}
	v.used = true
	return v.infer(), 2, nil
}

func (s *scope) local(name string, at hcl.Range, named bool) (infer.Type, int, *hcl.Diagnostic) {
	if !named {
		attrs := map[string]infer.Type{}
		for name, l := range s.known {
			attrs[name] = l.expr.typ
			s.adopt(l)
		}
		return infer.Object(attrs), 1, nil
	}
	if l := s.known[name]; l != nil {
		s.adopt(l)
		return l.expr.typ, 2, nil
	}
	if r, ok := s.later["local."+name]; ok {
		return infer.Dynamic, 0, problem(at, "It comes later", "local.%s stands at line %d. Values flow only backwards.", name, r.Start.Line)
	}
	return infer.Dynamic, 0, problem(at, "Unknown local", "No local %q is declared.%s", name, infer.Suggest(name, slices.Sorted(maps.Keys(s.known))))
}

func (s *scope) adopt(l *local) {
	s.refs.run = s.refs.run || l.expr.refs.run
	for _, p := range l.expr.refs.plays {
		s.refs.play(p)
	}
}
