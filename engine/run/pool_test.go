package run_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/run"
)

// dialer is a transport, and its connections.
type dialer struct {
	mu            sync.Mutex
	dials, closed int
	err           error
	identity      string
	slow          chan struct{} // not nil: Open waits until it is closed, or its context ends
}

type dialed struct {
	*dialer
	identity string
}

func (d dialed) Identity() string { return d.identity }
func (d dialed) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed++
	return nil
}

func (d *dialer) Settings() any { return nil }
func (d *dialer) Open(ctx context.Context, _ *engine.Host) (engine.Conn, error) {
	d.mu.Lock()
	d.dials++
	slow, err, id := d.slow, d.err, d.identity
	d.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return dialed{d, id}, nil
}

func newPool(d *dialer) (*run.Pool, *engine.Host) {
	return run.NewPool(map[string]engine.Transport{"x": d}, nil, nil), &engine.Host{Name: "a", Connection: engine.Connection{Type: "x"}}
}

func refused() error { return &engine.Error{Kind: engine.KindRefused, Unreachable: true} }

func TestPoolDialsOnce(t *testing.T) {
	tr := &dialer{err: refused()}
	pool, h := newPool(tr)
	for range 2 {
		if _, err := pool.Get(t.Context(), h); engine.KindOf(err) != engine.KindRefused || engine.HostOf(err) != "a" {
			t.Fatal(err)
		}
	}
	if tr.dials != 1 {
		t.Errorf("a host that did not answer was asked %d times", tr.dials)
	}
	pool.Retry("a")
	tr.err = nil
	c, err := pool.Get(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	pool.Discard(h, c)
	tr.err = refused()
	for range 2 { // it answered once, and is gone: nobody waits for it twice
		if _, err := pool.Get(t.Context(), h); err == nil {
			t.Fatal("it was to be dialed anew")
		}
	}
	if tr.dials != 3 {
		t.Errorf("dialed %d times, want 3", tr.dials)
	}
	pool.RetryAll()
	tr.err = nil
	if _, err := pool.Get(t.Context(), h); err != nil {
		t.Error(err)
	}
	if err := pool.Close(); err != nil || tr.closed != 2 {
		t.Errorf("closed %d of 2 (%v)", tr.closed, err)
	}
}

// Thousands of entries with a short timeout must not each dial a host that is silent.
func TestPoolDialOutlivesACallerInAHurry(t *testing.T) {
	tr := &dialer{slow: make(chan struct{})}
	pool, h := newPool(tr)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := pool.Get(ctx, h)
		cancel()
		if engine.KindOf(err) != engine.KindTimeout || !engine.IsUnreachable(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	}
	close(tr.slow)
	if _, err := pool.Get(t.Context(), h); err != nil || tr.dials != 1 {
		t.Errorf("dialed %d times (%v), want once", tr.dials, err)
	}
	if err := pool.Close(); err != nil || tr.closed != 1 {
		t.Errorf("closed %d of 1 (%v)", tr.closed, err)
	}
}

func TestPoolCloseEndsADial(t *testing.T) {
	tr := &dialer{slow: make(chan struct{})} // never closed
	pool, h := newPool(tr)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pool.Get(ctx, h); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
}

// What was planned was planned for the host that answered then.
func TestPoolRefusesAnotherIdentity(t *testing.T) {
	tr := &dialer{identity: "ssh SHA256:one"}
	pool, h := newPool(tr)
	c, err := pool.Get(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	pool.Discard(h, c)
	tr.identity = "ssh SHA256:two"
	_, err = pool.Get(t.Context(), h)
	if engine.KindOf(err) != engine.KindHostKey || !engine.IsUnreachable(err) || !strings.Contains(err.Error(), "SHA256:two") {
		t.Errorf("got %v", err)
	}
	if err := pool.Close(); err != nil || tr.closed != 2 {
		t.Errorf("closed %d of 2 (%v)", tr.closed, err)
	}
}

// TestHandedOver: a runner goes on with the connections that the sources of the inventory opened, where they still are right.
func TestHandedOver(t *testing.T) {
	host := func(name, address string) *engine.Host {
		return &engine.Host{Name: name, Address: address, Connection: engine.Connection{Type: "x", Settings: &struct{ User string }{"ops"}}}
	}
	d := &dialer{identity: "key 1"}
	pool := run.NewPool(map[string]engine.Transport{"x": d}, nil, nil)
	for _, h := range []*engine.Host{host("same", "192.0.2.1"), host("moved", "192.0.2.2"), host("gone", "192.0.2.3"), host("planned", "192.0.2.4")} {
		if _, err := pool.Get(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	d.err = refused()
	if _, err := pool.Get(t.Context(), host("down", "192.0.2.5")); err == nil {
		t.Fatal("it is not down")
	}
	d.err = nil
	now := map[string]*engine.Host{"same": host("same", "192.0.2.1"), "moved": host("moved", "192.0.2.99"), "planned": host("planned", "192.0.2.4"), "down": host("down", "192.0.2.5")}
	r := run.New(run.Options{Inventory: &engine.Inventory{Hosts: now}, Transports: map[string]engine.Transport{"x": d}, Pool: pool})
	r.Expect(map[string]string{"planned": "another key"})
	if d.closed != 3 {
		t.Errorf("%d connections were closed, want those to moved, gone, and one that is not what was planned for", d.closed)
	}
	d.dials, d.identity = 0, "key 2"
	for name, want := range map[string]struct {
		dials int
		kind  engine.ErrorKind
	}{"same": {0, ""}, "moved": {1, ""}, "planned": {1, engine.KindHostKey}, "down": {1, ""}} {
		d.dials = 0
		_, err := pool.Get(t.Context(), now[name])
		if d.dials != want.dials || engine.KindOf(err) != want.kind {
			t.Errorf("%s: %d dials, %v; want %+v", name, d.dials, err, want)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
