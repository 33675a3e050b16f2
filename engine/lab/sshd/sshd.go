// Package sshd knows the server's side of SSH: it authenticates, and hands every command line to a function.
// It serves the lab and the tests. As on the appliances that it stands for there is nothing but exec: no shell, no terminal; subsystems
// and the forwarding of a jump host only where Options have them.
package sshd

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Options are what a server is made of.
type Options struct {
	Addr    string     // "127.0.0.1:0" when empty
	HostKey ssh.Signer // nil: a fresh ed25519 key

	// Password and PublicKey say whether a user may come in; nil: this method is not offered.
	Password  func(user, password string) bool
	PublicKey func(user string, key ssh.PublicKey) bool
	// KeyboardInteractive offers keyboard-interactive with Password instead of password, as ESXi does.
	KeyboardInteractive bool

	// Configure may change what the library is told for the next connection: other ways to log in, other algorithms.
	Configure func(*ssh.ServerConfig)

	// MaxSessions is how many sessions one connection may have at once; the next is refused as OpenSSH
	// refuses it (connect failed: open failed). 0: no limit.
	MaxSessions int

	// Forward connects to an address for a client, as a jump host does; nil: it is administratively prohibited.
	// Its error is what the client reads; ErrBusy asks to try again.
	Forward func(ctx context.Context, address string) (net.Conn, error)

	// Handle runs one command line and returns its exit code; a negative one says that it died of that signal
	// (-15: TERM). The context ends when the client signals, closes the channel or disconnects.
	Handle func(ctx context.Context, s *Session) (exit int)

	// Subsystems serve a stream each, by their names ("sftp"); nil: there are none.
	Subsystems map[string]func(ctx context.Context, stream io.ReadWriteCloser)
}

// Session is one command line that a client wants executed.
type Session struct {
	User, Line     string
	Stdin          io.Reader // ends with io.EOF when the client closes its side
	Stdout, Stderr io.Writer // block while the client does not read
	Remote         net.Addr
}

// Server is a listening SSH server. Its methods are safe for use by several goroutines.
type Server struct {
	options  Options
	listener net.Listener
	ctx      context.Context // of every session; ends with Close
	cancel   context.CancelFunc

	mu      sync.Mutex
	hostKey ssh.Signer
	conns   map[*conn]struct{}
	logins  int
	faults
}

// Listen starts a server; Close stops it.
func Listen(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.HostKey == nil {
		key, err := NewKey()
		if err != nil {
			return nil, err
		}
		o.HostKey = key
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, listener: listener, hostKey: o.HostKey, conns: map[*conn]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background()) //nolint:forbidigo // a server lives until Close, not as long as a call
	go s.accept()
	return s, nil
}

// NewKey makes a fresh ed25519 key: for a host, or for a user.
func NewKey() (ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(private)
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// HostKey is the public key that the next connection will be shown.
func (s *Server) HostKey() ssh.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hostKey.PublicKey()
}

// Close stops listening and cuts every connection at once. It does not wait for handlers, so that a handler
// may call it (a simulated reboot does); their contexts end.
func (s *Server) Close() error {
	s.cancel()
	err := s.listener.Close()
	s.Cut()
	return err
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		wrapped := &conn{Conn: c, server: s, closed: make(chan struct{})}
		if !s.admit(wrapped) {
			wrapped.Close()
			continue
		}
		go s.serve(wrapped)
	}
}

// serve speaks SSH with one client until it goes away.
func (s *Server) serve(c *conn) {
	defer c.Close()
	if c.waitWhileFrozen() != nil {
		return
	}
	login, channels, requests, err := ssh.NewServerConn(c, s.config())
	if err != nil {
		return
	}
	s.mu.Lock()
	s.logins++
	s.mu.Unlock()
	go answer(requests)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	slots := make(chan struct{}, s.options.MaxSessions)
	for offer := range channels {
		if offer.ChannelType() == "direct-tcpip" {
			go s.forward(ctx, offer)
			continue
		}
		if offer.ChannelType() != "session" {
			_ = offer.Reject(ssh.Prohibited, "open failed")
			continue
		}
		if !s.take(slots) {
			_ = offer.Reject(ssh.ConnectionFailed, "open failed")
			continue
		}
		channel, requests, err := offer.Accept()
		if err != nil {
			return
		}
		go func() {
			defer s.give(slots)
			s.session(ctx, login, channel, requests)
		}()
	}
}

func (s *Server) take(slots chan struct{}) bool {
	if s.options.MaxSessions == 0 {
		return true
	}
	select {
	case slots <- struct{}{}:
		return true
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refusals++
		return false
	}
}

func (s *Server) give(slots chan struct{}) {
	if s.options.MaxSessions > 0 {
		<-slots
	}
}

// answer refuses global requests the way OpenSSH does: with an answer, which is all that a keepalive wants.
func answer(requests <-chan *ssh.Request) {
	for r := range requests {
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
}
