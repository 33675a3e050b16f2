package dialer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/dsplay/dsplay/engine"
)

// Leg is the part of the way on which it went wrong.
type Leg string

// The legs. What went wrong on the direct way to a host has none: its error is that of net.Dialer.
const (
	FromHere  Leg = "from here"            // the source address, or the proxy of the environment, cannot be used
	ToProxy   Leg = "to the proxy"         // the proxy was not reached
	ProxyTLS  Leg = "TLS with the proxy"   // it did not prove who it is
	ProxyAuth Leg = "login to the proxy"   // it wants other credentials
	ProxyTalk Leg = "talk with the proxy"  // it does not speak the protocol, or fell silent in the middle of it
	Behind    Leg = "from proxy to target" // the proxy did not reach the host, or does not want to
)

// errForbidden is the cause when a proxy's rules are it.
var errForbidden = errors.New("the proxy forbids it")

// Error says on which leg a connection failed. It never holds a password.
type Error struct {
	Leg    Leg
	Proxy  string // "socks5 proxy ops@198.51.100.9:1080"
	Target string // host:port
	Msg    string // the cause in words; "": Err says it
	Hint   string // "": by the leg
	Err    error

	kind engine.ErrorKind // "": by leg and Err
}

func (e *Error) Error() string {
	var parts []string
	switch e.Leg {
	case FromHere:
	case Behind:
		parts = append(parts, "the "+e.Proxy+" does not connect to "+e.Target)
	case ToProxy:
		parts = append(parts, "the "+e.Proxy+" is not reached")
	default:
		parts = append(parts, "the "+e.Proxy)
	}
	switch {
	case e.Msg != "":
		parts = append(parts, e.Msg)
	case e.Err != nil:
		parts = append(parts, e.cause())
	}
	return strings.Join(parts, ": ")
}

// cause is Err in words.
func (e *Error) cause() string {
	var op *net.OpError
	switch {
	case errors.Is(e.Err, context.Canceled):
		return "stopped"
	case timedOut(e.Err) && e.Leg == Behind:
		return "no answer in time: the proxy hangs, or the host does not answer it"
	case timedOut(e.Err):
		return "no answer in time"
	case e.Leg == ProxyTalk, e.Leg == Behind:
		return "the proxy ended the connection without an answer"
	case errors.As(e.Err, &op) && op.Err != nil:
		var sys *os.SyscallError
		if errors.As(op.Err, &sys) {
			return sys.Err.Error()
		}
		return op.Err.Error()
	}
	return e.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Forbidden tells whether the proxy's rules are the cause.
func (e *Error) Forbidden() bool { return errors.Is(e.Err, errForbidden) }

// Kind is that of an engine.Error.
func (e *Error) Kind() engine.ErrorKind {
	switch {
	case e.kind != "":
		return e.kind
	case timedOut(e.Err), errors.Is(e.Err, context.Canceled):
		return engine.KindTimeout
	case isDNS(e.Err):
		return engine.KindDNS
	case e.Leg == ProxyTLS:
		return engine.KindTLS
	case e.Leg == ProxyAuth:
		return engine.KindAuth
	case e.Leg == ProxyTalk:
		return engine.KindProtocol
	}
	return engine.KindRefused
}

// Explain makes the engine's error of one of Dial that has to do with a proxy or the source address; nil: it has not, and
// the transport knows best what a host that is not reached means. op says what was being done.
func Explain(host, op string, err error) *engine.Error {
	var e *Error
	if !errors.As(err, &e) {
		return nil
	}
	return &engine.Error{Kind: e.Kind(), Host: host, Op: op, Err: e, Hint: e.hint(), Unreachable: true}
}

func (e *Error) hint() string {
	var unknown x509.UnknownAuthorityError
	var plain tls.RecordHeaderError
	switch {
	case e.Hint != "":
		return e.Hint
	case errors.Is(e.Err, context.Canceled):
		return ""
	case e.Leg == ToProxy:
		return "nothing is known about the host itself: check the proxy of its connection block, and whether that runs"
	case e.Leg == ProxyTLS && errors.As(e.Err, &unknown):
		return "the proxy's certificate must be of an authority that this machine trusts; SSL_CERT_FILE names another file of them"
	case e.Leg == ProxyTLS && errors.As(e.Err, &plain):
		return "it does not speak TLS: proxy = \"http://…\"?"
	case e.Leg == ProxyTLS:
		return "check the proxy's certificate and name"
	case e.Leg == ProxyAuth:
		return "give the connection block proxy = \"SCHEME://USER@HOST:PORT\" and proxy_password = secret(…) as the proxy knows them; it was tried once"
	case e.Leg == ProxyTalk:
		return "check scheme and port of proxy: socks5:// and http:// are different ports"
	case errors.Is(e.Err, errForbidden):
		return "let the proxy's owner allow " + e.Target + " (CONNECT is often limited to port 443)"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "the proxy works; check the host's port, and whether its service runs"
	}
	return "the proxy works; check address and port of the host as seen from there"
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
