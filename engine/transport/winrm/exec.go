package winrm

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dsplay/dsplay/engine"
)

const (
	// longest is what fits beside "cmd.exe /C" in the 8191 characters of cmd.exe.
	longest = 8150
	// pace is the least time between two questions that bring nothing, whatever the host answers.
	pace = 100 * time.Millisecond
)

// Exec runs p.Line by cmd.exe, as engine.Shell says. The fate of a command is unknown (KindLost) when the host does
// not answer, or answers something else, after it was asked to start it; then the command is killed if the host
// can still be told so, and Orphan says that it could not. A command that certainly did not start has another kind.
//
// A nil Stdin is closed one second after the start, which costs a command that runs longer one request; one that
// reads waits that long for its end. Exec does not wait for a Read of Stdin that blocks after the command has ended.
func (c *conn) Exec(ctx context.Context, p engine.Process) (int, error) {
	op := "run " + shorten(p.Line)
	if err := sendable(p.Line); err != nil {
		return 0, &engine.Error{Kind: engine.KindModule, Host: c.pool.dialer.host, Op: op, Err: err,
			Hint: "keep the line short and plain, and hand over the rest by stdin"}
	}
	if err := c.admit(); err != nil {
		return 0, c.unbegun(op, err)
	}
	defer c.running.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.closing, func() { cancel(errClosed) })()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return 0, c.unbegun(op, why(ctx))
	}
	r, err := c.start(ctx, op, p.Line)
	if err != nil {
		return 0, err
	}
	defer c.leave(r.shell)
	return r.follow(ctx, p)
}

func (c *conn) admit() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.running.Add(1)
	return nil
}

// start starts a command. When the shell has vanished, or the host counts too much in it, which shows before anything
// starts, it makes a new one; a quota is waited for as long as operation_timeout. A host counts every command
// of a shell as an operation for as long as the shell lives (MS-WSMV, note 118: not even the terminate signal helps).
func (c *conn) start(ctx context.Context, op, line string) (*run, error) {
	wait := newQuotaWait(c.operation)
	for replaced := false; ; {
		sh, err := c.enter(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, c.unbegun(op, why(ctx))
			}
			return nil, c.notRun(op, err)
		}
		a, err := c.ask(ctx, command(sh.id, line))
		if err == nil && a.CommandID != "" {
			return &run{conn: c, shell: sh, id: a.CommandID, op: op}, nil
		}
		if err == nil {
			err = &lost{msg: "the host does not say as what it was started", answered: true}
		}
		gone := faultIs(err, codeShellGone)
		if gone && !replaced || overQuota(err) && (!replaced || wait.more(ctx)) {
			replaced = true
			c.discard(sh, gone)
			c.leave(sh)
			continue
		}
		defer c.leave(sh)
		return nil, c.unstarted(ctx, op, sh, err)
	}
}

// unstarted tells what it means that the host did not confirm the start.
func (c *conn) unstarted(ctx context.Context, op string, sh *shell, err error) error {
	dead := true
	if asked(err) {
		dead = c.retire(sh)
	}
	switch {
	case ctx.Err() != nil && !asked(err):
		return c.unbegun(op, why(ctx))
	case ctx.Err() != nil:
		return c.killed(op, why(ctx), !dead)
	case !asked(err):
		return c.notRun(op, err)
	}
	return c.lost(op, err, !dead)
}

func sendable(line string) error {
	if r, bad := unsendable(line); bad {
		return fmt.Errorf("the line holds the character %U, which WinRM cannot carry", r)
	}
	if n := len(utf16.Encode([]rune(line))); n > longest {
		return fmt.Errorf("the line has %d characters; cmd.exe takes %d", n, longest)
	}
	return nil
}

func shorten(line string) string {
	line = strings.NewReplacer("\r", " ", "\n", " ").Replace(line)
	if r := []rune(line); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return line
}
