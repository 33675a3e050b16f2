package run

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"runtime/debug"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// Pool opens the one connection that a run has per host, and lends it to all who ask.
// A host that did not answer is not asked again until Retry: whoever asks gets the same error at once.
type Pool struct {
	transports map[string]engine.Transport
	opened     func(host string, c engine.Conn)
	inventory  *engine.Inventory // whose hosts lead to others; nil: none

	mu     sync.Mutex // not held while anybody is waited for: dials need it
	slots  map[string]*slot
	closed bool
}

type slot struct {
	mu       sync.Mutex
	closed   bool   // nobody dials any more
	dial     *dial  // the one whose result stands, or is awaited; nil: none
	identity string // what the host proved to be, the first time or when it was planned for
	planned  bool   // the plan says the identity
}

// dial is one attempt to connect, shared by all who wait for it.
type dial struct {
	cancel context.CancelFunc
	done   chan struct{} // closed: what stands below is final
	conn   engine.Conn
	err    error
	bug    *Bug // the transport panicked
	host   *engine.Host
	depth  int // how many hosts it leads through, one after the other
}

// NewPool makes an empty pool over the transports, by their type in the inventory, which is nil where no connection
// leads through another host. opened is told of every connection; it may be nil.
func NewPool(transports map[string]engine.Transport, inventory *engine.Inventory, opened func(host string, c engine.Conn)) *Pool {
	if opened == nil {
		opened = func(string, engine.Conn) {}
	}
	return &Pool{transports: transports, inventory: inventory, opened: opened, slots: map[string]*slot{}}
}

func (p *Pool) slot(host string) *slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.slots[host]
	if !ok {
		s = &slot{closed: p.closed}
		p.slots[host] = s
	}
	return s
}

// Get returns the connection to h, dialing when there is none. A dial has the deadlines of its transport, not those of
// ctx: a caller in a hurry leaves with an error of its own, and the result stands for those who come later.
func (p *Pool) Get(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	t, ok := p.transports[h.Connection.Type]
	if !ok {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Msg: "the inventory has no connection for " + h.Name,
			Hint: fmt.Sprintf("add a connection block to the host (%s) or to one of its groups", h.Range)}
	}
	s := p.slot(h.Name)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, &engine.Error{Kind: engine.KindTimeout, Host: h.Name, Op: "connect to " + h.Name, Msg: "stopped: all connections are being closed", Unreachable: true}
	}
	if s.dial == nil {
		free, cancel := context.WithCancel(context.WithoutCancel(ctx))
		s.dial = &dial{cancel: cancel, done: make(chan struct{}), host: h}
		go p.open(free, s, s.dial, t, h)
	}
	d := s.dial
	s.mu.Unlock()
	select {
	case <-d.done:
		if d.bug != nil {
			panic(d.bug)
		}
		return d.conn, d.err
	case <-ctx.Done():
		return nil, &engine.Error{Kind: engine.KindTimeout, Host: h.Name, Op: "connect to " + h.Name, Msg: "no connection in time",
			Err: ctx.Err(), Unreachable: true}
	}
}

// open fills d.
func (p *Pool) open(ctx context.Context, s *slot, d *dial, t engine.Transport, h *engine.Host) {
	defer close(d.done)
	defer d.cancel()
	defer func() {
		if v := recover(); v != nil {
			d.bug = &Bug{h.Name, v, debug.Stack()}
		}
	}()
	way := &peers{pool: p, name: h.Name}
	conn, err := t.Open(engine.WithPeers(ctx, way), h)
	d.depth = way.depth()
	if err == nil {
		err = s.same(conn, h.Name)
	}
	if err != nil {
		d.err = engine.Blame(err, h.Name) // now: afterwards it is shared
		return
	}
	d.conn = conn
	p.mu.Lock()
	opened := p.opened
	p.mu.Unlock()
	opened(h.Name, conn)
}

// handOver lets the pool go on with an inventory that is complete now, and tells opened of the connections that there
// are. One to a host that is reached in another way now, or is none any more, is closed.
func (p *Pool) handOver(inventory *engine.Inventory, opened func(host string, c engine.Conn)) {
	p.RetryAll()
	p.mu.Lock()
	p.inventory, p.opened = inventory, opened
	slots := maps.Clone(p.slots)
	p.mu.Unlock()
	for name, s := range slots {
		other := func(d *dial) bool {
			now := inventory.Hosts[name]
			return now == nil || now.Address != d.host.Address || !reflect.DeepEqual(now.Connection, d.host.Connection)
		}
		if d := s.drop(other); d != nil {
			_ = d.conn.Close() // nobody uses it any more
			s.forget()
		}
		if c := s.standing(); c != nil {
			opened(name, c)
		}
	}
}

// standing is the connection that there is; nil: none.
func (s *slot) standing() engine.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dial == nil {
		return nil
	}
	select {
	case <-s.dial.done:
		return s.dial.conn
	default:
		return nil
	}
}

// drop forgets a result that stands, when it is the one that which means.
func (s *slot) drop(which func(*dial) bool) *dial {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dial
	if d == nil {
		return nil
	}
	select {
	case <-d.done:
	default:
		return nil
	}
	if !which(d) {
		return nil
	}
	s.dial = nil
	return d
}

// Discard closes a connection that broke; the next Get dials anew.
func (p *Pool) Discard(h *engine.Host, c engine.Conn) {
	if d := p.slot(h.Name).drop(func(d *dial) bool { return d.conn == c && c != nil }); d != nil {
		_ = d.conn.Close() // it is broken already
	}
}

// Retry forgets that a host did not answer.
func (p *Pool) Retry(host string) {
	p.slot(host).drop(func(d *dial) bool { return d.err != nil })
}

// RetryAll forgets every host that did not answer: a new pass asks again.
func (p *Pool) RetryAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.slots {
		s.drop(func(d *dial) bool { return d.err != nil })
	}
}

// patient is the pool of a step that acts: what it does may take the host away for a while (a reboot), so it dials again
// although the host did not answer a moment ago.
type patient struct{ *Pool }

// patienceKey marks the context of such a dial, for the hosts that it leads through.
type patienceKey struct{}

// Get implements machine.Pool.
func (p patient) Get(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	p.Retry(h.Name)
	return p.Pool.Get(context.WithValue(ctx, patienceKey{}, true), h)
}
