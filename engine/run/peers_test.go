package run_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/run"
)

// through is a transport whose settings are by.
type through struct {
	mu     sync.Mutex
	opened []string
	closed []string
}

// by is the name of the host to go through; "": there is none.
type by string

func (b by) Needs() []engine.Need {
	if b == "" {
		return nil
	}
	return []engine.Need{{Arg: "by", Host: string(b)}}
}

type throughConn struct {
	t    *through
	name string
}

func (t *through) Settings() any { return by("") }

func (t *through) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	if via := string(h.Connection.Settings.(by)); via != "" {
		if _, err := engine.PeersOf(ctx).Conn(ctx, via); err != nil {
			return nil, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened = append(t.opened, h.Name)
	return throughConn{t, h.Name}, nil
}

func (c throughConn) Identity() string { return c.name }

func (c throughConn) Close() error {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.t.closed = append(c.t.closed, c.name)
	return nil
}

// estate is a pool over hosts, each with the one that it goes through.
func estateOf(via map[string]string) (*through, *run.Pool, *engine.Inventory) {
	t, inv := &through{}, &engine.Inventory{Hosts: map[string]*engine.Host{}}
	for name, peer := range via {
		inv.Hosts[name] = &engine.Host{Name: name, Connection: engine.Connection{Type: "t", Settings: by(peer)}}
	}
	return t, run.NewPool(map[string]engine.Transport{"t": t}, inv, nil), inv
}

func TestPeersAreOpenedOnceAndClosedLast(t *testing.T) {
	tr, pool, inv := estateOf(map[string]string{"vc": "", "jump": "vc", "a": "jump", "b": "jump", "c": "vc"})
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "a", "b"} {
		wg.Go(func() {
			if _, err := pool.Get(t.Context(), inv.Hosts[name]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(tr.opened)
	if want := []string{"a", "b", "c", "jump", "vc"}; !slices.Equal(tr.opened, want) {
		t.Errorf("opened %v, want %v", tr.opened, want)
	}
	if n := len(tr.closed); n != 5 || tr.closed[4] != "vc" || !slices.Contains(tr.closed[2:4], "jump") {
		t.Errorf("closed in the order %v; vc must be the last, jump before it and after a and b", tr.closed)
	}
}

func TestPeersInACircleAreAnError(t *testing.T) {
	_, pool, inv := estateOf(map[string]string{"a": "b", "b": "c", "c": "a", "lost": "nobody"})
	defer pool.Close()
	var wg sync.WaitGroup
	for name, way := range map[string]string{"a": "a → b → c → a", "b": "b → c → a → b", "c": "c → a → b → c"} {
		wg.Go(func() { // all at once: their dials must not wait for each other
			if _, err := pool.Get(t.Context(), inv.Hosts[name]); err == nil || !strings.Contains(err.Error(), way) {
				t.Errorf("%s: got %v", name, err)
			}
		})
	}
	wg.Wait()
	_, err := pool.Get(t.Context(), inv.Hosts["lost"])
	var e *engine.Error
	if !errors.As(err, &e) || e.Host != "lost" || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("got %v", err)
	}
}

// brittle connections can break.
type brittle struct {
	engine.Conn
	broken *atomic.Bool
}

func (b brittle) Broken() bool { return b.broken.Load() }

type brittleTransport struct {
	through
	opens  atomic.Int32
	broken []*atomic.Bool
}

func (t *brittleTransport) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	c, err := t.through.Open(ctx, h)
	if err != nil || h.Name != "jump" {
		return c, err
	}
	t.opens.Add(1)
	t.broken = append(t.broken, &atomic.Bool{})
	return brittle{c, t.broken[len(t.broken)-1]}, nil
}

func TestPeerThatBrokeIsOpenedAnew(t *testing.T) {
	inv := &engine.Inventory{Hosts: map[string]*engine.Host{}}
	for name, via := range map[string]string{"jump": "", "a": "jump", "b": "jump", "c": "jump"} {
		inv.Hosts[name] = &engine.Host{Name: name, Connection: engine.Connection{Type: "t", Settings: by(via)}}
	}
	tr := &brittleTransport{}
	pool := run.NewPool(map[string]engine.Transport{"t": tr}, inv, nil)
	defer pool.Close()
	for i, name := range []string{"a", "b", "c"} {
		if _, err := pool.Get(t.Context(), inv.Hosts[name]); err != nil {
			t.Fatal(err)
		}
		if want := int32(max(1, i)); tr.opens.Load() != want {
			t.Errorf("after %s: %d opens, want %d", name, tr.opens.Load(), want)
		}
		if i == 1 {
			tr.broken[0].Store(true)
		}
	}
}
