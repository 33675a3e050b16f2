// Package scenario knows the language of playbook tests: it reads *.test.hcl, finding every mistake that can be found
// before a test runs, and answers in the place of probes and steps. What it promises is in docs/testing.md.
package scenario

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// Suffix is how the names of test files end.
const Suffix = ".test.hcl"

// File is a file of tests.
type File struct {
	Path  string
	Tests []*Test

	source    engine.File
	files     map[string]*hcl.File // for the source lines of problems
	modules   map[string]*engine.Module
	functions map[string]function.Function
	shared    level
	locals    []*local // in the order of the file
	diags     hcl.Diagnostics
}

// level is what the file says for all of its tests, and each of them for itself.
type level struct {
	playbook    string
	inventory   string // a path
	policy      string // a path
	now         time.Time
	hosts       []*hclsyntax.Body
	variables   map[string]lang.Var
	states      []string // the names in state
	stateExpr   hclsyntax.Expression
	unreachable hclsyntax.Expression
	mocks       []*Mock
}

// Test is one scenario and what is expected of it.
type Test struct {
	Name  string
	Range engine.Range

	file   *File
	own    level
	expect *hclsyntax.Block
}

// Load reads a file of tests. With an error among the problems there is no file.
func Load(path string, modules []engine.Module) (*File, engine.Problems) {
	f := &File{Path: path, files: map[string]*hcl.File{}, modules: map[string]*engine.Module{},
		functions: decode.Functions(decode.FunctionOptions{Dir: filepath.Dir(path)})}
	for i := range modules {
		f.modules[modules[i].Name] = &modules[i]
	}
	if body := f.parse(path); body != nil {
		f.read(body)
	}
	problems := f.problems()
	if problems.Err() != nil {
		return nil, problems
	}
	return f, problems
}

// Mocks are those that hold for every test of the file.
func (f *File) Mocks() []*Mock { return f.shared.mocks }

// Shared are the mocks of the file.
func (t *Test) Shared() []*Mock { return t.file.shared.mocks }

// Playbook is the path of the playbook under test: as the test or the file says, or named like the file.
func (t *Test) Playbook() string {
	if said := cmp.Or(t.own.playbook, t.file.shared.playbook); said != "" {
		return t.file.beside(said)
	}
	return strings.TrimSuffix(t.file.Path, Suffix) + ".hcl"
}

// Policy is the path of the policies that decide in the place of a person; "": nobody has to be asked.
func (t *Test) Policy() string {
	if said := cmp.Or(t.own.policy, t.file.shared.policy); said != "" {
		return t.file.beside(said)
	}
	return ""
}

// Now is when the test begins; zero: it does not say.
func (t *Test) Now() time.Time {
	if !t.own.now.IsZero() {
		return t.own.now
	}
	return t.file.shared.now
}

// Variables are the values for the playbook's variables: the file's, and over them the test's.
func (t *Test) Variables() map[string]lang.Var {
	vars := map[string]lang.Var{}
	for _, l := range []level{t.file.shared, t.own} {
		for name, v := range l.variables {
			vars[name] = v
		}
	}
	return vars
}

// Inventory is the path of the inventory, or, where that is empty, the bodies that declare it: the file's and the test's.
func (t *Test) Inventory() (path string, bodies []*hclsyntax.Body) {
	switch {
	case t.own.inventory != "":
		return t.file.beside(t.own.inventory), nil
	case t.file.shared.inventory != "":
		return t.file.beside(t.file.shared.inventory), nil
	}
	return "", slices.Concat(t.file.shared.hosts, t.own.hosts)
}

// Source is the file in which the test stands.
func (t *Test) Source() engine.File { return t.file.source }

// Mocks are those of the test itself.
func (t *Test) Mocks() []*Mock { return t.own.mocks }

// beside is a path relative to the folder of the file.
func (f *File) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.Path), path)
}

// states are the names that mocks may read and set.
func (t *Test) states() []string {
	return slices.Concat(t.file.shared.states, t.own.states)
}

func (f *File) problems() engine.Problems {
	problems := decode.Problems(f.diags, f.files)
	f.diags = nil
	slices.SortStableFunc(problems, func(a, b engine.Problem) int {
		return cmp.Or(cmp.Compare(a.Range.Line, b.Range.Line), cmp.Compare(a.Range.Col, b.Range.Col))
	})
	return problems
}

// static is where expressions are evaluated before a test runs: what they will name is not known yet.
func (f *File) static(names map[string]cty.Value) *hcl.EvalContext {
	return &hcl.EvalContext{Functions: f.functions, Variables: names}
}
