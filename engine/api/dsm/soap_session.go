package dsm

import (
	"context"
	"sync"

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

// authenticate is executed once per connection: API.Session keeps a refusal, so that nothing here can lock the account.
func (s *soap) authenticate(ctx context.Context) (any, func(context.Context) error, error) {
	user, password := s.api.Login()
	op, args := "authenticate", []element{{name: "username", text: user}, {name: "password", text: password.Reveal()}}
	if tenant := s.api.Tenant(); tenant != "" {
		op, args = "authenticateTenant", append([]element{{name: "tenantName", text: tenant}}, args...)
	}
	answer, err := s.send(ctx, op, false, args...)
	if err != nil {
		return nil, nil, err
	}
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

// call executes an operation that only asks, in the session, whose sID is its last argument. A session that has
// expired is replaced once.
func (s *soap) call(ctx context.Context, op string, args ...element) (node, error) {
	return s.in(ctx, op, true, args...)
}

// act executes an operation that changes something, as call does. An operation for which the session had expired was not
// executed, so that it may be repeated; any other failure is not repeated.
func (s *soap) act(ctx context.Context, op string, args ...element) (node, error) {
	return s.in(ctx, op, false, args...)
}

func (s *soap) in(ctx context.Context, op string, asks bool, args ...element) (node, error) {
	for relogin := true; ; relogin = false {
		session, err := s.session(ctx)
		if err != nil {
			return node{}, err
		}
		answer, err := s.send(ctx, op, asks, append(args[:len(args):len(args)], element{name: "sID", text: session.sID})...)
		if !relogin || !isFault(err, "ManagerAuthenticationException") {
			return answer, err
		}
		session.dead.Do(func() { s.api.Forget(sessionName) }) // once: it must not drop the session of one who was faster
	}
}
