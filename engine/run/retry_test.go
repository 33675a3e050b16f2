package run_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
)

// script is a module that says what each of its executions gives; the last one repeats.
type script struct {
	tries  int
	errs   []error
	seen   []seen
	opaque bool
}

func (m *script) next() (seen, error) {
	n := m.tries
	m.tries++
	var s seen
	if len(m.seen) > 0 {
		s = m.seen[min(n, len(m.seen)-1)]
	}
	if len(m.errs) > 0 {
		return s, m.errs[min(n, len(m.errs)-1)]
	}
	return s, nil
}

type scriptedProbe struct{ *script }

func (m scriptedProbe) Probe(context.Context, engine.Reader) (any, error) { return m.next() }

type scriptedStep struct{ *script }

func (m scriptedStep) Check(context.Context, engine.Reader) (engine.Diff, error) {
	return engine.Diff{Act: "x", Opaque: m.opaque, Commands: []string{"x"}}, nil
}

func (m scriptedStep) Apply(context.Context, engine.Machine, engine.Diff) (any, error) {
	return m.next()
}

func thrice(_ *engine.Entry, host string) engine.Settings {
	return engine.Settings{On: host, Retry: engine.Retry{Attempts: 3, Delay: time.Millisecond}}
}

func lost() error {
	return &engine.Error{Kind: engine.KindLost, Host: "a", Op: "run x", Unreachable: true}
}

// What a command did whose connection broke is not known, so it is not done again, whatever retry says.
func TestLostCommandIsNotRepeated(t *testing.T) {
	tests := []struct {
		name string
		m    *script
		want int
	}{
		{"opaque", &script{errs: []error{lost()}, opaque: true}, 1},
		{"an act", &script{errs: []error{lost()}}, 1},
		{"opaque, never begun", &script{errs: []error{errors.Join(lost(), engine.ErrNotRun)}, opaque: true}, 3},
		{"opaque, failed", &script{errs: []error{&engine.Error{Kind: engine.KindExit, Host: "a"}}, opaque: true}, 3},
		{"opaque, may still run", &script{errs: []error{&engine.Error{Kind: engine.KindTimeout, Host: "a", Orphan: true}}, opaque: true}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench([]string{"a"}, step("x"))
			b.settings = thrice
			b.args = func(*engine.Entry, string) any { return scriptedStep{tt.m} }
			b.both(t, nil)
			if tt.m.tries != tt.want {
				t.Errorf("it was executed %d times, want %d", tt.m.tries, tt.want)
			}
		})
	}
}

func TestLastTryDecidesAndIsRecorded(t *testing.T) {
	look := probe("see")
	look.Until = isTrue("result", "on")
	m := &script{seen: []seen{{On: false}}, errs: []error{nil, errors.New("broken")}}
	b := newBench([]string{"a"}, look)
	b.settings = thrice
	b.args = func(*engine.Entry, string) any { return scriptedProbe{m} }
	_, res := b.both(t, func() { m.tries = 0 })
	last := ""
	for _, e := range b.log.events {
		if e.Kind == engine.EventEntryEnd && e.Pass == "apply" {
			last = e.Status
		}
	}
	if statuses(res) != "a=failed" || last != string(engine.StatusFailed) {
		t.Errorf("hosts %s, the record ends with %q", statuses(res), last)
	}
}

func TestUntilThatCannotBeJudgedIsAFailure(t *testing.T) {
	look := probe("see")
	look.Until = expr{"result.x", func(map[string]engine.Result) cty.Value { return cty.UnknownVal(cty.Bool) }}
	b := newBench([]string{"a"}, look)
	b.settings = thrice
	b.evalFails = errors.New("result.x is null")
	_, res := b.both(t, nil)
	if statuses(res) != "a=failed" || !strings.Contains(res.Hosts["a"].Err.Error(), "result.x is null") {
		t.Errorf("hosts %s, %v", statuses(res), res.Hosts["a"].Err)
	}
	if n := len(b.log.events); b.log.events[n-3].Kind != engine.EventEntryEnd || b.log.events[n-3].Error == nil {
		t.Errorf("the failure of the entry is not recorded: %+v", b.log.events[n-3])
	}
}

// A probe looks while planning, too: without its retry the plan would lack what follows it.
func TestPlanningRetriesAProbeThatFails(t *testing.T) {
	m := &script{errs: []error{&engine.Error{Kind: engine.KindRefused, Host: "a", Unreachable: true}, nil}, seen: []seen{{On: true}}}
	b := newBench([]string{"a"}, probe("see"), step("kick"))
	b.settings = thrice
	inner := b.args
	b.args = func(e *engine.Entry, host string) any {
		if e.Kind == engine.EntryProbe {
			return scriptedProbe{m}
		}
		return inner(e, host)
	}
	p, res := b.both(t, nil)
	if got := dispositions(p); got != "a:probe.see=probed a:step.kick=will_run" || b.world.log() != "kick@a" {
		t.Errorf("plan %s, did %q, hosts %s", got, b.world.log(), statuses(res))
	}
}

func TestIgnoredErrorIsInThePlan(t *testing.T) {
	b := newBench([]string{"a"}, step("set"), step("kick"))
	b.settings = func(e *engine.Entry, host string) engine.Settings {
		return engine.Settings{On: map[string]string{"set": "b", "kick": host}[e.Name], IgnoreErrors: true}
	}
	b.opts.Inventory.Hosts["b"] = &engine.Host{Name: "b"}
	b.world.dead["b"] = true
	p, res := b.both(t, nil)
	if i, ok := p.Find("p", "a", "p/step.set"); !ok || i.Disposition != plan.Unreachable || i.On != "b" {
		t.Errorf("the plan says %+v", i)
	}
	if b.world.log() != "kick@a" || statuses(res) != "a=ok" {
		t.Errorf("did %q, hosts %s", b.world.log(), statuses(res))
	}
}
