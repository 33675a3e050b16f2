package ssh

import (
	"context"
	"errors"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// linger is how long output may still come after a command has ended. A daemon that it started and that kept its
// stdout open must not hold us for longer.
const linger = 2 * time.Second

// Exec runs p.Line in the login shell of the user, as it is. A death by signal n is the code 128+n, as shells say.
//
// A p.Stdin whose Read never returns keeps its goroutine after Exec has returned; nothing can end that Read.
// p.Stdout and p.Stderr are not written to any more when Exec has returned.
func (c *Conn) Exec(ctx context.Context, p engine.Process) (int, error) {
	s, err := c.start(ctx, p)
	if err != nil {
		return 0, err
	}
	defer s.detach()
	select {
	case <-s.closed:
	case <-s.exited:
		s.drain(ctx)
	case <-ctx.Done():
		if _, ended := s.result(); !ended {
			return 0, c.stop(ctx, s, p.Line)
		}
	}
	if code, ok := s.result(); ok {
		return code, nil
	}
	return 0, c.lost(p.Line)
}

// start gets a session going, or says why it could not be.
func (c *Conn) start(ctx context.Context, p engine.Process) (*session, error) {
	if ctx.Err() != nil {
		return nil, c.notStarted(ctx, p.Line)
	}
	select {
	case c.slots <- struct{}{}:
	case <-c.done:
		return nil, c.notRun(p.Line)
	case <-ctx.Done():
		return nil, c.notStarted(ctx, p.Line)
	}
	s, err := c.open(ctx, p, func() { <-c.slots })
	if err != nil {
		<-c.slots
	}
	return s, err
}

// lost: whether the command ran to its end, and with which code, nobody knows.
func (c *Conn) lost(line string) error {
	e := c.failure(engine.KindLost, line, "check on the host whether it was done before it is repeated")
	e.Msg, e.Unreachable = "the connection broke, the outcome is unknown", true
	return e
}

func (c *Conn) notRun(line string) error {
	e := c.failure(engine.KindLost, line, "")
	e.Msg, e.Err, e.Unreachable = "the connection had broken before", engine.ErrNotRun, true
	return e
}

// notStarted: the context ended while the command waited for its turn.
func (c *Conn) notStarted(ctx context.Context, line string) error {
	e := c.failure(engine.KindTimeout, line, "")
	e.Msg, e.Err = "not started: the host had no session free, or did not answer", ctx.Err()
	return e
}

// stop kills what s runs, because ctx has ended, and says whether that could be confirmed.
func (c *Conn) stop(ctx context.Context, s *session, line string) error {
	dead, survivors := c.kill(ctx, s)
	e := c.failure(engine.KindTimeout, line, "")
	e.Msg, e.Err, e.Hint = "stopped before it ended", ctx.Err(), "look on the host how far it came"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Msg = "not done in the time allowed, killed"
		e.Hint = "give the entry a longer timeout, or look at what hangs on the host"
	}
	if !dead {
		e.Orphan = true
		e.Hint = "look for it on the host, and end it there"
		if len(survivors) > 0 {
			e.Err = errors.Join(e.Err, engine.Survivors(survivors))
		}
		c.abandon(s)
	}
	return e
}

func (c *Conn) failure(kind engine.ErrorKind, line, hint string) *engine.Error {
	return &engine.Error{Kind: kind, Host: c.host, Op: "run " + line, Hint: hint}
}
