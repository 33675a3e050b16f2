package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// Pool opens the one connection that a run has per host, and lends it to all who ask.
// A host that did not answer is not asked again until Retry: whoever asks gets the same error at once.
type Pool struct {
	transports map[string]engine.Transport
	opened     func(host string, c engine.Conn)
	inventory  *engine.Inventory // whose hosts lead to others; nil: none

	mu    sync.Mutex
	slots map[string]*slot
}

type slot struct {
	mu       sync.Mutex
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
		s = &slot{}
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

// forget lets another host, or the same by another way, prove another identity.
func (s *slot) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity = ""
}

// Expect says what a host must prove to be. A connection to one that has proved something else is closed; the next Get
// says so.
func (p *Pool) Expect(host, identity string) {
	s := p.slot(host)
	s.mu.Lock()
	s.identity, s.planned = identity, true
	s.mu.Unlock()
	if d := s.drop(func(d *dial) bool { return d.conn != nil && d.conn.Identity() != identity }); d != nil {
		_ = d.conn.Close() // nobody wants it
	}
}

// same refuses a host that proves to be another one than before: what was planned was planned for that one.
func (s *slot) same(c engine.Conn, host string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := c.Identity()
	if s.identity == "" {
		s.identity = now
	}
	if s.identity == now {
		return nil
	}
	_ = c.Close() // nobody wants it
	op, when := "connect again to "+host, "when this run connected first"
	if s.planned {
		op, when = "connect to "+host, "when the plan was made"
	}
	return &engine.Error{Kind: engine.KindHostKey, Host: host, Op: op, Unreachable: true,
		Msg:  fmt.Sprintf("it was %q %s, and is %q now", s.identity, when, now),
		Hint: "was it rebuilt meanwhile, or is somebody in between? Nothing more is done on it; run again when that is clear"}
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

// Close ends every dial and closes every connection, in bounded time: all at once, but for one that others lead through,
// which is closed after them.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var dials []*dial
	for _, s := range p.slots {
		if d := s.end(); d != nil {
			dials = append(dials, d)
		}
	}
	levels := map[int][]engine.Conn{}
	for _, d := range dials {
		if <-d.done; d.conn != nil {
			levels[d.depth] = append(levels[d.depth], d.conn)
		}
	}
	var all error
	for _, depth := range slices.Backward(slices.Sorted(maps.Keys(levels))) {
		all = errors.Join(all, closeAll(levels[depth]))
	}
	return all
}

func closeAll(conns []engine.Conn) error {
	errs := make([]error, len(conns))
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() { errs[i] = c.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// end ends a dial that goes on, and returns it.
func (s *slot) end() *dial {
	s.mu.Lock()
	d := s.dial
	s.dial = nil
	s.mu.Unlock()
	if d != nil {
		d.cancel()
	}
	return d
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
