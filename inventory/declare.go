package inventory

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// decl is a host or a group as it is written, or a host as a source found it.
type decl struct {
	kind, name string // kind is "host" or "group"
	source     string // name of the source that found the host; "" when it is written
	place      hcl.Range
	groups     []member // of which a host is a member; the parents of a group
	address    address
	attrs      map[string]attr
	connection *hclsyntax.Block
	sudo       *hclsyntax.Block
}

// address is where a host is, empty when nothing is said, and the declaration that says so.
type address struct {
	text  string
	place hcl.Range
	by    *decl
}

// member is the name of a group, and the declaration that says so.
type member struct {
	group string
	place hcl.Range
	by    *decl
}

// attr is the value of an attribute, null when it says that there is none, and the declaration that gives it.
type attr struct {
	value cty.Value
	place hcl.Range
	by    *decl
}

func (d *decl) String() string { return fmt.Sprintf("%s %q", d.kind, d.name) }

// line is a place without its column, as in "hosts.hcl:12".
func line(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

func (m *Model) declareAll(body *hclsyntax.Body) {
	for name, a := range body.Attributes {
		m.fail(a.NameRange, "Unexpected argument", fmt.Sprintf("%q stands outside of every block. An inventory is made of host, group and source blocks.", name))
	}
	for _, b := range body.Blocks {
		switch b.Type {
		case "host":
			m.declare(b, m.hosts)
		case "group":
			m.declare(b, m.groups)
		case "source":
			m.declareSource(b)
		default:
			m.fail(b.TypeRange, "Unknown block", fmt.Sprintf("%q is no block of an inventory.%s An inventory is made of host, group and source blocks.", b.Type, decode.Suggest(b.Type, []string{"host", "group", "source"})))
		}
	}
}

func (m *Model) declare(b *hclsyntax.Block, into map[string]*decl) {
	if !m.labels(b, 1, "the name of the "+b.Type) {
		return
	}
	d := &decl{kind: b.Type, name: b.Labels[0], place: b.DefRange(), attrs: make(map[string]attr, len(b.Body.Attributes))}
	if problem := badName(d.kind, d.name); problem != "" {
		m.fail(b.LabelRanges[0], "Name not allowed", problem)
		return
	}
	if first := into[d.name]; first != nil {
		m.fail(d.place, "Declared twice", fmt.Sprintf("The %s is declared at %s, too.", d, line(first.place)))
		return
	}
	into[d.name] = d
	for _, a := range b.Body.Attributes {
		m.argument(d, a)
	}
	for _, inner := range b.Body.Blocks {
		m.inner(d, inner)
	}
}

func (m *Model) labels(b *hclsyntax.Block, n int, what string) bool {
	if len(b.Labels) == n {
		return true
	}
	m.fail(b.DefRange(), "Wrong number of labels", fmt.Sprintf("A %s block has %s in quotes before its brace, and nothing else.", b.Type, what))
	return false
}

func badName(kind, name string) string {
	switch {
	case kind == "host" && name == engine.Localhost:
		return "localhost is built in: the machine on which dsplay runs. Another name, with a local connection, can have attributes."
	case kind == "host" && (name == "" || name != strings.TrimSpace(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })):
		return "The name of a host is not empty, has no space around it and no control character in it."
	case kind == "group" && !hclsyntax.ValidIdentifier(name):
		return "The name of a group is a letter and then letters, digits, _ and -, because expressions name it as group.NAME."
	}
	return ""
}

// argument reads address, groups or an attribute.
func (m *Model) argument(d *decl, a *hclsyntax.Attribute) {
	switch {
	case a.Name == "groups":
		d.groups = m.members(d, a)
		return
	case a.Name == "address" && d.kind == "host":
		d.address = address{m.text(a), a.SrcRange, d}
		return
	case ansible(a.Name) != "":
		m.fail(a.NameRange, "A word of Ansible", fmt.Sprintf("%q does nothing here. %s", a.Name, ansible(a.Name)))
		return
	case slices.Contains(engine.Reserved, a.Name):
		m.fail(a.NameRange, "Reserved name", reserved(d, a.Name))
		return
	}
	v, diags := a.Expr.Value(m.ctx)
	m.report(diags)
	switch {
	case diags.HasErrors():
	case v.ContainsMarked():
		m.fail(a.Expr.Range(), "A secret cannot be used here", fmt.Sprintf("The attribute %q would be shown in plans and on command lines. Secrets belong in connection and sudo blocks, or in a variable of the playbook.", a.Name))
	default:
		d.attrs[a.Name] = attr{v, a.SrcRange, d}
	}
}

func reserved(d *decl, name string) string {
	switch {
	case name == "connection":
		return `The name connection is reserved for a block: connection "ssh" { … }.`
	case name == "address" && d.kind == "group":
		return "An address belongs to a host, not to a group."
	case name == "name":
		return fmt.Sprintf("The name of a %s is its label; no attribute can have this name.", d.kind)
	}
	return fmt.Sprintf("No attribute can be named %q: expressions use this name for something else.", name)
}

func (m *Model) text(a *hclsyntax.Attribute) string {
	v, diags := a.Expr.Value(m.ctx)
	m.report(diags)
	if diags.HasErrors() {
		return ""
	}
	v, err := convert.Convert(v, cty.String)
	if err != nil || v.IsMarked() || v.IsNull() || !v.IsKnown() || v.AsString() == "" {
		m.fail(a.Expr.Range(), "Wrong value", fmt.Sprintf("%q must be a text that is not empty and no secret.", a.Name))
		return ""
	}
	return v.AsString()
}

// inner reads a connection or sudo block of a host or group.
func (m *Model) inner(d *decl, b *hclsyntax.Block) {
	field, labels, what := &d.sudo, 0, "no label"
	switch b.Type {
	case "sudo":
	case "connection":
		field, labels, what = &d.connection, 1, "its type"
	default:
		m.fail(b.TypeRange, "Unknown block", fmt.Sprintf("A %s has connection and sudo blocks; %q is none.%s", d.kind, b.Type, decode.Suggest(b.Type, []string{"connection", "sudo"})))
		return
	}
	switch {
	case !m.labels(b, labels, what):
	case *field != nil:
		m.fail(b.DefRange(), "Block given twice", fmt.Sprintf("The %s has a %s block at %s already.", d, b.Type, line((*field).DefRange())))
	case b.Type == "connection" && m.opts.Transports[b.Labels[0]] == nil:
		m.fail(b.LabelRanges[0], "Unknown type of connection", m.unknownType(b.Labels[0]))
	default:
		*field = b
	}
}

func (m *Model) unknownType(name string) string {
	types := sortedKeys(m.opts.Transports)
	return fmt.Sprintf("There is no connection %q.%s Known are %s.", name, decode.Suggest(name, types), strings.Join(types, ", "))
}
