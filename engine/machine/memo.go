package machine

import (
	"context"
	"errors"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// Memo keeps what was asked once: results of Reader.Once by host and key, and what each connection ends at.
// It lives as long as its contents are true: one pass, and one look at a goal. It is safe for use by several goroutines.
type Memo struct {
	mu      sync.Mutex
	flights map[any]*flight // by memoKey, or by engine.Conn
}

type memoKey struct{ host, key string }

// flight is one call of a function, and then its result.
type flight struct {
	done  chan struct{}
	value any
	err   error
}

// NewMemo makes an empty one.
func NewMemo() *Memo { return &Memo{flights: map[any]*flight{}} }

// once returns what f returned for key. Callers who come while f runs wait for it and share its result; an error is
// not kept for later ones, and the end of one caller's context does not become the others' error.
func (m *Memo) once(ctx context.Context, key any, f func(context.Context) (any, error)) (any, error) {
	for {
		m.mu.Lock()
		running, ok := m.flights[key]
		if !ok {
			running = &flight{done: make(chan struct{})}
			m.flights[key] = running
		}
		m.mu.Unlock()
		if !ok {
			m.fly(ctx, key, running, f)
			return running.value, running.err
		}
		select {
		case <-running.done:
		case <-ctx.Done():
			return nil, &engine.Error{Kind: engine.KindTimeout, Msg: "waited for an answer that another entry had asked for", Err: ctx.Err()}
		}
		if !errors.Is(running.err, errAbandoned) {
			return running.value, running.err
		}
	}
}

var errAbandoned = errors.New("its caller went away")

func (m *Memo) fly(ctx context.Context, key any, f *flight, call func(context.Context) (any, error)) {
	f.err = errAbandoned // also when call panics
	defer func() {
		if f.err != nil {
			m.drop(key, f)
		}
		close(f.done)
	}()
	value, err := call(ctx)
	if err != nil && ctx.Err() != nil {
		err = &abandoned{err}
	}
	f.value, f.err = value, err
}

// abandoned is the error of a call whose own context ended.
type abandoned struct{ error }

func (a *abandoned) Unwrap() error        { return a.error }
func (a *abandoned) Is(target error) bool { return errors.Is(errAbandoned, target) }

func (m *Memo) drop(key any, f *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flights[key] == f {
		delete(m.flights, key)
	}
}

// forget drops what was learnt over a connection that broke.
func (m *Memo) forget(host string, c engine.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.flights, c)
	delete(m.flights, toolsKey{c})
	delete(m.flights, sftpKey{c})
	for key := range m.flights {
		if k, ok := key.(memoKey); ok && k.host == host {
			delete(m.flights, key)
		}
	}
}
