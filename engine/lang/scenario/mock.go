package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// Mock answers in the place of the probes, or the steps, of one module: of all of them, or of one entry.
type Mock struct {
	Kind   engine.EntryKind
	Module *engine.Module
	Entry  string // name or address of an entry, or of one item of it: NAME[KEY]; "": every one of the kind and module
	Range  engine.Range

	attrs   map[string]*hclsyntax.Attribute
	promise promise
}

func (m *Mock) String() string {
	text := fmt.Sprintf("mock %q %q", m.Kind, m.Module.Name)
	if m.Entry != "" {
		text += fmt.Sprintf(" %q", m.Entry)
	}
	return text
}

// Gives tells whether the argument of this name is written.
func (m *Mock) Gives(name string) bool { return m.attrs[name] != nil }

// How closely a mock names what it answers for.
const (
	another = iota // it does not answer for it
	general        // it answers for all of its kind and module
	entry          // it names the entry
	item           // it names the item of for_each, too
)

// fits tells whether, and how closely, m answers for e, or for the item of it with this key.
func (m *Mock) fits(e *engine.Entry, key string) int {
	names := func(suffix string) bool { return m.Entry == e.Name+suffix || m.Entry == e.Address+suffix }
	switch {
	case m.Kind != e.Kind || m.Module.Name != e.Module.Name:
		return another
	case key != "" && names("["+key+"]"):
		return item
	case names(""):
		return entry
	case m.Entry == "":
		return general
	}
	return another
}

// mocks reads the mock blocks of a file or a test.
func (f *File) mocks(body *hclsyntax.Body, states []string) []*Mock {
	var out []*Mock
	for _, b := range body.Blocks {
		if b.Type != "mock" {
			continue
		}
		m := f.mock(b, states)
		if m == nil {
			continue
		}
		if i := slices.IndexFunc(out, func(o *Mock) bool { return o.String() == m.String() }); i >= 0 {
			f.fail(b.DefRange(), "Mocked twice", "The same is mocked at line %d; one of the two would never be asked.", out[i].Range.Line)
		}
		out = append(out, m)
	}
	return out
}

func (f *File) mock(b *hclsyntax.Block, states []string) *Mock {
	if len(b.Labels) < 2 || len(b.Labels) > 3 {
		f.fail(b.DefRange(), "Wrong number of labels", `A mock names kind and module, and may name one entry: mock "probe" "service", mock "step" "service" "ds_agent".`)
		return nil
	}
	m := &Mock{Kind: engine.EntryKind(b.Labels[0]), Module: f.modules[b.Labels[1]], Range: decode.Range(b.DefRange()), attrs: b.Body.Attributes}
	if len(b.Labels) == 3 {
		m.Entry = b.Labels[2]
	}
	allowed := probeAttrs
	switch {
	case m.Kind == engine.EntryStep:
		allowed = stepAttrs
	case m.Kind != engine.EntryProbe:
		f.fail(b.LabelRanges[0], "Nothing to mock", "A mock is of a \"probe\" or of a \"step\", not of a %q.", b.Labels[0])
		return nil
	}
	if m.Module == nil {
		f.fail(b.LabelRanges[1], "Unknown module", "There is no module %q.%s", b.Labels[1], decode.Suggest(b.Labels[1], slices.Sorted(maps.Keys(f.modules))))
		return nil
	}
	if !serves(m.Module, m.Kind) {
		f.fail(b.LabelRanges[0], "Nothing to mock", "The module %q serves no %s.", m.Module.Name, m.Kind)
		return nil
	}
	m.promise = promiseOf(m.Module)
	f.form(b.Body, fmt.Sprintf("a mock of a %s", m.Kind), allowed, nil)
	f.checkMock(m, b, states)
	return m
}

func serves(m *engine.Module, kind engine.EntryKind) bool {
	_, probes := m.New().(engine.Prober)
	_, steps := m.New().(engine.Applier)
	return kind == engine.EntryProbe && probes || kind == engine.EntryStep && steps
}

// checkMock finds what is wrong whatever the host: misspelt results and arguments, values of a wrong type.
func (f *File) checkMock(m *Mock, b *hclsyntax.Block, states []string) {
	if m.Kind == engine.EntryProbe && m.attrs["result"] == nil && m.attrs["error"] == nil {
		f.fail(b.DefRange(), "No answer", "A mock of a probe gives a result, an error, or one of them:\n%s", Template(m.Kind, m.Module, m.Entry))
	}
	names := unknowns(states, namesOf(f.locals), cty.UnknownVal(engine.TypeOf(m.Module.New())))
	for _, a := range inOrder(m.attrs) {
		if a.Name == "set" {
			for _, name := range f.keys(a.Expr, names, "set") {
				if !slices.Contains(states, name) {
					f.fail(a.Expr.Range(), "Unknown state", "There is no state %q to be set; declare it with state = { … }.%s", name, decode.Suggest(name, states))
				}
			}
			continue
		}
		v, ok := f.value(a.Expr, names)
		if !ok {
			continue
		}
		if err := misfit(a.Name, v, m); err != nil {
			f.fail(a.Expr.Range(), "It does not fit", "%s.", err)
		}
	}
}

// Template is what to write for an entry that is not mocked: every result with its type.
func Template(kind engine.EntryKind, m *engine.Module, entry string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "mock %q %q", kind, m.Name)
	if entry != "" {
		fmt.Fprintf(&b, " %q", entry)
	}
	if kind == engine.EntryStep {
		b.WriteString(` {}       # or: set = { what it changes in state }, status = "unchanged", error = "…"`)
		return b.String()
	}
	b.WriteString(" {\n  result = {\n")
	for _, f := range engine.Fields(m.Result) {
		optional := ""
		if f.Optional {
			optional = ", may be left out"
		}
		fmt.Fprintf(&b, "    %s = …   # %s%s: %s\n", f.Name, f.Type.FriendlyNameForConstraint(), optional, f.Doc)
	}
	b.WriteString("  }\n}")
	return b.String()
}
