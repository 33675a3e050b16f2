package ssh

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
)

// slot waits until fewer than maxSessions run; who gets it takes one from c.slots in the end.
func (c *Conn) slot(ctx context.Context, line string) error {
	if ctx.Err() != nil {
		return c.notStarted(ctx, line)
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-c.done:
		return c.notRun(line)
	case <-ctx.Done():
		return c.notStarted(ctx, line)
	}
}

// begin opens the channel of s and asks for "exec" with a line, or "subsystem" with its name. A host that has no session
// free (MaxSessions) is asked again until ctx ends; one that does not answer at all loses its connection some time after that.
func (c *Conn) begin(ctx context.Context, s *session, kind, text string, tty bool) (requests <-chan *ssh.Request, err error) {
	begun := make(chan struct{})
	defer close(begun)
	defer context.AfterFunc(ctx, func() { c.closeUnless(begun) })()
	if s.channel, requests, err = c.channel(ctx); err != nil {
		return nil, c.noChannel(ctx, err, what(kind, text))
	}
	if tty {
		err = c.terminal(s.channel, text)
	}
	if err == nil {
		err = c.request(ctx, s, kind, text)
	}
	if err != nil {
		s.channel.Close()
		go ssh.DiscardRequests(requests)
		return nil, err
	}
	return requests, nil
}

// what is a request for people: the line, or "subsystem sftp".
func what(kind, text string) string {
	if kind == "exec" {
		return text
	}
	return kind + " " + text
}

// channel opens one, asking again while the host has no session free; after retire there is none.
func (c *Conn) channel(ctx context.Context) (ssh.Channel, <-chan *ssh.Request, error) {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		c.mu.Lock()
		retired := c.retired
		c.mu.Unlock()
		if retired || c.Broken() {
			return nil, nil, engine.ErrNotRun
		}
		channel, requests, err := c.client.OpenChannel("session", nil)
		var refused *ssh.OpenChannelError
		busy := errors.As(err, &refused) && (refused.Reason == ssh.ConnectionFailed || refused.Reason == ssh.ResourceShortage)
		if !busy {
			return channel, requests, err
		}
		if engine.Wait(ctx, pause/2+rand.N(pause)) != nil {
			return nil, nil, err
		}
	}
}

// closeUnless breaks a connection whose host does not even take a request any more.
func (c *Conn) closeUnless(begun <-chan struct{}) {
	timer := time.NewTimer(min(c.silence, 5*time.Second))
	defer timer.Stop()
	select {
	case <-begun:
	case <-c.done:
	case <-timer.C:
		c.client.Close()
	}
}

func (c *Conn) noChannel(ctx context.Context, err error, line string) error {
	var refused *ssh.OpenChannelError
	switch {
	case ctx.Err() != nil:
		return c.notStarted(ctx, line)
	case errors.As(err, &refused):
		e := c.failure(engine.KindProtocol, line, "does sshd allow this user to run commands?")
		e.Msg, e.Err = "the host refuses sessions", err
		return e
	}
	return c.notRun(line)
}

// Terminals says that a process can have one.
func (c *Conn) Terminals() {}

// modes of a terminal that changes no byte and echoes none (RFC 4254, section 8): signals are kept, for the end of input.
var modes = string([]byte{
	53, 0, 0, 0, 0, // ECHO
	54, 0, 0, 0, 0, // ECHOE
	70, 0, 0, 0, 0, // OPOST
	0,
})

func (c *Conn) terminal(channel ssh.Channel, line string) error {
	ok, err := channel.SendRequest("pty-req", true, ssh.Marshal(struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}{"dumb", 200, 50, 0, 0, modes}))
	if err != nil {
		return c.lost(line)
	}
	if !ok {
		e := c.failure(engine.KindProtocol, line, "remove tty from the sudo block, or allow PermitTTY in sshd for this user")
		e.Msg = "the host gives no terminal; nothing was run"
		return e
	}
	return nil
}

// request asks for it. One request at a time: so the order of c.sessions is that in which sshd forks.
func (c *Conn) request(ctx context.Context, s *session, kind, text string) error {
	line := what(kind, text)
	select {
	case c.turn <- struct{}{}:
	case <-c.done:
		return c.notRun(line)
	case <-ctx.Done():
		return c.notStarted(ctx, line)
	}
	defer func() { <-c.turn }()
	s.before = c.running()
	ok, err := s.channel.SendRequest(kind, true, ssh.Marshal(struct{ Text string }{text}))
	switch {
	case err != nil:
		return c.lost(line)
	case !ok && kind == "subsystem":
		e := c.failure(engine.KindProtocol, line, "Subsystem in its sshd_config names those that there are")
		e.Msg = "the host has no such subsystem"
		return e
	case !ok:
		e := c.failure(engine.KindProtocol, line, "does sshd allow this user to run commands?")
		e.Msg = "the host refuses to run commands"
		return e
	}
	c.add(s)
	return nil
}
