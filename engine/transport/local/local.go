//go:build unix

// Package local knows how to run commands on the machine on which dsplay itself runs.
package local

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"syscall"
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
func (Transport) Open(_ context.Context, h *engine.Host) (engine.Conn, error) {
	return &Conn{host: h.Name}, nil
}

// linger is how long output may still come after a command has ended: a daemon that kept its stdout open must not
// hold us for longer.
const linger = 2 * time.Second

// Conn runs commands here.
type Conn struct{ host string }

// Identity is that of the machine to itself.
func (c *Conn) Identity() string { return "local" }

// Family is posix: commands run under /bin/sh.
func (c *Conn) Family() string { return "posix" }

// Close has nothing to close.
func (c *Conn) Close() error { return nil }

// Exec runs p.Line by /bin/sh -c, in a session of its own (so nothing asks on the terminal), which is killed when ctx ends. A death by signal n
// is the code 128+n. A p.Stdin whose Read never returns keeps its goroutine after Exec has returned.
func (c *Conn) Exec(ctx context.Context, p engine.Process) (int, error) {
	if ctx.Err() != nil {
		return 0, c.failure(ctx, p.Line)
	}
	cmd := exec.Command("/bin/sh", "-c", p.Line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = p.Stdout, p.Stderr, linger
	if err := feed(cmd, p.Stdin); err != nil {
		return 0, c.broken(p.Line, err)
	}
	if err := cmd.Start(); err != nil {
		return 0, c.broken(p.Line, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return c.result(cmd, p.Line, err)
	case <-ctx.Done():
	}
	return 0, c.stop(ctx, cmd.Process.Pid, p.Line, ended)
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
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

func (c *Conn) failure(ctx context.Context, line string) *engine.Error {
	e := &engine.Error{Kind: engine.KindTimeout, Host: c.host, Op: "run " + line, Msg: "stopped", Err: ctx.Err()}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Msg, e.Hint = "not done in the time allowed, killed", "give the entry a longer timeout, or look at what hangs"
	}
	return e
}

func (c *Conn) broken(line string, err error) error {
	return &engine.Error{
		Kind: engine.KindProtocol, Host: c.host, Op: "run " + line, Err: err,
		Hint: "is there a /bin/sh, and may this user start another process?",
	}
}
