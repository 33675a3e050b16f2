package winrm

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// fresh is how long a link may have been idle and still be used: a firewall may have forgotten an older one, and a
// host that restarted would leave open whether a command was started.
const fresh = 30 * time.Second

var errClosed = errors.New("the connection is closed")

// pool is the links of one connection. There are as many as requests at once; each has logged in once.
type pool struct {
	dialer *dialer

	mu      sync.Mutex
	idle    []*link
	links   map[*link]bool
	closed  bool
	refused *engine.Error // the host refused the login: it is not tried again
}

// get returns a link that is logged in. After an error nothing was asked.
func (p *pool) get(ctx context.Context) (*link, error) {
	if ctx.Err() != nil {
		return nil, unsent{why(ctx)}
	}
	if l, err := p.take(); l != nil || err != nil {
		return l, err
	}
	l, err := p.dialer.open(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	var e *engine.Error
	switch {
	case errors.As(err, &e) && e.Kind == engine.KindAuth:
		p.refused = e
		return nil, err
	case err != nil && ctx.Err() != nil:
		return nil, unsent{why(ctx)}
	case err != nil:
		return nil, err
	case p.closed:
		_ = l.conn.Close()
		return nil, unsent{errClosed}
	}
	p.links[l] = true
	return l, nil
}

func (p *pool) take() (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, unsent{errClosed}
	case p.refused != nil:
		return nil, p.refused
	}
	for len(p.idle) > 0 {
		l := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if l.wake() {
			return l, nil
		}
		p.drop(l)
	}
	return nil, nil
}

// put gives a link back, or closes it when it is broken.
func (p *pool) put(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.broken || p.closed {
		p.drop(l)
		return
	}
	l.rest()
	p.idle = append(p.idle, l)
}

func (p *pool) drop(l *link) {
	delete(p.links, l)
	_ = l.conn.Close()
}

// deny remembers that the host refused the login.
func (p *pool) deny(e *engine.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = e
}

// close cuts every link, also those in use.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for l := range p.links {
		_ = l.conn.Close()
	}
	for _, l := range p.idle {
		<-l.resting
	}
	p.idle = nil
}
