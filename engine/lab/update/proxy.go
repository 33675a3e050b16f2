package update

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/pki"
)

// Manner is how a proxy treats who asks it for a way. The zero value passes bytes on.
type Manner struct {
	Intercept      bool   // it signs TLS anew, with an authority of its own
	User, Password string // it wants this login by Basic; "": none
	Deaf           bool   // its name server does not answer: every name is unknown (503, as Squid)
	Hang           bool   // it takes what is asked and never answers
}

// Proxy is a forward proxy for CONNECT. Its Authority signs what it intercepts.
type Proxy struct {
	Authority *pki.Authority
	names     map[string]string // host:port as asked → where it is
	upstream  *x509.CertPool    // whom it trusts when it intercepts
	told      func(request, user string)
	listener  net.Listener
	serving   sync.WaitGroup

	mu     sync.Mutex
	manner Manner
	conns  map[net.Conn]bool
	closed bool
}

// ListenProxy starts a proxy on addr that knows the names. upstream are the authorities that it trusts itself; told hears
// of every request, nil: nobody.
func ListenProxy(addr string, names map[string]string, upstream *x509.CertPool, told func(request, user string)) (*Proxy, error) {
	authority, err := pki.Named("dsplay lab TLS inspection CA")
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if told == nil {
		told = func(string, string) {}
	}
	p := &Proxy{Authority: authority, names: names, upstream: upstream, told: told, listener: l, conns: map[net.Conn]bool{}}
	p.serving.Go(p.accept)
	return p, nil
}

// Addr is host and port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Manner is how it treats people now.
func (p *Proxy) Manner() Manner {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.manner
}

// Set changes how it treats the next ones.
func (p *Proxy) Set(change func(m *Manner)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.manner)
}

// Close cuts every connection.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.serving.Go(func() {
			defer p.drop(c)
			if p.keep(c) {
				p.serve(c)
			}
		})
	}
}

func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.conns[c] = true
	}
	return !p.closed
}

func (p *Proxy) drop(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) serve(c net.Conn) {
	r := bufio.NewReader(c)
	request, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	manner := p.Manner()
	user, allowed := login(request, manner)
	p.told(request.Method+" "+request.Host, user)
	to, known := p.names[request.Host]
	if host, _, err := net.SplitHostPort(request.Host); !known && err == nil && net.ParseIP(host) != nil {
		to, known = request.Host, true
	}
	switch {
	case manner.Hang:
		_, _ = io.Copy(io.Discard, r)
	case request.Method != http.MethodConnect:
		answer(c, http.StatusMethodNotAllowed, "")
	case !allowed:
		answer(c, http.StatusProxyAuthRequired, "Proxy-Authenticate: Basic realm=\"lab\"\r\n")
	case !known || manner.Deaf && to != request.Host:
		answer(c, http.StatusServiceUnavailable, "X-Squid-Error: ERR_DNS_FAIL 0\r\n")
	case manner.Intercept:
		p.intercept(c, r, request.Host, to)
	default:
		p.pass(c, r, to)
	}
}

func login(r *http.Request, m Manner) (user string, allowed bool) {
	given := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	user, _, _ = given.BasicAuth()
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(m.User+":"+m.Password))
	return user, m.User == "" || r.Header.Get("Proxy-Authorization") == want
}

func answer(c net.Conn, code int, header string) {
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %d %s\r\n%sContent-Length: 0\r\n\r\n", code, http.StatusText(code), header)
}

func (p *Proxy) pass(c net.Conn, r io.Reader, to string) {
	far, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		answer(c, http.StatusBadGateway, "")
		return
	}
	if !p.keep(far) {
		_ = far.Close()
		return
	}
	defer p.drop(far)
	_, _ = io.WriteString(c, established)
	pipe(c, r, far)
}

// intercept speaks TLS with both sides: with the client as the host, by a certificate that it signs itself.
func (p *Proxy) intercept(c net.Conn, r io.Reader, asked, to string) {
	name, _, err := net.SplitHostPort(asked)
	if err != nil {
		return
	}
	raw, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		answer(c, http.StatusBadGateway, "")
		return
	}
	far := tls.Client(raw, &tls.Config{ServerName: name, RootCAs: p.upstream, MinVersion: tls.VersionTLS12})
	if !p.keep(far) {
		_ = far.Close()
		return
	}
	defer p.drop(far)
	certificate, err := p.Authority.Server(name, name)
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, established)
	near := tls.Server(&buffered{c, r}, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if near.Handshake() == nil && far.Handshake() == nil {
		pipe(near, near, far)
	}
}

// buffered reads what a bufio.Reader may hold already.
type buffered struct {
	net.Conn
	r io.Reader
}

func (b *buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

const established = "HTTP/1.1 200 Connection established\r\n\r\n"

// pipe carries bytes both ways until one side ends.
func pipe(c net.Conn, r io.Reader, far net.Conn) {
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(far, r)
		_ = far.Close()
	})
	_, _ = io.Copy(c, far)
	_ = c.Close()
	both.Wait()
}
