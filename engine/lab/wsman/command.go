package wsman

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// held is how many bytes a stream holds before its writer has to wait.
const held = 1 << 20

// linger is how long Receive waits for more once there is something, so that a short command needs one Receive.
const linger = 5 * time.Millisecond

// command is one that runs, or one whose end has not been fetched.
type command struct {
	id    string
	ctx   context.Context
	over  context.CancelCauseFunc // what comes first counts: errEnded, or that it was killed
	ended chan struct{}           // closed when the handler has returned

	mu           sync.Mutex
	changed      chan struct{} // closed and replaced at every change below
	in, out, err []byte
	eof, done    bool
	exit         uint32
}

func newCommand(ctx context.Context) *command {
	c := &command{id: newID(), ended: make(chan struct{}), changed: make(chan struct{})}
	c.ctx, c.over = context.WithCancelCause(ctx)
	return c
}

var (
	errEnded  = errors.New("the command has ended")
	errKilled = errors.New("the command was killed")
)

// kill ends the command; what it then ends with reaches nobody.
func (c *command) kill() { c.over(errKilled) }

// killed tells whether something else than its own end was the end of the command.
func (c *command) killed() bool {
	cause := context.Cause(c.ctx)
	return cause != nil && !errors.Is(cause, errEnded)
}

func (c *command) run(handle func(context.Context, *Session) uint32, user, line string) {
	defer close(c.ended)
	exit := handle(c.ctx, &Session{User: user, Line: line, Stdin: stdin{c}, Stdout: sink{c, &c.out}, Stderr: sink{c, &c.err}})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over(errEnded)
	c.done, c.exit = !c.killed(), exit
	c.notify()
}

// notify wakes everybody who waits; the lock is held.
func (c *command) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// until waits until ready, which is called with the lock held, and returns with the lock held. Its error says that the command
// was killed, or that it did not come about in time. A command that ends by itself is ready and over at once, and select
// picks one of several by chance: so one looks again.
func (c *command) until(ctx context.Context, ready func() bool) error {
	c.mu.Lock()
	for !ready() {
		changed := c.changed
		c.mu.Unlock()
		var over error
		select {
		case <-changed:
		case <-c.ctx.Done():
			over = faultAborted
		case <-ctx.Done():
			over = faultTimedOut
		}
		c.mu.Lock()
		if over != nil && (c.killed() || !ready()) {
			return over
		}
	}
	return nil
}

// feed appends to stdin.
func (c *command) feed(ctx context.Context, data []byte, end bool) error {
	err := c.until(ctx, func() bool { return len(c.in) < held || c.done })
	defer c.mu.Unlock()
	switch {
	case err != nil:
		return err
	case c.done || c.eof:
		return fault{232, "w:InternalError", "The pipe is being closed. "} // ERROR_NO_DATA
	}
	c.in, c.eof = append(c.in, data...), end
	c.notify()
	return nil
}

// output is what one Receive carries.
type output struct {
	out, err []byte
	done     bool
	exit     uint32
}

// fetch waits for something to tell and takes at most limit bytes of it.
func (c *command) fetch(ctx context.Context, limit int) (output, error) {
	err := c.until(ctx, func() bool { return len(c.out)+len(c.err) > 0 || c.done })
	c.mu.Unlock()
	if err != nil {
		return output{}, err
	}
	short, cancel := context.WithTimeout(ctx, linger)
	defer cancel()
	_ = c.until(short, func() bool { return len(c.out)+len(c.err) >= limit || c.done })
	defer c.mu.Unlock()
	var got output
	got.out, c.out = cut(c.out, limit)
	got.err, c.err = cut(c.err, limit-len(got.out))
	got.done, got.exit = c.done && len(c.out)+len(c.err) == 0, c.exit
	c.notify()
	return got, nil
}

func cut(data []byte, limit int) (head, tail []byte) {
	n := min(len(data), limit)
	return data[:n:n], data[n:]
}

func (o output) xml(id string) string {
	var b strings.Builder
	b.WriteString(`<rsp:ReceiveResponse>`)
	for _, s := range []struct {
		name string
		data []byte
	}{{"stdout", o.out}, {"stderr", o.err}} {
		if len(s.data) > 0 {
			fmt.Fprintf(&b, `<rsp:Stream Name="%s" CommandId="%s">%s</rsp:Stream>`, s.name, id, base64.StdEncoding.EncodeToString(s.data))
		}
		if o.done {
			fmt.Fprintf(&b, `<rsp:Stream Name="%s" CommandId="%s" End="true"></rsp:Stream>`, s.name, id)
		}
	}
	if o.done {
		fmt.Fprintf(&b, `<rsp:CommandState CommandId="%s" State="%s/CommandState/Done"><rsp:ExitCode>%d</rsp:ExitCode></rsp:CommandState>`, id, nsShell, o.exit)
	} else {
		fmt.Fprintf(&b, `<rsp:CommandState CommandId="%s" State="%s/CommandState/Running"/>`, id, nsShell)
	}
	b.WriteString(`</rsp:ReceiveResponse>`)
	return b.String()
}

type stdin struct{ c *command }

func (s stdin) Read(p []byte) (int, error) {
	c := s.c
	err := c.until(c.ctx, func() bool { return len(c.in) > 0 || c.eof })
	defer c.mu.Unlock()
	switch {
	case err != nil:
		return 0, c.ctx.Err()
	case len(c.in) == 0:
		return 0, io.EOF
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	c.notify()
	return n, nil
}

type sink struct {
	c    *command
	data *[]byte
}

func (s sink) Write(p []byte) (int, error) {
	c := s.c
	err := c.until(c.ctx, func() bool { return len(*s.data) < held })
	defer c.mu.Unlock()
	if err != nil {
		return 0, c.ctx.Err()
	}
	*s.data = append(*s.data, p...)
	c.notify()
	return len(p), nil
}
