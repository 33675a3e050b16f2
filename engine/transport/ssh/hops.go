package ssh

import (
	"context"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// hops are connections to jump hosts that the run itself has none to: each is there as long as somebody leads through it.
type hops struct {
	mu    sync.Mutex
	conns map[string]*hop
}

type hop struct {
	users  int
	cancel context.CancelFunc
	done   chan struct{} // closed: what stands below is final
	conn   *Conn
	err    error
}

// get returns the connection with this key, opening it when there is none or it is broken. Who gets one calls leave when
// it is not needed any more; the last one closes it.
func (p *hops) get(ctx context.Context, key string, open func(context.Context) (*Conn, error)) (c *Conn, leave func(), err error) {
	h := p.join(ctx, key, open)
	leave = sync.OnceFunc(func() { p.leave(key, h) })
	select {
	case <-h.done:
		err = h.err
	case <-ctx.Done():
		err = &engine.Error{Kind: engine.KindTimeout, Op: "wait for the jump host", Err: ctx.Err(), Unreachable: true}
	}
	if err != nil {
		leave()
		return nil, nil, err
	}
	return h.conn, leave, nil
}

func (p *hops) join(ctx context.Context, key string, open func(context.Context) (*Conn, error)) *hop {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.conns[key]
	if h == nil || h.useless() {
		h = &hop{done: make(chan struct{})}
		if p.conns == nil {
			p.conns = map[string]*hop{}
		}
		p.conns[key] = h
		ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx)) // others wait for it, too
		go func() {
			defer close(h.done)
			h.conn, h.err = open(ctx)
		}()
	}
	h.users++
	return h
}

func (h *hop) useless() bool {
	select {
	case <-h.done:
		return h.err != nil || h.conn.Broken()
	default:
		return false
	}
}

func (p *hops) leave(key string, h *hop) {
	p.mu.Lock()
	h.users--
	last := h.users == 0
	if last && p.conns[key] == h {
		delete(p.conns, key)
	}
	p.mu.Unlock()
	if !last {
		return
	}
	h.cancel()
	<-h.done // bounded: its context has ended
	if h.conn != nil {
		_ = h.conn.Close() // nobody needs it
	}
}
