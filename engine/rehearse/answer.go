package rehearse

import (
	"context"
	"fmt"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/scenario"
	"github.com/zclconf/go-cty/cty"
)

// answer stands for a module in one execution of one entry on one host.
type answer struct {
	stage  *stage
	mocks  []*scenario.Mock // for a probe the first that says something answers, for a step the first
	module any              // the real one, with its arguments
	call   scenario.Call
}

// as gives the answer the methods that the real module has for this kind of entry.
func (a answer) as(kind engine.EntryKind) any {
	_, probes := a.module.(engine.Prober)
	switch {
	case kind == engine.EntryProbe:
		return prober{a}
	case probes && a.mocks[0].Gives("result"):
		return struct {
			applier
			prober
		}{applier{a}, prober{a}}
	}
	return applier{a}
}

// prober answers for a probe.
type prober struct{ answer }

// Probe reaches the host as a real one would, and gives what the scenario says.
func (p prober) Probe(ctx context.Context, host engine.Reader) (any, error) {
	if err := p.reach(ctx, host); err != nil {
		return nil, err
	}
	for _, m := range p.mocks {
		if err := p.failure(m); err != nil {
			return nil, err
		}
		v, err := p.stage.world.Result(m, p.call)
		if err != nil {
			return nil, p.stage.broken(err)
		}
		if v != cty.NilVal {
			return v, nil
		}
	}
	first := p.mocks[0]
	return nil, p.stage.broken(engine.Problems{{Summary: "No answer", Range: first.Range,
		Detail: fmt.Sprintf("For %s %s gives neither a result nor an error, and no other mock does.", p.call.Self, first)}})
}

// reach connects to the host as a real module would, and finds out that it has died since.
func (a answer) reach(ctx context.Context, host engine.Reader) error {
	if _, err := host.API(ctx); err != nil {
		return err
	}
	return a.stage.silence(host.Name())
}

// failure is the error that the scenario wants, or why it could not be asked; nil: none.
func (a answer) failure(m *scenario.Mock) error {
	failure, err := a.stage.world.Failure(m, a.call)
	switch {
	case err != nil:
		return a.stage.broken(err)
	case failure != nil:
		return failure
	}
	return nil
}

// applier answers for a step.
type applier struct{ answer }

// Check says what the step would do, were it real: with an act, because a mock has no state that could be compared.
func (s applier) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if err := s.reach(ctx, host); err != nil {
		return engine.Diff{}, err
	}
	status, err := s.stage.world.Status(s.mocks[0], s.call)
	switch {
	case err != nil:
		return engine.Diff{}, s.stage.broken(err)
	case status == engine.StatusUnchanged:
		return engine.Diff{Note: "the scenario says that there is nothing to do"}, nil
	}
	return engine.Diff{Act: "rehearsed", Opaque: status == engine.StatusRan}, nil
}

// Apply fails, or changes the state of the scenario.
func (s applier) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	if err := s.reach(ctx, host); err != nil {
		return nil, err
	}
	if err := s.failure(s.mocks[0]); err != nil {
		return nil, err
	}
	if err := s.stage.world.Done(s.mocks[0], s.call); err != nil {
		return nil, s.stage.broken(err)
	}
	v, err := s.stage.world.Result(s.mocks[0], s.call)
	if err != nil {
		return nil, s.stage.broken(err)
	}
	if v == cty.NilVal {
		return nil, nil
	}
	return v, nil
}

// Effects are those of the real module.
func (s applier) Effects() []engine.Effect {
	if e, ok := s.module.(engine.Effecter); ok {
		return e.Effects()
	}
	return nil
}
