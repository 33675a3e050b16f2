package winrm

import (
	"context"
	"errors"
	"fmt"

	"github.com/dsplay/dsplay/engine"
)

// lost is a request that was sent, or may have been, and got no valid answer: what it asked may have been done.
type lost struct {
	msg      string
	hint     string
	answered bool // the host did answer something
	silent   bool // it did not answer in time
	err      error
}

func (l *lost) Error() string {
	if l.err == nil {
		return l.msg
	}
	return l.msg + ": " + l.err.Error()
}

func (l *lost) Unwrap() error { return l.err }

// unsent is the end of a ctx before anything was sent.
type unsent struct{ error }

func (u unsent) Unwrap() error { return u.error }

// why is why ctx ended: always context.Canceled or DeadlineExceeded, with the cause that its owner gave; or errClosed.
func why(ctx context.Context) error {
	cause, err := context.Cause(ctx), ctx.Err()
	if errors.Is(cause, err) || errors.Is(cause, errClosed) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// asked tells whether err, of call, leaves open that the host did what it was asked.
func asked(err error) bool {
	var f *Fault
	var e *engine.Error
	switch {
	case errors.As(err, &f):
		return noNews(f)
	case errors.As(err, &e), errors.As(err, new(unsent)):
		return false
	}
	return true
}

// notRun is the error of a command that certainly did not start. Where the host could not be asked, it wraps
// ErrNotRun; what the host refused, it would refuse again.
func (c *conn) notRun(op string, err error) *engine.Error {
	e := c.failed(op, err)
	if e.Unreachable && e.Kind != engine.KindAuth && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return &engine.Error{Kind: engine.KindLost, Host: e.Host, Op: op, Err: fmt.Errorf("%w: %w", engine.ErrNotRun, e), Hint: e.Hint, Unreachable: true}
	}
	return e
}

// failed is the error where nothing was started on the host.
func (c *conn) failed(op string, err error) *engine.Error {
	host := c.pool.dialer.host
	var e *engine.Error
	var f *Fault
	var l *lost
	switch {
	case errors.As(err, &e):
		copied := *e
		return &copied
	case errors.As(err, &f):
		return refusal(host, op, f)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errClosed):
		return c.unbegun(op, err)
	}
	e = &engine.Error{Kind: engine.KindRefused, Host: host, Op: op, Err: err, Unreachable: true}
	if errors.As(err, &l) {
		e.Hint = l.hint
		switch {
		case l.silent:
			e.Kind = engine.KindTimeout
		case l.answered:
			e.Kind = engine.KindProtocol
		}
	}
	return e
}

// unbegun is the error when the caller's time was over, or the connection closed, before the host was asked.
func (c *conn) unbegun(op string, cause error) *engine.Error {
	if errors.Is(cause, errClosed) {
		return &engine.Error{Kind: engine.KindLost, Host: c.pool.dialer.host, Op: op, Err: fmt.Errorf("%w: %w", engine.ErrNotRun, cause), Unreachable: true}
	}
	return &engine.Error{Kind: engine.KindTimeout, Host: c.pool.dialer.host, Op: op, Msg: "not begun", Err: cause}
}

// killed is the error when the caller's time was over, or the connection closed, while it ran.
func (c *conn) killed(op string, cause error, orphan bool) *engine.Error {
	e := &engine.Error{Kind: engine.KindTimeout, Host: c.pool.dialer.host, Op: op, Msg: "stopped before its end", Err: cause, Orphan: orphan}
	switch {
	case errors.Is(cause, context.DeadlineExceeded):
		e.Msg, e.Hint = "not ended in time, and killed", "give it a longer timeout, or look at what hangs on the host"
	case errors.Is(cause, errClosed):
		e.Kind = engine.KindLost
	}
	if orphan {
		e.Hint = "look for it on the host, and end it there; when the host is reachable at the end of the run, its remote shell is ended, and it with that"
	}
	return e
}

// lost is the error of a command whose outcome is unknown.
func (c *conn) lost(op string, cause error, orphan bool) *engine.Error {
	e := &engine.Error{Kind: engine.KindLost, Host: c.pool.dialer.host, Op: op, Err: cause, Orphan: orphan,
		Msg: "the outcome is not known"}
	var l *lost
	var known *engine.Error
	switch {
	case errors.As(cause, &l):
		e.Hint, e.Unreachable = l.hint, !l.answered
	case faultIs(cause, codeShellGone):
		e.Hint, e.Unreachable = "the host, or its WinRM service, restarted meanwhile", true
	case faultIs(cause, codeAborted):
		e.Hint = "did somebody end it on the host, or did its WinRM service restart?"
	case errors.As(cause, new(*Fault)):
		e.Hint = eventLog
	case errors.As(cause, &known):
		e.Hint, e.Unreachable = known.Hint, true
	}
	return e
}
