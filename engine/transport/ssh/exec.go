package ssh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// linger is how long output may still come after a command has ended. A daemon that it started and that kept its
// stdout open must not hold us for longer.
const linger = 2 * time.Second

// longest is what a login shell gets as one argument: MAX_ARG_STRLEN of Linux without the NUL at its end (execve(2)).
// BSDs and ESXi take more, old systems as much as all arguments together; sshd itself ends the connection at 256 KiB.
const longest = 131_071

// Exec runs p.Line in the login shell of the user, as it is. A death by signal n is the code 128+n, as shells say.
//
// A p.Stdin whose Read never returns keeps its goroutine after Exec has returned; nothing can end that Read.
// p.Stdout and p.Stderr are not written to any more when Exec has returned. When one of them fails, the command is
// killed, and the error wraps theirs.
func (c *Conn) Exec(ctx context.Context, p engine.Process) (int, error) {
	if err := c.sayable(p.Line); err != nil {
		return 0, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s, err := c.start(ctx, p, fail)
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
	code, ok := s.result()
	switch broken := unkept(ctx); {
	case !ok:
		return 0, c.noCode(p.Line)
	case broken != nil:
		return 0, c.notKept(p.Line, broken)
	}
	return code, nil
}

// sayable refuses what no shell would get whole, before anything is sent.
func (c *Conn) sayable(line string) error {
	e := c.failure(engine.KindModule, shorten(line), "keep the line short, and hand over the rest by stdin")
	switch {
	case strings.ContainsRune(line, 0):
		e.Msg, e.Hint = "there is a NUL in the line, which no shell can be given", ""
	case len(line) > longest:
		e.Msg = fmt.Sprintf("the line has %d bytes; a shell takes %d", len(line), longest)
	default:
		return nil
	}
	return e
}

func shorten(line string) string {
	if len(line) > 80 {
		line = strings.ToValidUTF8(line[:77], "") + "…"
	}
	return strings.ReplaceAll(line, "\x00", `\0`)
}

// broken is why output could not be kept.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

func unkept(ctx context.Context) error {
	if b := (broken{}); errors.As(context.Cause(ctx), &b) {
		return b.error
	}
	return nil
}

// notKept: the command ended, or was ended, and a part of its output is missing.
func (c *Conn) notKept(line string, err error) *engine.Error {
	e := c.failure(engine.KindLost, line, "look on the host how far it came")
	e.Msg, e.Err = "its output could not be kept", err
	return e
}

// start gets a session going, or says why it could not be.
func (c *Conn) start(ctx context.Context, p engine.Process, fail context.CancelCauseFunc) (*session, error) {
	if err := c.slot(ctx, p.Line); err != nil {
		return nil, err
	}
	s, err := c.open(ctx, p, fail, func() { <-c.slots })
	if err != nil {
		<-c.slots
	}
	return s, err
}

// noCode: the channel has ended, and nobody has said how the command did. Nearly always the connection has broken; its
// own end shows a moment after that of its channels.
func (c *Conn) noCode(line string) error {
	timer := time.NewTimer(200 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-c.done:
		return c.lost(line)
	case <-timer.C:
	}
	e := c.failure(engine.KindLost, line, "check on the host whether it was done before it is repeated; the log of sshd may say why")
	e.Msg, e.Unreachable, e.Orphan = "the host ended it without an exit code, the outcome is unknown", true, true
	return e
}

// lost: whether the command ran to its end, and with which code, nobody knows; nor whether it still runs, because sshd ends
// no command whose connection breaks, unless it has a terminal.
func (c *Conn) lost(line string) error {
	e := c.failure(engine.KindLost, line, "check on the host whether it was done before it is repeated")
	e.Msg, e.Unreachable, e.Orphan = "the connection broke, the outcome is unknown", true, true
	if c.via != nil && c.via.brokeSoon() {
		e.Msg = "the connection to the jump host " + c.name + " broke, the outcome is unknown"
	}
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
	if err := unkept(ctx); err != nil {
		e = c.notKept(line, err)
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
