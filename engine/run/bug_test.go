package run_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/run"
)

type panics struct{}

func (panics) Probe(context.Context, engine.Reader) (any, error) { panic("boom") }

func TestBugEndsTheRunInOrder(t *testing.T) {
	b := newBench([]string{"a", "b", "c"}, probe("see"))
	b.opts.Parallel = 1
	inner := b.args
	b.args = func(e *engine.Entry, host string) any {
		if host == "b" {
			return panics{}
		}
		return inner(e, host)
	}
	res, err := run.New(b.opts).Apply(t.Context(), plan.New(b.opts.Program.Playbook(), time.Now()))
	if !errors.As(err, new(*run.Bug)) {
		t.Fatal(err)
	}
	if want := "a=ok b=failed c=not_attempted"; statuses(res) != want || b.ends() != want {
		t.Errorf("hosts %s, told %s, want %s", statuses(res), b.ends(), want)
	}
}
