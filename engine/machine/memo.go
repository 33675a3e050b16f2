package machine

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// Memo keeps what was asked once: results of Reader.Once by host and key, which live as long as they are true (one pass, one
// look at a goal), and what each connection ends at, which lives as long as the connection. It is safe for use by several
// goroutines.
type Memo struct {
	answers *flights // by memoKey
	ends    *flights // by systemKey, toolsKey and sftpKey
}

// NewMemo makes an empty one.
func NewMemo() *Memo { return &Memo{newFlights(), newFlights()} }

// Renewed is a memo without answers, which shares with m what each connection ends at.
func (m *Memo) Renewed() *Memo { return &Memo{newFlights(), m.ends} }

// forget drops what was learnt over a connection that broke.
func (m *Memo) forget(host string, c engine.Conn) {
	m.ends.forget(func(all map[any]*flight) {
		delete(all, systemKey{c})
		delete(all, toolsKey{c})
		delete(all, sftpKey{c})
	})
	m.answers.forget(func(all map[any]*flight) {
		maps.DeleteFunc(all, func(key any, _ *flight) bool { k, ok := key.(memoKey); return ok && k.host == host })
	})
}

type memoKey struct{ host, key string }

// flights are calls of functions, each of which is made once.
type flights struct {
	mu  sync.Mutex
	all map[any]*flight
}

func newFlights() *flights { return &flights{all: map[any]*flight{}} }

// flight is one call of a function, and then its result.
type flight struct {
	done  chan struct{}
	value any
	err   error
}

// once returns what f returned for key. Callers who come while f runs wait for it and share its result; an error is
// not kept for later ones, unless credentials were refused, which do not get better and count towards a lock; and the end of one caller's context does not become the others' error.
func (m *flights) once(ctx context.Context, key any, f func(context.Context) (any, error)) (any, error) {
	for {
		m.mu.Lock()
		running, ok := m.all[key]
		if !ok {
			running = &flight{done: make(chan struct{})}
			m.all[key] = running
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

func (m *flights) fly(ctx context.Context, key any, f *flight, call func(context.Context) (any, error)) {
	f.err = errAbandoned // also when call panics
	defer func() {
		if f.err != nil && (engine.KindOf(f.err) != engine.KindAuth || errors.Is(f.err, errAbandoned)) {
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

func (m *flights) drop(key any, f *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all[key] == f {
		delete(m.all, key)
	}
}

func (m *flights) forget(some func(all map[any]*flight)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	some(m.all)
}
