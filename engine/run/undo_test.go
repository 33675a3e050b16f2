package run_test

import (
	"context"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// switched is a module that makes a thing of the world on or off. While it is as wanted, the diff still names the command.
type switched struct {
	world *bool
	on    bool
}

func (m switched) Check(context.Context, engine.Reader) (engine.Diff, error) {
	diff := engine.Diff{Commands: []string{"switch"}, Note: "it is so already"}
	if *m.world != m.on {
		diff.Changes = []engine.Change{{What: "it", Before: "other", After: "this"}}
	}
	return diff, nil
}

func (m switched) Apply(context.Context, engine.Machine, engine.Diff) (any, error) {
	*m.world = m.on
	return seen{}, nil
}

// A step that undoes what an earlier one will have done has nothing to do while that has not run; the plan allows it all the same.
func TestWhatUndoesAnEarlierStepIsInThePlan(t *testing.T) {
	on := false
	b := newBench([]string{"a"}, block(steps("on"), nil, steps("off")))
	b.args = func(e *engine.Entry, _ string) any { return switched{&on, e.Name == "on"} }
	p, res := b.both(t, nil)
	i, _ := p.Find("p", "a", "p/step.off")
	if i.Disposition != plan.Depends || len(i.Waits) != 1 || i.Waits[0] != "p/step.on" {
		t.Errorf("%s, waits for %q", i.Disposition, i.Waits)
	}
	if statuses(res) != "a=ok" || on {
		t.Errorf("hosts %s; on %v", statuses(res), on)
	}
}

// Without anything before it, it is what it was: nothing to do.
func TestNothingToUndo(t *testing.T) {
	on := false
	b := newBench([]string{"a"}, step("off"))
	b.args = func(*engine.Entry, string) any { return switched{&on, false} }
	p, res := b.both(t, nil)
	if got := dispositions(p); got != "a:step.off=no_op" || statuses(res) != "a=ok" {
		t.Errorf("%s, hosts %s", got, statuses(res))
	}
}
