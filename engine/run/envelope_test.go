package run_test

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

var undecided = expr{"something", func(map[string]engine.Result) cty.Value { return cty.UnknownVal(cty.Bool) }}

// What is not known while acting is a defect somewhere; nothing may be done because of it.
func TestNothingUnknownIsExecuted(t *testing.T) {
	s := step("kick")
	s.When = undecided
	b := newBench([]string{"a"}, s)
	_, res := b.both(t, nil)
	if b.world.log() != "" || statuses(res) != "a=failed" || engine.KindOf(res.Hosts["a"].Err) != engine.KindEval {
		t.Errorf("a step whose condition is not known: did %q, hosts %s (%v)", b.world.log(), statuses(res), res.Hosts["a"].Err)
	}
	for _, e := range []*engine.Entry{step("kick"), probe("see")} {
		b = newBench([]string{"a"}, e)
		b.unknown = func(*engine.Entry) []string { return []string{"text"} }
		_, res = b.both(t, nil)
		if b.world.log() != "" || statuses(res) != "a=failed" || engine.KindOf(res.Hosts["a"].Err) != engine.KindEval {
			t.Errorf("a %s with an argument that is not known: did %q, hosts %s (%v)", e.Kind, b.world.log(), statuses(res), res.Hosts["a"].Err)
		}
	}
}

func TestPlanInventsNoAnswerForAnUnknownArgument(t *testing.T) {
	b := newBench([]string{"a"}, probe("see"), step("set"))
	b.world.on["a"] = true // with the argument at its zero value there is nothing to do
	waiting := true
	b.unknown = func(*engine.Entry) []string {
		if waiting {
			return []string{"text"}
		}
		return nil
	}
	p, res := b.both(t, func() { waiting = false; b.world.on["a"] = false })
	if got, want := dispositions(p), "a:probe.see=depends a:step.set=depends"; got != want {
		t.Errorf("plan %s, want %s", got, want)
	}
	if i, _ := p.Find("p", "a", "p/step.set"); strings.Join(i.Unknown, "") != "text" || strings.Join(i.Waits, "") != "text" {
		t.Errorf("the plan does not say what is not known: %+v", i)
	}
	_ = res
}

func TestGoalThatIsNotKnownYetIsPlannedSo(t *testing.T) {
	r := ladderOf("one", "two")
	r.Recover.Condition = undecided
	b := newBench([]string{"a"}, r)
	p, res := b.both(t, nil)
	for _, address := range []string{"p/r", "p/step.one", "p/step.two"} {
		if i, _ := p.Find("p", "a", address); i.Disposition != plan.Depends {
			t.Errorf("%s is planned as %s (%s)", address, i.Disposition, i.Reason)
		}
	}
	if b.world.log() != "" || statuses(res) != "a=failed" {
		t.Errorf("a goal that stays unknown: did %q, hosts %s", b.world.log(), statuses(res))
	}
}

// Whatever changes between the passes: what acts was announced for this very entry, host, doer and arguments.
func TestWhatChangedBetweenThePassesDoesNotRun(t *testing.T) {
	tests := []struct {
		name    string
		entries func() []*engine.Entry
		prepare func(b *bench)
		between func(b *bench)
		status  string
	}{
		{"the goal held", func() []*engine.Entry { return []*engine.Entry{ladderOf("one")} },
			func(b *bench) { b.world.on["a"] = true }, func(b *bench) { b.world.on["a"] = false }, "a=out_of_plan"},
		{"a host is new", func() []*engine.Entry { return []*engine.Entry{step("kick")} },
			func(b *bench) { b.targets["p"] = engine.Target{Hosts: []string{"b"}} },
			func(b *bench) { b.targets["p"] = engine.Target{Hosts: []string{"a"}} }, "a=out_of_plan"},
		{"another host does it", func() []*engine.Entry { return []*engine.Entry{step("kick")} },
			func(*bench) {}, func(b *bench) {
				b.settings = func(*engine.Entry, string) engine.Settings { return engine.Settings{On: "b"} }
			}, "a=out_of_plan"},
		{"an attempt did not apply", func() []*engine.Entry {
			r := ladderOf("one")
			r.Recover.Attempts[0].When = isTrue("probe.see", "on")
			return []*engine.Entry{probe("see"), r, step("two")}
		}, func(*bench) {}, func(b *bench) {
			b.looks = func(e string, s seen) seen { s.On = e == "see"; return s }
		}, "a=out_of_plan"},
		{"an argument is gone", func() []*engine.Entry { return []*engine.Entry{step("kick")} },
			func(b *bench) { b.shown = []engine.Arg{{Name: "only_if_idle", Value: "true"}} },
			func(b *bench) { b.shown = nil }, "a=out_of_plan"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench([]string{"a"}, tt.entries()...)
			b.opts.Inventory.Hosts["b"] = &engine.Host{Name: "b"}
			tt.prepare(b)
			_, res := b.both(t, func() { tt.between(b) })
			if b.world.log() != "" || statuses(res) != tt.status {
				t.Errorf("did %q, hosts %s (%v)", b.world.log(), statuses(res), res.Hosts["a"].Err)
			}
		})
	}
}
