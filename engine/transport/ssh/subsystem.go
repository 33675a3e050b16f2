package ssh

import (
	"context"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Subsystem begins a subsystem of the server, like "sftp", and gives the stream to it. It counts as one of the sessions
// of the connection until Close. When ctx ends, or the connection, the stream does. An error says that the server has no
// such subsystem, or no session for it.
func (c *Conn) Subsystem(ctx context.Context, name string) (io.ReadWriteCloser, error) {
	what := "subsystem " + name
	if ctx.Err() != nil {
		return nil, c.notStarted(ctx, what)
	}
	select {
	case c.slots <- struct{}{}:
	case <-c.done:
		return nil, c.notRun(what)
	case <-ctx.Done():
		return nil, c.notStarted(ctx, what)
	}
	s, err := c.openSubsystem(ctx, name, func() { <-c.slots })
	if err != nil {
		<-c.slots
		return nil, err
	}
	return &stream{Channel: s.channel, session: s, stop: context.AfterFunc(ctx, func() { _ = s.channel.Close() })}, nil
}

func (c *Conn) openSubsystem(ctx context.Context, name string, free func()) (*session, error) {
	begun := make(chan struct{})
	defer close(begun)
	defer context.AfterFunc(ctx, func() { c.closeUnless(begun) })()
	channel, requests, err := c.channel(ctx)
	if err != nil {
		return nil, c.noChannel(ctx, err, "subsystem "+name)
	}
	s := &session{conn: c, channel: channel, free: free, exited: make(chan struct{}), closed: make(chan struct{}), gates: []*gate{{}}}
	if err := c.request(ctx, s, "subsystem", name); err != nil {
		channel.Close()
		go ssh.DiscardRequests(requests)
		return nil, err
	}
	s.parts.Store(2) // who reads the stream notices its end by itself
	go s.listen(requests)
	go s.copy(s.gates[0], channel.Stderr())
	return s, nil
}

// stream is a subsystem that runs.
type stream struct {
	ssh.Channel
	session *session
	stop    func() bool
	once    sync.Once
}

// Close ends it and waits until the host has noticed, or the connection is gone.
func (s *stream) Close() error {
	s.once.Do(func() {
		s.stop()
		_ = s.Channel.Close() // it fails only when it was closed already
		select {
		case <-s.session.closed:
		case <-s.session.conn.done:
		}
	})
	return nil
}
