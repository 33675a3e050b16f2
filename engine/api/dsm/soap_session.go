package dsm

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/dsplay/dsplay/engine"
)

const sessionName = "dsm soap"

// login is one session of the SOAP API. A DSM allows a user only some at a time, so each one is ended: by the
// close that API.Session keeps, also when a run is interrupted.
type login struct {
	sID  string
	dead sync.Once
}

func (s *soap) session(ctx context.Context) (*login, error) {
	x, err := s.api.Session(ctx, sessionName, s.authenticate)
	if err != nil {
		return nil, err
	}
	return x.(*login), nil
}

// authenticate is executed once per connection: API.Session keeps a refusal, so that nothing here can lock the account. A login
// that the DSM does not answer may have been counted all the same, so that there are only some of those, too.
func (s *soap) authenticate(ctx context.Context) (any, func(context.Context) error, error) {
	unanswered, err := s.unanswered(ctx)
	if err != nil {
		return nil, nil, err
	}
	whole, cancel := lasting(ctx)
	defer cancel()
	answer, op, err := s.logIn(whole)
	switch {
	case engine.IsUnreachable(err):
		unanswered.Add(1)
		return nil, nil, err
	case err != nil:
		return nil, nil, err
	}
	unanswered.Store(0)
	sID := answer.text(op + "Return")
	if sID == "" {
		return nil, nil, &engine.Error{Kind: engine.KindProtocol, Op: op, Msg: "the DSM gave no session"}
	}
	end := func(ctx context.Context) error {
		_, err := s.send(ctx, "endSession", false, element{name: "sID", text: sID})
		if isFault(err, "ManagerAuthenticationException") {
			return nil // it has expired: nothing is left to end
		}
		return err
	}
	return &login{sID: sID}, end, nil
}

// grace is how much longer than its caller a login may take.
const grace = 5 * time.Second

// lasting is a context that outlives ctx by grace: a login that is cut off may have made a session, which nobody could end, or
// have counted as a failed one, which nobody would know.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, func() { stop(); cancel() }
}

// mostUnanswered logins may be without an answer: a DSM locks after five failed ones.
const mostUnanswered = 3

// unanswered counts the logins of this connection that the DSM did not answer; an error says that there were enough.
func (s *soap) unanswered(ctx context.Context) (*atomic.Int32, error) {
	x, err := s.api.Session(ctx, "dsm soap: unanswered logins", func(context.Context) (any, func(context.Context) error, error) {
		return new(atomic.Int32), func(context.Context) error { return nil }, nil
	})
	if err != nil {
		return nil, err
	}
	n := x.(*atomic.Int32)
	if n.Load() >= mostUnanswered {
		return nil, &engine.Error{Kind: engine.KindAuth, Op: "authenticate", Msg: fmt.Sprintf("the DSM did not answer %d logins; it is not tried again in this run, so as not to lock the account", mostUnanswered),
			Hint: "look at the DSM; request_timeout of the connection says how long an answer may take"}
	}
	return n, nil
}

// logIn sends the password, unless it is known to be wrong. A lock or a limit says nothing of it.
func (s *soap) logIn(ctx context.Context) (answer node, op string, err error) {
	user, password := s.api.Login()
	op, args := "authenticate", []element{{name: "username", text: user}, {name: "password", text: password.Reveal()}}
	if tenant := s.api.Tenant(); tenant != "" {
		op, args = "authenticateTenant", append([]element{{name: "tenantName", text: tenant}}, args...)
	}
	err = engine.LogIn(s.api, func() (err error) {
		answer, err = s.send(ctx, op, false, args...)
		return err
	}, func(err error) bool { return isFault(err, "ManagerAuthenticationException") })
	return answer, op, err
}

// call executes an operation that only asks, in the session, whose sID is its last argument. A session that has
// expired is replaced.
func (s *soap) call(ctx context.Context, op string, args ...element) (node, error) {
	return s.in(ctx, op, true, args...)
}

// act executes an operation that changes something, as call does. An operation for which the session had expired was not
// executed, so that it may be repeated; any other failure is not repeated.
func (s *soap) act(ctx context.Context, op string, args ...element) (node, error) {
	return s.in(ctx, op, false, args...)
}

func (s *soap) in(ctx context.Context, op string, asks bool, args ...element) (node, error) {
	turns, err := s.turns(ctx)
	if err != nil {
		return node{}, err
	}
	answer, used, err := s.inTurn(ctx, turns, op, asks, args)
	if !isFault(err, "ManagerAuthenticationException") || used == nil {
		return answer, err
	}
	return s.again(ctx, turns, used, op, asks, args)
}

// again repeats a call that was refused for its session. It has the DSM to itself meanwhile: a session may be worth a few
// calls only, and those of others would use up the new one. So there is one login for all who wait, one per call at most, and what
// is refused in a session that nobody else has used is refused for good.
func (s *soap) again(ctx context.Context, turns *semaphore.Weighted, used *login, op string, asks bool, args []element) (answer node, err error) {
	if err := turns.Acquire(ctx, everybody); err != nil {
		return node{}, err
	}
	defer turns.Release(everybody)
	for { // in the session that another one has opened since, if any; then in a new one
		mine := s.drop(used)
		answer, used, err = s.once(ctx, op, asks, args)
		switch refused := isFault(err, "ManagerAuthenticationException") && used != nil; {
		case !refused:
			return answer, err
		case mine:
			return node{}, &engine.Error{Kind: engine.KindModule, Op: op, Msg: "the DSM refuses a session that it has only just opened", Err: err,
				Hint: "does a load balancer spread the calls over several managers? Give the address of one"}
		}
	}
}

// inTurn is once, while nobody repeats a call.
func (s *soap) inTurn(ctx context.Context, turns *semaphore.Weighted, op string, asks bool, args []element) (node, *login, error) {
	if err := turns.Acquire(ctx, 1); err != nil {
		return node{}, nil, err
	}
	defer turns.Release(1)
	return s.once(ctx, op, asks, args)
}

// once executes the operation, and says in which session; nil when there was none, and nothing was asked.
func (s *soap) once(ctx context.Context, op string, asks bool, args []element) (node, *login, error) {
	session, err := s.session(ctx)
	if err != nil {
		return node{}, nil, err
	}
	answer, err := s.send(ctx, op, asks, append(args[:len(args):len(args)], element{name: "sID", text: session.sID})...)
	return answer, session, err
}

// drop forgets an expired session, once: by then there may be another. It says whether it was this call that did.
func (s *soap) drop(l *login) (mine bool) {
	l.dead.Do(func() { s.api.Forget(sessionName); mine = true })
	return mine
}

// everybody is more calls than are ever under way at once.
const everybody = 1 << 20

// turns lets many calls of this connection go together, or one alone.
func (s *soap) turns(ctx context.Context) (*semaphore.Weighted, error) {
	x, err := s.api.Session(ctx, "dsm soap: turns", func(context.Context) (any, func(context.Context) error, error) {
		return semaphore.NewWeighted(everybody), func(context.Context) error { return nil }, nil
	})
	if err != nil {
		return nil, err
	}
	return x.(*semaphore.Weighted), nil
}
