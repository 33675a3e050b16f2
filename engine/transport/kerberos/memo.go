package kerberos

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// memo keeps tickets. One caller makes a ticket while the others who want it wait; they share what comes of it, so
// that a KDC that does not answer is waited for once, and a wrong password is tried once.
type memo struct {
	mu    sync.Mutex
	calls map[string]*call
}

type call struct {
	done      chan struct{}
	ticket    *ticket
	err       error
	abandoned bool // the caller gave up: that says nothing to the others
}

func (m *memo) get(ctx context.Context, key string, now func() time.Time, obtain func(context.Context) (*ticket, error)) (*ticket, error) {
	for {
		c, mine := m.join(key, now)
		if mine {
			c.ticket, c.err = obtain(ctx)
			c.abandoned = c.err != nil && ctx.Err() != nil && !final(c.err)
			close(c.done)
			return c.ticket, c.err
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !c.abandoned {
			return c.ticket, c.err
		}
	}
}

// join gives the call that makes, or has made, a ticket; mine: there was none that still counts.
func (m *memo) join(key string, now func() time.Time) (c *call, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.calls[key]; c != nil && c.counts(now) {
		return c, false
	}
	if m.calls == nil {
		m.calls = map[string]*call{}
	}
	c = &call{done: make(chan struct{})}
	m.calls[key] = c
	return c, true
}

func (c *call) counts(now func() time.Time) bool {
	select {
	case <-c.done:
	default:
		return true // on its way
	}
	if c.err != nil {
		return final(c.err)
	}
	return !c.ticket.stale(now())
}

// final tells whether err is the KDC's refusal, which does not change in a run.
func final(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Kind == engine.KindAuth && !f.passing()
}

// stale says that a ticket has run out, or will before it is of use.
func (t *ticket) stale(now time.Time) bool {
	return t.end.Sub(now) < min(2*time.Minute, t.end.Sub(t.start)/10)
}
