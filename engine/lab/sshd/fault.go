package sshd

import (
	"net"
	"sync"

	"golang.org/x/crypto/ssh"
)

// faults are the switches of what goes wrong; guarded by Server.mu.
type faults struct {
	frozen chan struct{} // not nil: nothing is read or written until it is closed
	hang   bool
	forget bool
	drop   int

	refusals int // sessions that MaxSessions did not let in
}

// Freeze makes the server fall silent, or speak again: TCP connections are still accepted, and those that are
// open stay open, but no byte is read or written. A client sees what a host with a dead kernel shows.
func (s *Server) Freeze(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case on && s.frozen == nil:
		s.frozen = make(chan struct{})
	case !on && s.frozen != nil:
		close(s.frozen)
		s.frozen = nil
	}
}

// Hang makes sessions that start from now on hang (accepted, no output, no end), or stops that.
func (s *Server) Hang(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang = on
}

// Forget makes sessions end without the exit code of their command, or stops that.
func (s *Server) Forget(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget = on
}

// Drop makes the next n connections end before the server says anything, as MaxStartups of OpenSSH does.
func (s *Server) Drop(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop = n
}

// Dropping is how many more connections Drop will end.
func (s *Server) Dropping() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drop
}

// SetHostKey shows another host key to the connections that come from now on.
func (s *Server) SetHostKey(key ssh.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hostKey = key
}

// Cut breaks every connection now, with a reset; new ones are welcome.
func (s *Server) Cut() {
	s.mu.Lock()
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
}

// Connections counts those that are open now.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Logins counts the connections that were authenticated so far.
func (s *Server) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// Refusals counts the sessions that were refused because of MaxSessions.
func (s *Server) Refusals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusals
}

func (s *Server) hangs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hang
}

func (s *Server) forgets() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forget
}

// admit registers a connection, unless it is one that Drop wants gone or the server is closed.
func (s *Server) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drop > 0 {
		s.drop--
		return false
	}
	if s.ctx.Err() != nil {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

// conn is a TCP connection that Freeze can silence.
type conn struct {
	net.Conn
	server *Server
	once   sync.Once
	closed chan struct{}
}

// waitWhileFrozen returns when bytes may flow, or an error when the connection was closed.
func (c *conn) waitWhileFrozen() error {
	for {
		c.server.mu.Lock()
		frozen := c.server.frozen
		c.server.mu.Unlock()
		if frozen == nil {
			return nil
		}
		select {
		case <-frozen:
		case <-c.closed:
			return net.ErrClosed
		}
	}
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if frozen := c.waitWhileFrozen(); frozen != nil {
		return 0, frozen
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	if err := c.waitWhileFrozen(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		c.server.mu.Lock()
		delete(c.server.conns, c)
		c.server.mu.Unlock()
	})
	return c.Conn.Close()
}
