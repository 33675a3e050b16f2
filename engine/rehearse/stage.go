package rehearse

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/scenario"
	"github.com/zclconf/go-cty/cty"
)

// stage is a playbook whose modules are the mocks of a scenario. Everything else (arguments, conditions, checks) is
// the playbook's own.
type stage struct {
	engine.Program
	world    *scenario.World
	problems engine.Problems
}

// Pass implements engine.Program.
func (s *stage) Pass(inv *engine.Inventory, runVars cty.Value) engine.Pass {
	return &stagedPass{s.Program.Pass(inv, runVars), s}
}

type stagedPass struct {
	engine.Pass
	stage *stage
}

func (p *stagedPass) Begin(play *engine.Play) engine.PlayScope {
	return &stagedPlay{p.Pass.Begin(play), p.stage, play}
}

type stagedPlay struct {
	engine.PlayScope
	stage *stage
	play  *engine.Play
}

func (p *stagedPlay) Host(name string) engine.HostScope {
	return &stagedHost{p.PlayScope.Host(name), p, name, ""}
}

type stagedHost struct {
	engine.HostScope
	*stagedPlay
	name string
	item string // key of for_each
}

// Each gives the items mocks, too.
func (h *stagedHost) Each(e *engine.Entry) ([]engine.Each, []string, error) {
	items, waits, err := h.HostScope.Each(e)
	for i, item := range items {
		items[i].Scope = &stagedHost{item.Scope, h.stagedPlay, h.name, item.Key}
	}
	return items, waits, err
}

// Args decodes the arguments as ever, and gives them to a mock instead of the module.
func (h *stagedHost) Args(e *engine.Entry) (engine.Args, error) {
	args, err := h.HostScope.Args(e)
	if err != nil || args.Module == nil {
		return args, err
	}
	settings, err := h.Settings(e)
	if err != nil {
		return args, err
	}
	values, err := shown(args.Module)
	if err != nil {
		return args, err
	}
	mocks := h.stage.world.Mocks(e, h.item)
	if len(mocks) == 0 {
		return args, h.stage.broken(h.unmocked(e))
	}
	a := answer{stage: h.stage, mocks: mocks, module: args.Module, call: scenario.Call{Entry: e.Name, Item: h.item, Self: h.name, On: settings.On, Args: values}}
	args.Module = a.as(e.Kind)
	return args, nil
}

// shown is the arguments as a mock sees them: secrets by name.
func shown(module any) (cty.Value, error) {
	v, err := engine.ValueOf(module)
	if err != nil {
		return v, err
	}
	return cty.Transform(v, func(_ cty.Path, x cty.Value) (cty.Value, error) {
		_, marks := x.Unmark()
		for mark := range marks {
			if secret, ok := mark.(engine.SecretMark); ok {
				return cty.StringVal("«secret: " + secret.Name + "»"), nil
			}
		}
		return x, nil
	})
}

func (h *stagedHost) unmocked(e *engine.Entry) engine.Problems {
	p := engine.Problem{Summary: "Not mocked", Range: e.Range, Detail: fmt.Sprintf("%s.%s of play %q is needed (for %s, first of all), and nothing answers for it. Write into the test or its file:\n%s",
		e.Kind, e.Name, h.play.Name, h.name, scenario.Template(e.Kind, e.Module, ""))}
	for _, f := range h.stage.Playbook().Files {
		lines := strings.Split(string(f.Data), "\n")
		if f.Path == e.Range.File && e.Range.Line <= len(lines) {
			p.Source = lines[e.Range.Line-1]
		}
	}
	return engine.Problems{p}
}

// broken remembers why the test cannot be judged, and gives the error with which the entry fails meanwhile.
func (s *stage) broken(err error) error {
	var problems engine.Problems
	if !errors.As(err, &problems) {
		problems = engine.Problems{{Summary: "The rehearsal failed", Detail: err.Error()}}
	}
	for _, p := range problems {
		if !slices.ContainsFunc(s.problems, func(q engine.Problem) bool { return q.Range == p.Range && q.Summary == p.Summary }) {
			s.problems = append(s.problems, p)
		}
	}
	return &engine.Error{Kind: engine.KindEval, Op: "rehearse", Err: err}
}

func (s *stage) used(t *scenario.Test) []*scenario.Mock {
	return slices.DeleteFunc(slices.Concat(t.Mocks(), t.Shared()), func(m *scenario.Mock) bool { return !s.world.Used(m) })
}

// unused are the test's own mocks that nobody asked: what they were to show was not shown.
func (s *stage) unused(t *scenario.Test) []Failure {
	var out []Failure
	for _, m := range t.Mocks() {
		if !s.world.Used(m) {
			out = append(out, Unused(m))
		}
	}
	return out
}

// Unused is the failure of a mock that nobody asked.
func Unused(m *scenario.Mock) Failure {
	return Failure{What: "unused", Place: m.Range, Lines: []string{m.String() + " was never asked: nothing like it is needed here, or another mock answers"}}
}
