package plan_test

import (
	"errors"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// An argument that was not known when people or a policy judged the plan must not bring an effect that they did not judge.
func TestAnUnknownArgumentBringsNoEffect(t *testing.T) {
	p := plan.New(&engine.Playbook{}, time.Now())
	i := plan.Item{Play: "p", Host: "h", On: "h", Entry: "p/s", Kind: engine.EntryStep, Module: "vm", Disposition: plan.WillRun, Unknown: []string{"power"},
		Effects: []engine.Effect{engine.EffectRestart}}
	p.Add(i)
	now := i
	now.Args = []engine.Arg{{Name: "power", Value: "off"}}
	if err := p.Allow(now); err != nil {
		t.Errorf("with the effects of the plan: %v", err)
	}
	now.Effects = []engine.Effect{engine.EffectRestart, engine.EffectPower}
	if err := p.Allow(now); !errors.As(err, new(*plan.OutOfPlan)) {
		t.Errorf("with one more: %v", err)
	}
}
