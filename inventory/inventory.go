// Package inventory knows who there is: hosts, groups, their attributes and how to reach them, from HCL files
// and from sources that are asked when a run begins.
package inventory

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// All is the group that contains every host but localhost, and that every other group is in.
const All = "all"

// Options are what an inventory is read with.
type Options struct {
	Transports map[string]engine.Transport // types of connection blocks
	Sources    map[string]Source           // kinds of source blocks
	Secrets    *engine.Secrets             // where secret() registers what it reads; nil: nowhere
	// Unread keeps secrets from being read: it is told what they are read from. The model is then good for judging it only. nil: they are read.
	Unread func(source string)
}

// Model is an inventory as it is written, and, after Resolve, with what its sources found.
// It is not safe for use by several goroutines.
type Model struct {
	opts    Options
	ctx     *hcl.EvalContext
	files   map[string]*hcl.File
	read    []engine.File
	hosts   map[string]*decl
	groups  map[string]*decl
	sources []*source

	lines   map[string]*lineage          // by the sorted names of a host's groups
	values  map[hcl.Expression]evaluated // each expression of a block is evaluated once
	types   map[string]cty.Type          // the union of all attributes
	settled map[layers]any               // decoded settings, shared by the hosts that have the same layers
	current map[string]*decl             // hosts, since Resolve with those found
	written *engine.Inventory
	diags   hcl.Diagnostics
	seen    map[complaint]bool
}

// Load reads an inventory from a file, or from the *.hcl files of a folder (not of the folders in it).
// Nothing is contacted. The model is nil when a problem is an error.
func Load(path string, opts Options) (*Model, engine.Problems) {
	m := newModel(opts)
	bodies, err := m.readAll(path)
	if err != nil {
		return nil, engine.Problems{{Summary: "Inventory not readable", Detail: err.Error(), Range: engine.Range{File: path}}}
	}
	if m.diags.HasErrors() { // what a file with a syntax error declares is guesswork
		return nil, m.problems()
	}
	return m.complete(bodies)
}

// Of makes an inventory of bodies that stand inside of other files, as in a test of a playbook. Paths in them are relative to dir.
func Of(bodies []*hclsyntax.Body, files []engine.File, dir string, opts Options) (*Model, engine.Problems) {
	m := newModel(opts)
	m.within(dir)
	m.read = files
	for _, f := range files {
		m.files[f.Path] = &hcl.File{Bytes: f.Data}
	}
	return m.complete(bodies)
}

func newModel(opts Options) *Model {
	return &Model{
		opts: opts, files: map[string]*hcl.File{}, hosts: map[string]*decl{}, groups: map[string]*decl{},
		lines: map[string]*lineage{}, values: map[hcl.Expression]evaluated{}, seen: map[complaint]bool{}, settled: map[layers]any{},
	}
}

// complete makes the model of what bodies declare.
func (m *Model) complete(bodies []*hclsyntax.Body) (*Model, engine.Problems) {
	for _, body := range bodies {
		m.declareAll(body)
	}
	m.current = m.hosts
	m.linkGroups()
	m.checkBlocks()
	m.checkSources()
	m.unifyAttributes()
	m.written = m.build(m.hosts)
	problems := m.problems()
	if problems.Err() != nil {
		return nil, problems
	}
	return m, problems
}

// Inventory is what the files say, with the attributes that sources will add in Attrs, but without their hosts.
// Hosts for which the same blocks speak share their Connection.Settings. Where there are sources, the settings of a host
// that no source asks may still lack what the groups of a source will say.
func (m *Model) Inventory() *engine.Inventory { return m.written }

// HasSources tells whether Resolve may find more hosts than the files say.
func (m *Model) HasSources() bool { return len(m.sources) > 0 }

// Files is what was read, in order.
func (m *Model) Files() []engine.File { return m.read }

// complaint tells one problem from another.
type complaint struct {
	where           hcl.Range
	summary, detail string
}

// report keeps each problem once, whatever the number of hosts that have it.
func (m *Model) report(diags hcl.Diagnostics) {
	for _, d := range diags {
		c := complaint{summary: d.Summary, detail: d.Detail}
		if d.Subject != nil {
			c.where = *d.Subject
		}
		if !m.seen[c] {
			m.seen[c] = true
			m.diags = append(m.diags, d)
		}
	}
}

func (m *Model) fail(where hcl.Range, summary, detail string) {
	m.report(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &where}})
}

// problems hands over what was found since it was last called, in the order of files and lines.
func (m *Model) problems() engine.Problems {
	problems := decode.Problems(m.diags, m.files)
	m.diags = nil
	slices.SortStableFunc(problems, func(a, b engine.Problem) int {
		return cmp.Or(cmp.Compare(a.Range.File, b.Range.File), cmp.Compare(a.Range.Line, b.Range.Line), cmp.Compare(a.Range.Col, b.Range.Col))
	})
	return problems
}

type evaluated struct {
	value cty.Value
	diags hcl.Diagnostics
}

// eval evaluates an expression of a connection, sudo or source block, once.
func (m *Model) eval(e hcl.Expression) (cty.Value, hcl.Diagnostics) {
	if known, ok := m.values[e]; ok {
		return known.value, known.diags
	}
	v, diags := e.Value(m.ctx)
	if m.opts.Unread != nil {
		v = standIn(v)
	}
	m.values[e] = evaluated{v, diags}
	return v, diags
}

// standIn takes the place of a secret that was not read, so that settings are not judged to lack it.
func standIn(v cty.Value) cty.Value {
	if plain, marks := v.Unmark(); len(marks) > 0 && !plain.IsKnown() {
		return cty.StringVal("not read").WithMarks(marks)
	}
	return v
}
