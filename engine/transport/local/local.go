// Package local knows how to run commands on the machine on which dsplay itself runs.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Settings are the arguments of a connection "local" block: none.
type Settings struct{}

// Transport opens connections to this machine.
type Transport struct{}

// Settings returns a fresh *Settings.
func (Transport) Settings() any { return &Settings{} }

// Open never fails: there is nothing to connect to.
func (Transport) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	engine.BeginStage(ctx, engine.StageShell)(engine.Stage{Detail: "this machine"})
	return &Conn{host: h.Name}, nil
}

const (
	// linger is how long output may still come after a command has ended: a daemon that kept its stdout open must not
	// hold us for longer.
	linger = 2 * time.Second
	grace  = 2 * time.Second // what is killed has so long to vanish
	glance = 10 * time.Millisecond
)

// Conn runs commands here.
type Conn struct{ host string }

// Identity is that of the machine to itself.
func (c *Conn) Identity() string { return "local" }

// Family is posix, where commands run under /bin/sh, or windows, where they run under cmd.exe.
func (c *Conn) Family() string { return family }

// Close has nothing to close.
func (c *Conn) Close() error { return nil }

// Exec runs p.Line by the shell of this machine, where nothing can ask on the terminal; it is killed when ctx ends.
//
// By /bin/sh -c it has a session of its own, and a death by signal n is the code 128+n.
//
// By cmd.exe /d /s /c the code is the signed number of 32 bits that Windows shows as errorlevel. What it started dies
// with it, except what others started for it: a service, a scheduled task. Output is in the code page of the machine's
// consoles unless the program decides otherwise; it arrives as it is.
//
// A p.Stdin whose Read never returns keeps its goroutine after Exec has returned. When p.Stdout or p.Stderr fails, the
// command is killed, and the error wraps theirs.
func (c *Conn) Exec(ctx context.Context, p engine.Process) (int, error) {
	if err := c.sayable(p.Line); err != nil {
		return 0, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	if ctx.Err() != nil {
		return 0, c.failure(ctx, p.Line)
	}
	cmd, err := command(p.Line)
	if err != nil {
		return 0, c.broken(p.Line, err)
	}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = keep(p.Stdout, fail), keep(p.Stderr, fail), linger
	if err := feed(cmd, p.Stdin); err != nil {
		return 0, c.broken(p.Line, err)
	}
	t, err := start(cmd)
	if err != nil {
		return 0, c.broken(p.Line, err)
	}
	defer t.release()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if unkept(ctx) != nil {
			return 0, c.failure(ctx, p.Line)
		}
		return c.result(cmd, p.Line, err)
	case <-ctx.Done():
	}
	return 0, c.stop(ctx, t, p.Line, ended)
}

// sayable refuses what the shell would not get whole.
func (c *Conn) sayable(line string) error {
	e := &engine.Error{Kind: engine.KindModule, Host: c.host, Op: "run a line", Hint: "keep the line short, and hand over the rest by stdin"}
	switch {
	case strings.ContainsRune(line, 0):
		e.Msg, e.Hint = "there is a NUL in it, which no shell can be given", ""
	case len(line) > longest:
		e.Msg = fmt.Sprintf("it has %d bytes; the shell takes %d", len(line), longest)
	default:
		return nil
	}
	return e
}

// keeper takes everything, so that the command does not block; to is nil after it has failed.
type keeper struct {
	to   io.Writer
	fail context.CancelCauseFunc
}

func keep(to io.Writer, fail context.CancelCauseFunc) io.Writer {
	if to == nil {
		return nil
	}
	return &keeper{to, fail}
}

func (k *keeper) Write(b []byte) (int, error) {
	if k.to == nil {
		return len(b), nil
	}
	if _, err := k.to.Write(b); err != nil {
		k.to = nil
		k.fail(broken{err})
	}
	return len(b), nil
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

// feed copies stdin by a pipe of our own: exec.Cmd would wait for a Read that never returns.
func feed(cmd *exec.Cmd, stdin io.Reader) error {
	if stdin == nil {
		return nil
	}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(pipe, stdin) // a command need not read all of it
		_ = pipe.Close()
	}()
	return nil
}

func (c *Conn) result(cmd *exec.Cmd, line string, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState == nil {
		return 0, c.broken(line, err)
	}
	return code(cmd.ProcessState), nil
}

// stop kills what began with t, and waits until nothing of it is left.
func (c *Conn) stop(ctx context.Context, t tree, line string, ended <-chan error) error {
	e := c.failure(ctx, line)
	left := t.kill(context.WithoutCancel(ctx))
	if len(left) == 0 {
		<-ended // at most linger later
		return e
	}
	e.Orphan, e.Hint = true, lookFor
	e.Err = errors.Join(e.Err, engine.Survivors(left))
	return e
}

func (c *Conn) failure(ctx context.Context, line string) *engine.Error {
	e := &engine.Error{Kind: engine.KindTimeout, Host: c.host, Op: "run " + line, Msg: "stopped", Err: ctx.Err()}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Msg, e.Hint = "not done in the time allowed, killed", "give the entry a longer timeout, or look at what hangs"
	}
	if err := unkept(ctx); err != nil {
		e.Kind, e.Msg, e.Err, e.Hint = engine.KindLost, "its output could not be kept", err, "look how far it came"
	}
	return e
}

func (c *Conn) broken(line string, err error) error {
	return &engine.Error{Kind: engine.KindProtocol, Host: c.host, Op: "run " + line, Err: err, Hint: noShell}
}
