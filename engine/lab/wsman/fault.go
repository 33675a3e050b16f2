package wsman

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
)

// Mode is a way to misbehave.
type Mode int

// The ways to misbehave.
const (
	Silent       Mode = iota // takes the request and never answers
	Unauthorized             // 401, offering Fault.Offers
	Unavailable              // 503 with a page in HTML, as http.sys answers while WinRM is not running
	EmptyBody                // 200 and nothing
	SOAPFault                // a fault with Fault.Code
	LoseReply                // does what was asked and cuts the connection instead of answering
	Cut                      // cuts the connection and does nothing
	Changed                  // does what was asked and answers what Fault.Change makes of the answer
)

// Fault is one fault that a test or the lab switches on.
type Fault struct {
	Mode Mode
	// On is the action that it hits, as in Request; "" hits every request before it is authenticated, and
	// "accept" (with Silent or Cut) every new connection before a byte is read, so TLS too.
	On     string
	Times  int      // 0: until Heal
	Offers []string // values of WWW-Authenticate
	Code   uint32   // WSManFault code
	Change func(envelope string) string
}

// Fail switches a fault on; the first that matches a request is used.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	s.faults = append(s.faults, f)
}

// Heal switches all faults off. Who waits for a silent answer goes on waiting.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault takes the fault that hits the action, if there is one.
func (s *Server) fault(action string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.faults, func(f Fault) bool { return f.On == action })
	if i < 0 {
		return Fault{}, false
	}
	f := s.faults[i]
	if s.faults[i].Times--; s.faults[i].Times == 0 {
		s.faults = slices.Delete(s.faults, i, i+1)
	}
	return f, true
}

// misbehave does what the fault says; do is the honest work, which LoseReply still does.
func (f Fault) misbehave(w http.ResponseWriter, r *http.Request, p *peer, do func() *reply) {
	switch f.Mode {
	case Silent:
		<-r.Context().Done()
	case Unauthorized:
		w.Header()["WWW-Authenticate"] = f.Offers
		w.WriteHeader(http.StatusUnauthorized)
	case Unavailable:
		w.Header().Set("Content-Type", "text/html; charset=us-ascii")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "<!DOCTYPE HTML><HTML><HEAD><TITLE>Service Unavailable</TITLE></HEAD>\r\n<BODY><h2>Service Unavailable</h2>\r\n<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n</BODY></HTML>")
	case EmptyBody:
		w.Header().Set("Content-Type", soapType)
	case SOAPFault:
		p.answer(w, faultReply(fault{code: f.Code, subcode: "w:InternalError", text: "a fault that was switched on"}))
	case LoseReply:
		do()
		panic(http.ErrAbortHandler)
	case Cut:
		panic(http.ErrAbortHandler)
	case Changed:
		answer := do()
		answer.change = f.Change
		p.answer(w, answer)
	}
}

// gate applies the faults of new connections.
type gate struct {
	net.Listener
	server *Server
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		f, hit := g.server.fault("accept")
		if !hit {
			return c, nil
		}
		if f.Mode == Cut {
			_ = c.Close()
			continue
		}
		context.AfterFunc(g.server.ctx, func() { _ = c.Close() })
	}
}
