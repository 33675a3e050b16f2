package engine

import (
	"iter"

	"github.com/zclconf/go-cty/cty"
)

// Playbook is a loaded playbook: every reference and type in it was checked.
type Playbook struct {
	Path                         string
	Description, Impact, Backout string
	Items                        []Item // in the order of the file
	Files                        []File // everything that was read to load it
}

// File is one file that a playbook was made of.
type File struct {
	Path string
	Data []byte
}

// Item is one thing at file level: exactly one field is set.
type Item struct {
	Locals *Locals
	Check  *Check
	Play   *Play
}

// Locals is one locals block, evaluated where it stands.
type Locals struct {
	Names []string
	Range Range
}

// Play is a list of entries for a set of hosts.
type Play struct {
	Name    string
	Title   string
	Range   Range
	Entries []*Entry
	// Acts tells whether a step is in it, so that --limit applies to it.
	Acts   bool
	Window *Window // when its hosts may be begun; nil: always
}

// EntryKind tells the entries of a play apart.
type EntryKind string

// The kinds of entries.
const (
	EntryProbe   EntryKind = "probe"
	EntryStep    EntryKind = "step"
	EntryRecover EntryKind = "recover"
	EntryCheck   EntryKind = "check"
	EntryBlock   EntryKind = "block"
	EntryInclude EntryKind = "include"
)

// Entry is one entry of a play, of a goal or of an attempt. What it evaluates is asked of the HostScope.
type Entry struct {
	Kind    EntryKind
	Name    string
	Address string  // unique in the playbook: "case_b/engines/restart the Mux/step.mux"
	Module  *Module // of a probe or a step
	Title   string
	Impact  string
	Range   Range

	When Expr // nil: always
	// ForEach is evaluated by HostScope.Each; nil: the entry is executed once.
	ForEach                 Expr
	WhenEach                bool // When names each: it is judged for each item, else once, before ForEach
	Until                   Expr // of its retry block; nil: none
	FailedWhen, ChangedWhen Expr // over result; nil: what the module says
	Sudo                    bool // it has a sudo block
	Recover                 *Recover
	Check                   *Check
	Block                   *Block
	Include                 *Include
	Tags                    []string
}

// Walk gives entries and everything inside of them, in the order of the playbook.
func Walk(entries []*Entry) iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) { walk(entries, yield) }
}

func walk(entries []*Entry, yield func(*Entry) bool) bool {
	for _, e := range entries {
		if !yield(e) {
			return false
		}
		for _, inner := range e.inside() {
			if !walk(inner, yield) {
				return false
			}
		}
	}
	return true
}

// inside are the lists of entries that an entry holds.
func (e *Entry) inside() [][]*Entry {
	var lists [][]*Entry
	if e.Recover != nil {
		lists = append(lists, e.Recover.Goal)
		for _, a := range e.Recover.Attempts {
			lists = append(lists, a.Entries)
		}
	}
	if e.Block != nil {
		lists = append(lists, e.Block.Entries, e.Block.Rescue, e.Block.Finally)
	}
	if e.Include != nil {
		lists = append(lists, e.Include.Entries)
	}
	return lists
}

// Block is entries that belong together. Rescue runs when one of them failed, which is then forgiven; Finally in any case.
type Block struct{ Entries, Rescue, Finally []*Entry }

// Include is the entries of an included file.
type Include struct{ Entries []*Entry }

// Recover is a goal, and attempts to reach it.
type Recover struct {
	Goal      []*Entry // probes
	Condition Expr
	Attempts  []*Attempt
}

// Attempt is one way to reach the goal.
type Attempt struct {
	Name    string
	When    Expr // nil: always
	Entries []*Entry
	Range   Range
}

// Check is a condition that must hold for the run (at file level) or for the host (in a play) to go on.
type Check struct {
	Name    string
	Warning bool // severity = "warning": it reports and the run goes on
	Range   Range
}

// Expr is an expression of a playbook.
type Expr interface {
	Range() Range
	Text() string // as it is written
}

// Program is a loaded playbook that can be evaluated, any number of times.
type Program interface {
	Playbook() *Playbook
	// Pass begins one evaluation, from the first item to the last, over an inventory.
	// runVars is the object behind "run."; unknown while planning.
	Pass(inv *Inventory, runVars cty.Value) Pass
}

// Pass is one evaluation of a playbook. Its methods are called in the order of the items, by one goroutine.
type Pass interface {
	// Locals evaluates a locals block; what it names may still be unknown.
	Locals(l *Locals) error
	// Check judges a check at file level.
	Check(c *Check) (Judged, error)
	// Play evaluates the arguments of a play. Unknown hosts are no error here: see Target.Waits.
	Play(p *Play) (Target, error)
	// Begin makes the scope of a play, shared by its hosts.
	Begin(p *Play) PlayScope
	// End makes play.NAME.hosts and play.NAME.missing known.
	End(p *Play, outcomes []Outcome)
}

// Judged is what a check says.
type Judged struct {
	OK      bool
	Unknown bool     // it depends on Waits, which have not run
	Waits   []string // addresses of entries
	Why     string   // the condition and the values in it
	Message string   // error_message, evaluated when the condition is false
}

// Target is for whom a play runs, and how.
type Target struct {
	Hosts       []string // sorted, each once; every one is in the inventory
	Waits       []string // not empty: hosts is unknown, it waits for these entries
	Batch       []Size   // empty: all at once
	Parallel    int      // 0: the run's
	MaxFailures *Size    // nil: unlimited
	AllowEmpty  bool
}

// Size is a number of hosts or a percentage of a play's hosts.
type Size struct {
	N       int
	Percent bool
}

// Of is the number of hosts out of total; percentages round up.
func (s Size) Of(total int) int {
	if !s.Percent {
		return s.N
	}
	return (total*s.N + 99) / 100
}

// Outcome is how a host left a play.
type Outcome struct {
	Host    string
	Status  HostStatus
	Err     error
	Pending bool // planning: a step of it has not run, so what the play leaves is unknown
}

// PlayScope is what the hosts of one play share.
type PlayScope interface {
	// Host makes the scope of one host; it is used by one goroutine at a time.
	Host(name string) HostScope
}

// HostScope evaluates for one host in one play.
type HostScope interface {
	// Eval gives a condition. extra binds "result" where it is not NilVal.
	Eval(e Expr, extra cty.Value) (Evaluated, error)
	// Judge gives a check in a play.
	Judge(c *Check) (Judged, error)
	// Each evaluates for_each: the items in the order of their keys. waits is not empty when it is unknown.
	// What Set is told before, on the entry as a whole, is replaced by the items.
	Each(e *Entry) (items []Each, waits []string, err error)
	// Args decodes the arguments into a fresh module. A BadArg of its Validate is an error with a place.
	Args(e *Entry) (Args, error)
	// Settings gives what the engine itself needs of an entry.
	Settings(e *Entry) (Settings, error)
	// Goal gives the polling of a recover.
	Goal(e *Entry) (Polling, error)
	// Enter evaluates the inputs of an include, whose entries are then evaluated in a name space of their own;
	// Leave makes its outputs known: include.NAME.
	Enter(e *Entry) error
	Leave(e *Entry) error
	// Set makes probe.NAME or step.NAME known from here on.
	Set(e *Entry, r Result)
}

// Each is one item of a for_each.
type Each struct {
	Key   string
	Scope HostScope // binds each; Set makes probe.NAME[Key] or step.NAME[Key] known
}

// Evaluated is a value and where it comes from.
type Evaluated struct {
	Value cty.Value // without marks; unknown when Waits is not empty
	Waits []string  // addresses of the entries that it names and that have no result
	Why   string    // the expression and the values in it: `probe.driver.running (false)`; secrets hidden
	Said  string    // what the playbook says to its being false (error_message of a goal); empty: nothing
}

// True tells whether the value is known and true.
func (e Evaluated) True() bool { return e.Value.IsKnown() && !e.Value.IsNull() && e.Value.True() }

// Known tells whether the value is wholly known.
func (e Evaluated) Known() bool { return e.Value.IsWhollyKnown() }

// Args are the arguments of an entry on one host.
type Args struct {
	Module  any      // the module's struct; nil when an executed argument is unknown
	Unknown []string // names of arguments that are unknown
	// ExecutedUnknown are those among them that must be known in a plan.
	ExecutedUnknown []string
	Waits           []string // entries that the unknown ones wait for
	Shown           []Arg    // for plans and events: as written by the author, secrets by name; sorted by name
}

// Arg is an argument as it may be shown.
type Arg struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
