package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

func TestStagesAreTold(t *testing.T) {
	var heard []engine.Stage
	ctx := engine.WithStages(t.Context(), func(s engine.Stage) { heard = append(heard, s) })
	bad := errors.New("no")
	engine.BeginStage(ctx, engine.StageTCP)(engine.Stage{Detail: "198.51.100.7:22"})
	engine.BeginStage(ctx, engine.StageJump)(engine.Stage{Name: "jump bastion", Took: time.Second, Err: bad})
	engine.BeginStage(engine.WithoutStages(ctx), engine.StageTLS)(engine.Stage{})
	if len(heard) != 2 {
		t.Fatalf("heard %v, want two stages", heard)
	}
	if s := heard[0]; s.Name != "tcp" || s.Detail != "198.51.100.7:22" || s.Took <= 0 || s.Began.IsZero() || s.Err != nil {
		t.Errorf("the first: %+v", s)
	}
	if s := heard[1]; s.Name != "jump bastion" || s.Took != time.Second || !errors.Is(s.Err, bad) {
		t.Errorf("the second: %+v", s)
	}
}

func TestStagesCostNothingWhenNobodyListens(t *testing.T) {
	ctx := t.Context()
	if engine.HearsStages(ctx) || engine.HearsStages(engine.WithoutStages(ctx)) {
		t.Fatal("somebody listens")
	}
	if n := testing.AllocsPerRun(100, func() { engine.BeginStage(ctx, engine.StageTCP)(engine.Stage{Detail: "x"}) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
