package https

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const closeLimit = 5 * time.Second

// sessions are the logins of one connection, by name.
type sessions struct {
	host  string
	ctx   context.Context // for closing: the values of the opener's context, not its end
	limit time.Duration   // for closing

	mu     sync.Mutex
	closed bool
	slots  map[string]*slot
}

// slot is one session, or the attempt to open it. Its fields are final once done is closed.
type slot struct {
	done      chan struct{}
	session   any
	close     func(context.Context) error
	err       error
	abandoned bool // err came from the end of the opener's context, which says nothing to others
}

type opener = func(context.Context) (any, func(context.Context) error, error)

func newSessions(ctx context.Context, host string) *sessions {
	return &sessions{host: host, ctx: ctx, limit: closeLimit, slots: map[string]*slot{}}
}

// Session returns what open made. Who waits for another's open shares its error. An error is forgotten, so that
// the next call tries again, except one of KindAuth: the same credentials do not get better, and the account
// would be locked by trying.
func (s *sessions) Session(ctx context.Context, name string, open opener) (any, error) {
	for {
		x, mine, err := s.slot(name)
		if err != nil {
			return nil, err
		}
		if mine {
			s.fill(ctx, name, x, open)
			return x.session, x.err
		}
		select {
		case <-x.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !x.abandoned {
			return x.session, x.err
		}
	}
}

// Forget drops a session without closing it: the other side has ended it. A refusal of the credentials stays.
func (s *sessions) Forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.slots[name]; x != nil && x.ready() && x.err == nil {
		delete(s.slots, name)
	}
}

func (x *slot) ready() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

func (s *sessions) slot(name string) (x *slot, mine bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, s.closedError()
	}
	if x := s.slots[name]; x != nil {
		return x, false, nil
	}
	x = &slot{done: make(chan struct{})}
	s.slots[name] = x
	return x, true, nil
}

func (s *sessions) fill(ctx context.Context, name string, x *slot, open opener) {
	defer close(x.done)
	x.err = errors.New("opening the session did not return") // if open panics
	x.session, x.close, x.err = open(ctx)
	x.err = engine.Blame(x.err, s.host) // now: afterwards it is shared
	s.mu.Lock()
	late := s.closed && x.err == nil
	if x.err != nil && engine.KindOf(x.err) != engine.KindAuth && s.slots[name] == x {
		delete(s.slots, name)
	}
	s.mu.Unlock()
	x.abandoned = x.err != nil && ctx.Err() != nil && engine.KindOf(x.err) != engine.KindAuth
	if late {
		x.err = errors.Join(s.closedError(), s.end([]*slot{x}))
		x.session = nil
	}
}

func (s *sessions) closedError() error {
	return &engine.Error{Kind: engine.KindLost, Host: s.host, Op: "open a session", Msg: "the connection is closed"}
}

// close ends every open session, all at once.
func (s *sessions) close() error {
	s.mu.Lock()
	s.closed = true
	var open []*slot
	for _, x := range s.slots {
		if x.ready() && x.err == nil {
			open = append(open, x)
		}
	}
	s.slots = map[string]*slot{}
	s.mu.Unlock()
	return s.end(open)
}

func (s *sessions) end(open []*slot) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.limit)
	defer cancel()
	ended := make(chan error, len(open))
	for _, x := range open {
		go func() {
			if x.close == nil {
				ended <- nil
				return
			}
			ended <- x.close(ctx)
		}()
	}
	var errs []error
	for range open {
		select {
		case err := <-ended:
			errs = append(errs, err)
		case <-ctx.Done():
			return errors.Join(append(errs, &engine.Error{Kind: engine.KindTimeout, Host: s.host, Op: "end a session",
				Msg: "no answer; the host ends it when it has been idle for long enough"})...)
		}
	}
	return errors.Join(errs...)
}
