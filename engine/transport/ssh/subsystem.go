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
	if err := c.slot(ctx, what("subsystem", name)); err != nil {
		return nil, err
	}
	s := c.newSession(func() { <-c.slots }, &gate{})
	requests, err := c.begin(ctx, s, "subsystem", name, false)
	if err != nil {
		<-c.slots
		return nil, err
	}
	s.parts.Store(2) // who reads the stream notices its end by itself
	go s.listen(requests)
	go s.copy(s.gates[0], s.channel.Stderr())
	return &stream{Channel: s.channel, session: s, stop: context.AfterFunc(ctx, func() { _ = s.channel.Close() })}, nil
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
