package run

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// peers leads a dial through other hosts of the inventory.
type peers struct {
	pool *Pool
	name string // of the host that is dialed

	mu   sync.Mutex
	deep int
}

func (p *peers) depth() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deep
}

// Host implements engine.Peers.
func (p *peers) Host(name string) *engine.Host {
	if p.pool.inventory == nil {
		return nil
	}
	return p.pool.inventory.Hosts[name]
}

// Conn implements engine.Peers. Hosts that lead through each other are an error: their dials would wait for each other.
func (p *peers) Conn(ctx context.Context, name string) (engine.Conn, error) {
	h := p.Host(name)
	if h == nil {
		return nil, p.failure(name, "the inventory has no such host")
	}
	if way := p.wayBack(h, nil); way != nil {
		return nil, p.failure(name, "the way leads in a circle: "+strings.Join(append([]string{p.name}, way...), " → "))
	}
	c, err := p.living(engine.WithoutStages(ctx), h)
	if err != nil {
		return nil, err
	}
	below := p.pool.slot(name).depth()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deep = max(p.deep, below+1)
	return c, nil
}

// living is the connection to h, a new one where it has broken; a step that acts also asks a host again that did not answer.
func (p *peers) living(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	if ctx.Value(patienceKey{}) != nil {
		p.pool.Retry(h.Name)
	}
	c, err := p.pool.Get(ctx, h)
	if m, ok := c.(engine.Mortal); ok && err == nil && m.Broken() {
		p.pool.Discard(h, c)
		return p.pool.Get(ctx, h)
	}
	return c, err
}

func (p *peers) failure(name, msg string) error {
	return &engine.Error{Kind: engine.KindModule, Host: p.name, Op: "connect through " + name, Msg: msg, Unreachable: true}
}

// wayBack is how the inventory leads from h to the host that is dialed; nil: it does not.
func (p *peers) wayBack(h *engine.Host, seen []string) []string {
	seen = append(seen, h.Name)
	if h.Name == p.name {
		return seen
	}
	n, ok := h.Connection.Settings.(engine.Needer)
	if !ok {
		return nil
	}
	for _, need := range n.Needs() {
		if next := p.Host(need.Host); next != nil && (next.Name == p.name || !slices.Contains(seen, next.Name)) {
			if way := p.wayBack(next, slices.Clone(seen)); way != nil {
				return way
			}
		}
	}
	return nil
}

// depth is that of the dial whose result stands.
func (s *slot) depth() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dial == nil {
		return 0
	}
	select {
	case <-s.dial.done:
		return s.dial.depth
	default:
		return 0
	}
}
