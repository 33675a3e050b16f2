package lang

import (
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
)

// Console evaluates expressions that do not stand in a playbook but behind its end, where everything is known, in the scopes
// of a run. It is an engine.Pass: what a run left is told to it as a run tells it, before the first expression.
// It is for one goroutine.
type Console struct {
	*pass
	loader  *loader
	begun   map[*play]*playScope
	nowhere *play             // where a host without a play stands: it has a self, and nothing else
	broken  map[string]error  // locals that could not be evaluated
	gaps    map[string]string // why nothing is known of a play
	input   []byte            // everything that was typed
	lines   int
}

// At is where an expression of a console stands: the end of the playbook, with a host's self where one is chosen, and with
// its probes and steps where a play is chosen, too.
type At struct{ Play, Host string }

// lacks says what has to be chosen before a name can be used, or "".
func (a *At) lacks(root string) string {
	switch {
	case a.Host == "":
		return fmt.Sprintf("%s is of one host. Choose one: .host NAME, or --host NAME.", root)
	case a.Play == "" && root != "self":
		return fmt.Sprintf("%s is of one host in one play. Choose a play: .play NAME, or --play NAME.", root)
	}
	return ""
}

// Answer is what an expression gives.
type Answer struct {
	Text    string   // the value, or for type(…) the type, as an expression of the language
	Unknown []string // why it is not known, or not wholly
}

// LoadConsole loads a playbook for a console; path "" stands for one without anything in it. opts.Inventory must be set.
func LoadConsole(path string, opts Options) (*Console, engine.Problems) {
	l := newLoader(path, opts)
	l.whole = true
	l.load()
	problems := l.problems()
	if problems.Err() != nil {
		return nil, problems
	}
	return &Console{loader: l, begun: map[*play]*playScope{}, nowhere: &play{Play: &engine.Play{}}, broken: map[string]error{}}, problems
}

// keepAll keeps every attribute and result, also those that the playbook does not read.
func (l *loader) keepAll() {
	l.shape.all, l.namesHost = true, true
	for _, p := range l.plays {
		p.missingUsed = true
	}
}

// Start begins the pass. run is the id of a recorded run, "" for none. Hosts of the record that the inventory does not
// have are strangers: nothing is known of them but their names.
func (c *Console) Start(inv *engine.Inventory, run string, strangers []string) {
	vars := cty.NilVal
	if run != "" {
		vars = cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal(run)})
	}
	c.pass = c.loader.pass(inv, vars)
	for _, name := range strangers {
		attrs := map[string]cty.Value{}
		for attr, v := range c.hostAttrs("") {
			attrs[attr] = cty.UnknownVal(v.Type())
		}
		attrs["name"] = cty.StringVal(name)
		c.attrs[name] = attrs
	}
}

// Playbook is the playbook of the console.
func (c *Console) Playbook() *engine.Playbook { return c.loader.playbook }

// Vars are the playbook's variables.
func (c *Console) Vars() []engine.Arg { return c.loader.Vars() }

// Explain says why nothing is known of plays, by their names.
func (c *Console) Explain(gaps map[string]string) { c.gaps = gaps }

// Locals implements engine.Pass. What cannot be evaluated is unknown from then on; the others are evaluated all the same.
func (c *Console) Locals(l *engine.Locals) error {
	var errs []error
	for _, x := range c.Program.locals[l] {
		if err := c.local(x); err != nil {
			c.broken[x.name], c.locals[x.name] = err, cty.UnknownVal(x.typ)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Begin implements engine.Pass. Unlike a run's, the scope is kept when the play has ended.
func (c *Console) Begin(p *engine.Play) engine.PlayScope {
	x := c.plays[p]
	c.begun[x] = c.scope(x)
	return c.begun[x]
}
