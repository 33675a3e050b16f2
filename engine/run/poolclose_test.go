package run_test

import (
	"context"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/run"
)

// late is a transport whose connections come about at the moment in which nobody wants them any more.
type late struct {
	begun chan struct{}
	then  func(ctx context.Context) error
	dialer
}

func (l *late) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	if h.Name != "a" {
		return l.dialer.Open(ctx, h)
	}
	close(l.begun)
	<-ctx.Done() // Close has begun
	if err := l.then(ctx); err != nil {
		return nil, err
	}
	return l.dialer.Open(context.WithoutCancel(ctx), h)
}

// TestPoolCloseWaitsForNobodyWhoWaitsForIt: a dial that is about to succeed, or to ask for its jump host, while the pool is closed.
func TestPoolCloseWaitsForNobodyWhoWaitsForIt(t *testing.T) {
	for name, then := range map[string]func(context.Context) error{
		"it succeeds": func(context.Context) error { return nil },
		"it asks for a jump host": func(ctx context.Context) error {
			_, err := engine.PeersOf(ctx).Conn(context.WithoutCancel(ctx), "jump")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := &late{begun: make(chan struct{}), then: then}
			inv := &engine.Inventory{Hosts: map[string]*engine.Host{}}
			for _, host := range []string{"a", "jump"} {
				inv.Hosts[host] = &engine.Host{Name: host, Connection: engine.Connection{Type: "x"}}
			}
			pool := run.NewPool(map[string]engine.Transport{"x": tr}, inv, nil)
			got := make(chan struct{})
			go func() {
				defer close(got)
				_, _ = pool.Get(t.Context(), inv.Hosts["a"])
			}()
			<-tr.begun
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
			<-got
			if tr.dials != tr.closed {
				t.Errorf("%d connections, %d closed", tr.dials, tr.closed)
			}
			if _, err := pool.Get(t.Context(), inv.Hosts["jump"]); err == nil || tr.dials != tr.closed {
				t.Errorf("a closed pool dials: %v", err)
			}
		})
	}
}
