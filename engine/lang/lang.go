// Package lang knows the language of playbooks: it loads them, finding every mistake before anything is contacted,
// and evaluates their expressions. What it promises is in docs/language.md.
package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/hoist"
)

// Options are what a playbook is loaded with.
type Options struct {
	Modules []engine.Module // the catalogue
	// Inventory is what attributes, groups and host names are checked against; nil: they are not checked.
	Inventory *engine.Inventory
	// Declared are names of attributes that hosts are known to have without an Inventory: those that sources give, those of
	// inventories that may be the one. A name that is like one of them is warned of; all others are Assumed.
	Declared []string
	// MoreHosts says that sources will add hosts to the inventory, so that a name that is not in it is no mistake yet.
	MoreHosts bool
	Vars      map[string]Var
	Secrets   *engine.Secrets // where secrets that are read are registered; nil: nowhere
	// Unread keeps secrets from being read: it is told what they are read from. The program is then good for judging it only. nil: they are read.
	Unread func(source string)
	// Files are all files that may be read, by the paths that Program.Files gave: a plan is applied from them. Secrets are
	// still read from where they are. nil: files are read from the disk.
	Files []engine.File
}

// Var is a value for a variable as somebody gave it.
type Var struct {
	Value string // a text, a number, true or false; an expression for lists, maps and objects
	// Typed takes the place of Value when it is not NilVal: it was written in a file, where it has a type.
	Typed  cty.Value
	Origin string // for messages: "--var name", "environment variable DSPLAY_VAR_name"
	// Ambient values may be meant for another playbook: that this one declares no such variable is no mistake.
	Ambient bool
}

// Load reads a playbook. With an error among the problems there is no program; warnings come beside one.
func Load(path string, opts Options) (*Program, engine.Problems) {
	l := newLoader(path, opts)
	l.load()
	problems := l.problems()
	if problems.Err() != nil {
		return nil, problems
	}
	return l.Program, problems
}

// Program is a loaded playbook. It can be evaluated any number of times, also at once.
type Program struct {
	playbook  *engine.Playbook
	files     map[string]*hcl.File
	functions map[string]function.Function
	vars      cty.Value
	rewriter  hoist.Rewriter
	reads     *snapshot
	gave      map[string]string // origins of the variables' values
	secrets   []cty.Value       // sources that stand in calls of secret() and are known at load

	locals  map[*engine.Locals][]*local
	checks  map[*engine.Check]*check
	plays   map[*engine.Play]*play
	entries map[*engine.Entry]*entry

	// shape says which attributes of hosts are carried along.
	shape shape
	// unchecked are the places where something is read that may not be there: loading promises nothing of them.
	unchecked map[hcl.Range]bool
	// assumed is what could not be checked without an inventory.
	assumed Assumed
	// namesHost tells whether host["x"] is used anywhere, so that every host has to be at hand.
	namesHost bool
}

// Playbook implements engine.Program.
func (p *Program) Playbook() *engine.Playbook { return p.playbook }

// Files are the files that were read until now, to load the playbook and to evaluate it, the playbook first. Files of
// secrets are not among them.
func (p *Program) Files() []engine.File { return p.reads.all() }

// ReadSecrets reads the secrets that the playbook names, as far as their sources are known at load and can be read, so that they
// are hidden in whatever a host says before an entry needs them. One that cannot be read is a mistake where it is needed.
// A source that is made of what hosts say is not known before.
func (p *Program) ReadSecrets() {
	for _, source := range p.secrets {
		_, _ = p.functions["secret"].Call([]cty.Value{source})
	}
}

// Input is a variable with the value that it has in this program.
type Input struct {
	Name   string
	Value  cty.Value // of the variable's type; marked when there is a secret in it
	Origin string    // DefaultOrigin, or that of the Var
}

// DefaultOrigin is the origin of a value that nobody gave.
const DefaultOrigin = "its default"

// Inputs are the variables, sorted by name.
func (p *Program) Inputs() []Input {
	out := []Input{}
	values := p.vars.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, Input{Name: name, Value: values[name], Origin: p.gave[name]})
	}
	return out
}

// Vars are the variables and their values as they may be shown, sorted by name.
func (p *Program) Vars() []engine.Arg {
	var out []engine.Arg
	values := p.vars.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, engine.Arg{Name: name, Value: decode.Show(values[name])})
	}
	return out
}
