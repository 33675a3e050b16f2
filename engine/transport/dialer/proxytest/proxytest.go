// Package proxytest knows how SOCKS5 and HTTP proxies answer, and how they go wrong: a server on loopback for tests.
package proxytest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// Trouble is a way to go wrong.
type Trouble string

// The troubles.
const (
	None         Trouble = ""
	Silent       Trouble = "silent"        // it accepts connections and says nothing
	SilentLate   Trouble = "silent late"   // SOCKS5: after the greeting; HTTP: in the middle of the head
	Garble       Trouble = "garble"        // it answers nonsense
	HangUp       Trouble = "hang up"       // it closes as soon as it was asked something
	HangUpLate   Trouble = "hang up late"  // in the middle of its answer
	Endless      Trouble = "endless"       // HTTP: its head has no end; SOCKS5: as Garble
	BreakTunnel  Trouble = "break tunnel"  // the tunnel ends after 8 bytes from the host
	WithBanner   Trouble = "with banner"   // HTTP: head and first bytes of the host come in one packet
	Status       Trouble = "status"        // it answers with Options.Code whatever is asked
	OnlyNTLM     Trouble = "only NTLM"     // HTTP: 407 that offers NTLM and Negotiate; SOCKS5: it takes no method
	WantPassword Trouble = "want password" // SOCKS5: it chooses user and password though they were not offered
)

// Options are what a proxy is like.
type Options struct {
	SOCKS          bool              // SOCKS5; else HTTP
	TLS            *tls.Config       // HTTP over TLS
	User, Password string            // "": no login
	Names          map[string]string // host:port as asked → where it is really
	Trouble        Trouble
	Code           int               // with Status: of SOCKS5's reply or of HTTP
	Header         map[string]string // with Status
}

// Server is a running proxy.
type Server struct {
	o        Options
	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	asked []string
	tries int
	done  bool
}

// Listen starts a proxy on a free port of 127.0.0.1. Close ends it.
func Listen(o Options) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, listener: l, conns: map[net.Conn]bool{}}
	s.serving.Go(s.accept)
	return s, nil
}

// Addr is where it listens, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Asked are the targets for which tunnels were asked, as the clients named them.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Logins is how many logins with a password were tried.
func (s *Server) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// Close ends the server and every tunnel.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.done = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() {
			if !s.keep(c) {
				return
			}
			defer s.drop(c)
			client := c
			if s.o.TLS != nil {
				client = tls.Server(c, s.o.TLS)
			}
			s.serve(client)
		})
	}
}

func (s *Server) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		_ = c.Close()
		return false
	}
	s.conns[c] = true
	return true
}

func (s *Server) drop(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = c.Close()
	delete(s.conns, c)
}

func (s *Server) serve(c net.Conn) {
	r := bufio.NewReader(c)
	switch s.o.Trouble {
	case Silent:
		_, _ = io.Copy(io.Discard, r)
		return
	case HangUp:
		_, _ = r.ReadByte()
		return
	case Garble:
		_, _ = r.ReadByte()
		_, _ = io.WriteString(c, "220 mail.example ESMTP\r\n")
		_, _ = io.Copy(io.Discard, r)
		return
	}
	if s.o.SOCKS {
		s.socks(c, r)
	} else {
		s.http(c, r)
	}
}

func (s *Server) http(c net.Conn, r *bufio.Reader) {
	request, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	switch s.o.Trouble {
	case SilentLate, HangUpLate, Endless:
		_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\nX-Long: ")
		for s.o.Trouble == Endless {
			if _, err := io.WriteString(c, "and so on and so on "); err != nil {
				return
			}
		}
		if s.o.Trouble == SilentLate {
			_, _ = io.Copy(io.Discard, r)
		}
		return
	}
	if code, header := s.judge(request); code != 0 {
		fmt.Fprintf(c, "HTTP/1.1 %d %s\r\n", code, http.StatusText(code))
		_ = header.Write(c)
		_, _ = io.WriteString(c, "Content-Length: 9\r\n\r\n<html>no\n")
		return
	}
	s.note(request.Host)
	host, err := s.reach(request.Host)
	if err != nil {
		_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return
	}
	defer s.drop(host)
	head := []byte("HTTP/1.1 200 Connection established\r\nProxy-Agent: proxytest\r\n\r\n")
	if s.o.Trouble == WithBanner { // the host must speak first
		first := make([]byte, 4096)
		n, _ := host.Read(first)
		head = append(head, first[:n]...)
	}
	_, _ = c.Write(head)
	s.pipe(c, r, host)
}

// judge is what the proxy answers instead of connecting; 0: nothing.
func (s *Server) judge(request *http.Request) (int, http.Header) {
	header := http.Header{}
	if s.o.Trouble == Status {
		for name, value := range s.o.Header {
			header.Set(name, value)
		}
		return s.o.Code, header
	}
	if request.Method != http.MethodConnect {
		return http.StatusMethodNotAllowed, header
	}
	given := request.Header.Get("Proxy-Authorization")
	if given != "" {
		s.login()
	}
	switch {
	case s.o.Trouble == OnlyNTLM:
		header["Proxy-Authenticate"] = []string{"NTLM", "Negotiate"}
	case s.o.User != "" && given != "Basic "+base64.StdEncoding.EncodeToString([]byte(s.o.User+":"+s.o.Password)):
		header.Set("Proxy-Authenticate", `Basic realm="proxytest"`)
	default:
		return 0, nil
	}
	return http.StatusProxyAuthRequired, header
}

func (s *Server) login() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
}

func (s *Server) note(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, target)
}

// reach connects to a target; a name that Names does not have is not looked up.
func (s *Server) reach(target string) (net.Conn, error) {
	if to, ok := s.o.Names[target]; ok {
		target = to
	} else if host, _, err := net.SplitHostPort(target); err != nil || net.ParseIP(host) == nil {
		return nil, fmt.Errorf("the name of %s is not known", target)
	}
	c, err := net.Dial("tcp", target)
	if err == nil && !s.keep(c) {
		err = net.ErrClosed
	}
	return c, err
}

// socks is the server's side of RFC 1928 and RFC 1929.
func (s *Server) socks(c net.Conn, r *bufio.Reader) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil || head[0] != 5 {
		return
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(r, methods); err != nil {
		return
	}
	want := byte(0)
	if s.o.User != "" || s.o.Trouble == WantPassword {
		want = 2
	}
	if s.o.Trouble != WantPassword && !slices.Contains(methods, want) || s.o.Trouble == OnlyNTLM {
		_, _ = c.Write([]byte{5, 0xff})
		return
	}
	_, _ = c.Write([]byte{5, want})
	if want == 2 && !s.password(c, r) {
		return
	}
	request := make([]byte, 4)
	if _, err := io.ReadFull(r, request); err != nil {
		return
	}
	target, err := readTarget(r, request[3])
	if err != nil {
		return
	}
	switch s.o.Trouble {
	case SilentLate:
		_, _ = io.Copy(io.Discard, r)
		return
	case HangUpLate:
		_, _ = c.Write([]byte{5, 0})
		return
	case Endless:
		_, _ = c.Write([]byte{5, 0, 0, 9, 9, 9, 9})
		_, _ = io.Copy(io.Discard, r)
		return
	case Status:
		_, _ = c.Write([]byte{5, byte(s.o.Code), 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	s.note(target)
	host, err := s.reach(target)
	if err != nil {
		code := byte(4)
		if _, known := s.o.Names[target]; known || net.ParseIP(hostOf(target)) != nil {
			code = 5
		}
		_, _ = c.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	defer s.drop(host)
	_, _ = c.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 80})
	s.pipe(c, r, host)
}

func hostOf(target string) string {
	host, _, _ := net.SplitHostPort(target)
	return host
}

func (s *Server) password(c net.Conn, r *bufio.Reader) bool {
	var fields [2]string
	if version, err := r.ReadByte(); err != nil || version != 1 {
		return false
	}
	for i := range fields {
		size, err := r.ReadByte()
		text := make([]byte, size)
		if err != nil {
			return false
		}
		if _, err := io.ReadFull(r, text); err != nil {
			return false
		}
		fields[i] = string(text)
	}
	s.login()
	if fields != [2]string{s.o.User, s.o.Password} {
		_, _ = c.Write([]byte{1, 1})
		return false
	}
	_, _ = c.Write([]byte{1, 0})
	return true
}

func readTarget(r *bufio.Reader, kind byte) (string, error) {
	size := map[byte]int{1: 4, 4: 16}[kind]
	if kind == 3 {
		n, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		size = int(n)
	}
	b := make([]byte, size+2)
	if _, err := io.ReadFull(r, b); err != nil || size == 0 {
		return "", fmt.Errorf("type of address %d: %w", kind, err)
	}
	host := string(b[:size])
	if kind != 3 {
		host = net.IP(b[:size]).String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(b[size:])))), nil
}

// pipe carries bytes both ways until one side ends.
func (s *Server) pipe(c net.Conn, r io.Reader, host net.Conn) {
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(host, r)
		_ = host.(*net.TCPConn).CloseWrite()
	})
	from := io.Reader(host)
	if s.o.Trouble == BreakTunnel {
		from = io.LimitReader(host, 8)
	}
	_, _ = io.Copy(c, from)
	_ = c.Close()
	both.Wait()
}
