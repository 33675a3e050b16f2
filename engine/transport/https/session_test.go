package https

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// account counts logins and logouts.
type account struct {
	opened, closed atomic.Int64
	fail           func() error
}

func (a *account) open(context.Context) (any, func(context.Context) error, error) {
	n := a.opened.Add(1)
	if a.fail != nil {
		if err := a.fail(); err != nil {
			return nil, nil, err
		}
	}
	return n, func(context.Context) error { a.closed.Add(1); return nil }, nil
}

func TestSessionIsOpenedOnceAndClosedOnce(t *testing.T) {
	s := newSessions(t.Context(), "dsm1")
	var a account
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if v, err := s.Session(t.Context(), "dsm", a.open); err != nil || v != int64(1) {
				t.Errorf("%v %v", v, err)
			}
		})
	}
	wg.Wait()
	if err := s.close(); err != nil || a.opened.Load() != 1 || a.closed.Load() != 1 {
		t.Errorf("opened %d, closed %d, %v", a.opened.Load(), a.closed.Load(), err)
	}
	if _, err := s.Session(t.Context(), "dsm", a.open); engine.KindOf(err) != engine.KindLost {
		t.Errorf("a session of a closed connection: %v", err)
	}
}

func TestForgottenSessionIsOpenedAnewAndNotClosed(t *testing.T) {
	s := newSessions(t.Context(), "dsm1")
	var a account
	for want := range int64(3) {
		if v, err := s.Session(t.Context(), "dsm", a.open); err != nil || v != want+1 {
			t.Fatalf("%v %v", v, err)
		}
		s.Forget("dsm")
	}
	if _ = s.close(); a.closed.Load() != 0 {
		t.Errorf("%d sessions that the host had ended were closed", a.closed.Load())
	}
}

func TestRefusedCredentialsAreNotTriedAgain(t *testing.T) {
	s := newSessions(t.Context(), "dsm1")
	a := account{fail: func() error { return &engine.Error{Kind: engine.KindAuth, Msg: "no"} }}
	for range 5 {
		if _, err := s.Session(t.Context(), "dsm", a.open); engine.KindOf(err) != engine.KindAuth {
			t.Fatal(err)
		}
		s.Forget("dsm")
	}
	if a.opened.Load() != 1 {
		t.Errorf("%d logins: the account would be locked", a.opened.Load())
	}
}

func TestOtherFailuresAreTriedAgain(t *testing.T) {
	s := newSessions(t.Context(), "dsm1")
	a := account{}
	a.fail = func() error {
		if a.opened.Load() == 1 {
			return errors.New("starting")
		}
		return nil
	}
	if _, err := s.Session(t.Context(), "dsm", a.open); err == nil {
		t.Fatal("want the first failure")
	}
	if v, err := s.Session(t.Context(), "dsm", a.open); err != nil || v != int64(2) {
		t.Errorf("%v %v", v, err)
	}
}

func TestEndOfTheOpenerIsNoFailureOfOthers(t *testing.T) {
	s := newSessions(t.Context(), "dsm1")
	var a account
	begun := make(chan struct{})
	first, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := s.Session(first, "dsm", func(ctx context.Context) (any, func(context.Context) error, error) {
			close(begun)
			<-ctx.Done()
			return nil, nil, ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the opener: %v", err)
		}
	})
	<-begun
	wg.Go(func() {
		if v, err := s.Session(t.Context(), "dsm", a.open); err != nil || v != int64(1) {
			t.Errorf("the other: %v %v", v, err)
		}
	})
	stop()
	wg.Wait()
}

func TestLateSessionIsEnded(t *testing.T) {
	s := newSessions(t.Context(), "dsm1")
	var a account
	_, err := s.Session(t.Context(), "dsm", func(ctx context.Context) (any, func(context.Context) error, error) {
		_ = s.close() // while the login is on its way
		return a.open(ctx)
	})
	if err == nil || a.closed.Load() != 1 {
		t.Errorf("closed %d times, %v", a.closed.Load(), err)
	}
}

func TestCloseIsBounded(t *testing.T) {
	s := newSessions(t.Context(), "dsm1")
	s.limit = 20 * time.Millisecond
	block := make(chan struct{})
	t.Cleanup(func() { close(block) })
	if _, err := s.Session(t.Context(), "dsm", func(context.Context) (any, func(context.Context) error, error) {
		return 1, func(context.Context) error { <-block; return nil }, nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); engine.KindOf(err) != engine.KindTimeout {
		t.Errorf("want a timeout, got %v", err)
	}
}
