package run_test

import (
	"context"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/run"
)

// slow is a change whose look takes so long that somebody asks to stop meanwhile.
type slow struct {
	kick
	looked func()
}

func (m *slow) Check(ctx context.Context, h engine.Reader) (engine.Diff, error) {
	d, err := m.kick.Check(ctx, h)
	m.looked()
	return d, err
}

func (m *slow) Apply(ctx context.Context, h engine.Machine, d engine.Diff) (any, error) {
	return m.kick.Apply(ctx, h, d)
}

// What is asked to stop while it still looks whether there is something to do does not begin to do it.
func TestNothingBeginsAfterALookThatTookTooLong(t *testing.T) {
	b := newBench([]string{"a"}, step("kick_it"))
	stop, acting := make(chan struct{}), false
	b.opts.Stop = stop
	inner := b.args
	b.args = func(e *engine.Entry, host string) any {
		if k, ok := inner(e, host).(*kick); ok {
			return &slow{*k, func() {
				if acting {
					close(stop)
				}
			}}
		}
		return inner(e, host)
	}
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	acting = true
	res, err := r.Apply(t.Context(), p)
	if err != nil || b.world.log() != "" || statuses(res) != "a=aborted" {
		t.Errorf("did %q, %s, %v", b.world.log(), statuses(res), err)
	}
}
