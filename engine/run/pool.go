package run

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// Pool opens the one connection that a run has per host, and lends it to all who ask.
// A host that did not answer is not asked again until Retry: whoever asks gets the same error at once.
type Pool struct {
	transports map[string]engine.Transport
	opened     func(host, identity string)

	mu    sync.Mutex
	slots map[string]*slot
}

type slot struct {
	mu   sync.Mutex // held while dialing, so that a host is dialed once
	conn engine.Conn
	err  error
	ever bool // it answered once: a failure now may be a reboot, so whoever waits for it may dial again
}

// NewPool makes an empty pool over the transports, by their type in the inventory. opened is told of every
// connection; it may be nil.
func NewPool(transports map[string]engine.Transport, opened func(host, identity string)) *Pool {
	if opened == nil {
		opened = func(string, string) {}
	}
	return &Pool{transports: transports, opened: opened, slots: map[string]*slot{}}
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

// Get returns the connection to h, dialing when there is none.
func (p *Pool) Get(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	s := p.slot(h.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil || s.err != nil {
		return s.conn, s.err
	}
	t, ok := p.transports[h.Connection.Type]
	if !ok {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Msg: "the inventory has no connection for " + h.Name,
			Hint: fmt.Sprintf("add a connection block to the host (%s) or to one of its groups", h.Range)}
	}
	conn, err := t.Open(ctx, h)
	if err != nil {
		if ctx.Err() == nil && !s.ever { // an answer of the host, not of our own hurry
			s.err = err
		}
		return nil, err
	}
	s.conn, s.ever = conn, true
	p.opened(h.Name, conn.Identity())
	return conn, nil
}

// Discard closes a connection that broke; the next Get dials anew.
func (p *Pool) Discard(h *engine.Host, c engine.Conn) {
	s := p.slot(h.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c && c != nil {
		_ = c.Close() // it is broken already
		s.conn = nil
	}
}

// Retry forgets that a host did not answer.
func (p *Pool) Retry(host string) {
	s := p.slot(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = nil
}

// RetryAll forgets every host that did not answer: a new pass asks again.
func (p *Pool) RetryAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.slots {
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
	}
}

// Failed returns the hosts that did not answer, with what they were asked last.
func (p *Pool) Failed() map[string]error {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]error{}
	for name, s := range p.slots {
		s.mu.Lock()
		if s.err != nil {
			out[name] = s.err
		}
		s.mu.Unlock()
	}
	return out
}

// Close closes every connection, all at once, in bounded time.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var wg sync.WaitGroup
	errs := make(chan error, len(p.slots))
	for _, s := range p.slots {
		wg.Go(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.conn != nil {
				errs <- s.conn.Close()
				s.conn = nil
			}
		})
	}
	wg.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}
