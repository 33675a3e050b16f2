package moduletest

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// least is how many cases a module has: what it does, what it leaves alone, and the ways in which a host can fail it.
const least = 8

// Run tests a module with every case in testdata/NAME/*.txt of the package under test.
func Run(t *testing.T, m engine.Module) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", m.Name, "*.txt"))
	if err != nil || len(files) < least {
		t.Fatalf("module %s has %d cases in testdata/%[1]s, and no fewer than %d will do (%v)", m.Name, len(files), least, err)
	}
	for _, file := range files {
		t.Run(m.Name+"/"+strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			c, err := read(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				c.run(ctx, t, m)
			})
		})
	}
}

func (c *testCase) run(ctx context.Context, t reporter, m engine.Module) {
	h := newHost(t, c)
	instance := c.instance(t, m)
	if refused := c.validate(t, instance); refused {
		return
	}
	c.compareEffects(t, instance)
	var err error
	switch {
	case c.probe:
		var result any
		if result, err = instance.(engine.Prober).Probe(ctx, h); err == nil {
			c.compareResult(t, m, result)
		}
	case c.resume > 0:
		since := time.Now()
		time.Sleep(c.resume) //nolint:forbidigo // in the simulated time of a synctest bubble
		err = instance.(engine.Prover).Prove(ctx, h, since)
	default:
		err = c.step(ctx, t, m, h, instance)
	}
	c.compareError(t, err)
	if h.api != nil {
		h.api.end(context.WithoutCancel(ctx))
	}
	for _, line := range h.unused() {
		t.Errorf("never asked, or not as often as the case says: %s", line)
	}
}

// instance is a fresh module with the arguments of the case.
func (c *testCase) instance(t reporter, m engine.Module) any {
	t.Helper()
	v := m.New()
	if err := decode(v, c.args); err != nil {
		t.Fatal(err)
	}
	return v
}

func (c *testCase) validate(t reporter, instance any) (refused bool) {
	t.Helper()
	var err error
	if v, ok := instance.(engine.Validator); ok {
		err = v.Validate()
	}
	var bad engine.BadArg
	switch {
	case err == nil && c.invalid != "":
		t.Errorf("Validate accepts %s", c.invalid)
	case err != nil && (!errors.As(err, &bad) || bad.Arg != c.invalid):
		t.Errorf("Validate: %v, want a BadArg for %q", err, c.invalid)
	}
	return err != nil || c.invalid != ""
}

// step goes the way of a run: check, apply, prove, check again.
func (c *testCase) step(ctx context.Context, t reporter, m engine.Module, h *host, instance any) error {
	diff, err := instance.(engine.Checker).Check(ctx, h)
	if err != nil {
		return err
	}
	c.compareDiff(t, diff)
	if diff.Empty() {
		return c.nothing(ctx, t, m, h, instance, diff)
	}
	h.allowed = diff.Commands
	since := time.Now()
	result, err := instance.(engine.Applier).Apply(ctx, h, diff)
	want := c.dos
	if want == nil {
		want = c.diff.Commands
	}
	if !slices.Equal(h.done, want) {
		t.Errorf("Apply executed\n  %s\nwant\n  %s", strings.Join(h.done, "\n  "), strings.Join(want, "\n  "))
	}
	if err != nil {
		return err
	}
	c.compareResult(t, m, result)
	if p, ok := instance.(engine.Prover); ok && diff.Act != "" {
		if err := p.Prove(ctx, h, since); err != nil {
			return err
		}
	}
	again, err := instance.(engine.Checker).Check(ctx, h)
	if err == nil && len(again.Changes) > 0 {
		t.Errorf("after Apply there is still a difference: %v", again.Changes)
	}
	if err == nil && len(diff.Changes) > 0 && diff.Act == "" && again.Note == "" {
		t.Error("the second Check has nothing to do and does not say why")
	}
	return err
}

// nothing is a step without anything to do: it says why, executes nothing, and what it leaves is what a probe sees.
func (c *testCase) nothing(ctx context.Context, t reporter, m engine.Module, h *host, instance any, diff engine.Diff) error {
	if diff.Note == "" || c.diff.Note == "" {
		t.Error("nothing to do, and no note says why (in the Diff, in the case, or in both)")
	}
	if c.result == "" {
		return nil
	}
	result, err := instance.(engine.Prober).Probe(ctx, h)
	if err == nil {
		c.compareResult(t, m, result)
	}
	return err
}
