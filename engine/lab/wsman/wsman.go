// Package wsman knows how a Windows host speaks WS-Management: the remote command shell (MS-WSMV), Basic, NTLM
// and Kerberos, client certificates, and message encryption. What a command line does is its caller's: the simulated Windows of the
// lab, or the handler of a test. It holds state as a host does: shells with an owner and a quota, commands that
// block until their output is fetched, connections that are authenticated once.
package wsman

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options say what the host offers.
type Options struct {
	Addr string      // "127.0.0.1:0" when empty
	TLS  *tls.Config // nil: http
	// Users is name → password. "ops" is accepted as ops, DOMAIN\ops and ops@domain, "CORP\ops" only as that; case does not matter.
	Users       map[string]string
	Basic, NTLM bool
	Kerberos    *Kerberos // nil: the host is in no domain. Users have to hold the account, too; its password does not matter
	// RequireBindings refuses an NTLM or Kerberos login over https that is not bound to the channel, as CbtHardeningLevel = Strict does.
	RequireBindings bool
	// ClientCAs are the authorities of client certificates; nil: they are not taken. Certificates maps the principal name
	// (UPN) in one, else its CN, to a user.
	ClientCAs    *x509.CertPool
	Certificates map[string]string
	// LockAfter locks an account after so many wrong passwords; 0: never. Expired are users who are refused though the
	// password is right: the account, or the password, has expired.
	LockAfter int
	Expired   map[string]bool
	// AllowUnencrypted accepts plain bodies over http. Without it, as in Windows, Basic is not even offered over
	// http, and a plain body after NTLM is refused with 500.
	AllowUnencrypted bool
	// Handle runs one command line. It returns when ctx ends: Close waits for it.
	Handle func(ctx context.Context, s *Session) (exit uint32)

	ShellQuota  int // shells per user (MaxShellsPerUser); 0: 30, as in Windows
	Processes   int // processes per shell (MaxProcessesPerShell); 0: 25, as in Windows
	MaxEnvelope int // bytes of a request or a reply (MaxEnvelopeSizekb); 0: 153600 (150 kB), the default of old hosts
	// MaxRequest is what http.sys lets through; a larger request gets 413 before anybody reads it. 0: 8 MiB.
	MaxRequest int
	// Operations per user (MaxConcurrentOperationsPerUser); 0: 1500. A command counts until its shell is deleted, whatever
	// is signalled to it: MS-WSMV, note 118.
	Operations int
	// MaxIdle is after how much time a shell that nobody uses is deleted, whatever its client asked for; 0: two hours.
	MaxIdle time.Duration
	// Limited are the users who are no administrators: they may not read the configuration.
	Limited []string
}

// Session is one command that runs.
type Session struct {
	User string // the name in Options.Users
	Line string // what cmd.exe gets
	// Stdin ends when the client says so. A write to Stdout or Stderr blocks while the client does not fetch.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Server is a host that listens.
type Server struct {
	opts     Options
	listener net.Listener
	http     *http.Server
	ctx      context.Context
	stop     context.CancelFunc
	bindings []byte
	acceptor *acceptor
	running  sync.WaitGroup // commands, requests, and the loop that accepts

	mu       sync.Mutex
	accounts accounts
	closed   bool
	shells   map[string]*shell
	faults   []Fault
	requests []Request
}

// Request is one that arrived, as Requests tells it.
type Request struct {
	Action string // "Create", "Command", "Send", "Receive", "Signal", "Delete"; "" for a leg of a handshake and what was refused before it was read
	Auth   string // the Authorization header's scheme; "" on a connection that is authenticated
	Sealed bool
	// Options are those of the header, by name.
	Options map[string]string
	Size    int // bytes of the body on the wire
}

// Listen starts a host.
func Listen(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	for _, limit := range []struct {
		of      *int
		windows int
	}{{&o.ShellQuota, 30}, {&o.Processes, 25}, {&o.MaxEnvelope, 153600}, {&o.MaxRequest, 8 << 20}, {&o.Operations, 1500}} {
		if *limit.of == 0 {
			*limit.of = limit.windows
		}
	}
	if o.MaxIdle == 0 {
		o.MaxIdle = 2 * time.Hour
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, listener: listener, bindings: bindings(o.TLS), shells: map[string]*shell{}}
	if s.acceptor, err = newAcceptor(o.Kerberos, s.bindings, o.RequireBindings); err != nil {
		_ = listener.Close() // err says what happened
		return nil, err
	}
	s.ctx, s.stop = context.WithCancel(context.Background()) //nolint:forbidigo // the life of a server belongs to no caller
	s.http = &http.Server{
		Handler:  http.HandlerFunc(s.serve),
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, new(peer))
		},
		BaseContext: func(net.Listener) context.Context { return s.ctx },
	}
	var accepting net.Listener = &gate{listener, s}
	if o.TLS != nil {
		config := o.TLS.Clone()
		config.NextProtos = []string{"http/1.1"} // NTLM belongs to a connection
		if o.ClientCAs != nil {
			config.ClientAuth = tls.RequestClientCert
		}
		accepting = tls.NewListener(accepting, config)
	}
	s.running.Go(func() { _ = s.http.Serve(accepting) })
	return s, nil
}

// Addr is the address on which it listens, host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the address for a client.
func (s *Server) URL() string {
	if s.opts.TLS != nil {
		return "https://" + s.Addr() + "/wsman"
	}
	return "http://" + s.Addr() + "/wsman"
}

// Close cuts every connection and ends every command at once, as a power failure does; then it waits for the handlers.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.http.Close() // first: a handler that ends must not get an answer through
	s.stop()
	s.Reset()
	s.running.Wait()
}

// enter counts a request as running; false when the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

// Reset forgets all shells and ends their commands, as a reboot or a restart of the service does. Connections stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shells {
		sh.end()
	}
	s.shells = map[string]*shell{}
}

// Shells is the number of shells that are open.
func (s *Server) Shells() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.shells)
}

// remembered is how many requests a host that runs for days keeps.
const remembered = 100_000

// Requests are all that arrived so far; of very many only the last ones.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

func (s *Server) record(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == remembered {
		s.requests = append(s.requests[:0], s.requests[remembered/2:]...)
	}
	s.requests = append(s.requests, r)
}
