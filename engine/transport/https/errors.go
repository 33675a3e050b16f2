package https

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer"
)

// dialError tells why no TCP connection came about.
func dialError(host, op string, err error, took time.Duration) *engine.Error {
	if e := dialer.Explain(host, op, err); e != nil {
		return e
	}
	e := &engine.Error{Kind: engine.KindRefused, Host: host, Op: op, Err: err, Unreachable: true}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		e.Kind, e.Hint = engine.KindDNS, "check the name, or give the host an address in the inventory"
	case errors.Is(err, context.Canceled):
		e.Kind, e.Msg = engine.KindTimeout, "stopped"
	case timedOut(err):
		e.Kind, e.Msg, e.Err = engine.KindTimeout, "no answer within "+waited(took), nil
		e.Hint = "a firewall may drop it, or the host is down; connect_timeout says how long to wait"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Hint = "nobody listens there: check port, and whether the service runs"
	default:
		e.Hint = "check the route from here to the host"
	}
	return e
}

// handshakeError tells why TCP worked and TLS did not.
func handshakeError(host, op string, err error, took time.Duration) *engine.Error {
	e := &engine.Error{Kind: engine.KindTLS, Host: host, Op: op, Msg: "TLS handshake", Err: err, Unreachable: true}
	var bad *untrusted
	var plain tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &bad):
		e.Msg = "the certificate of " + bad.leaf.Subject.String() + " is not trusted"
		e.Hint = pinHint(bad)
	case errors.As(err, &plain):
		e.Kind, e.Hint = engine.KindProtocol, "what listens there does not speak TLS: check port"
	case timedOut(err):
		e.Kind, e.Msg, e.Err = engine.KindTimeout, "no answer to the TLS handshake within "+waited(took), nil
		e.Hint = "the service accepts connections and does not answer: it may be starting or overloaded; connect_timeout says how long to wait"
	case errors.As(err, &alert):
		e.Hint = "no common version or cipher; for systems of before 2016 there is legacy_tls"
	case errors.Is(err, context.Canceled):
		e.Kind, e.Msg = engine.KindTimeout, "stopped"
	default:
		e.Hint = "the host closed the connection in the handshake; for systems of before 2016 there is legacy_tls"
	}
	return e
}

// waited is how long somebody waited, for a person.
func waited(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }

func pinHint(bad *untrusted) string {
	pin := fmt.Sprintf("fingerprint = %q", "sha256:"+fingerprint(bad.leaf))
	if errors.Is(bad, errPin) {
		return "was it renewed, or is somebody in between? If its owner confirms the new one: " + pin
	}
	var invalid x509.CertificateInvalidError
	if errors.As(bad, &invalid) && invalid.Reason == x509.Expired {
		return "have it renewed, or set the clock right, there or here; or, after comparing it on the host itself, pin it, whatever its dates: " + pin
	}
	return "give ca = \"FILE\" of its issuer; or, after comparing it on the host itself, pin it: " + pin
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &n) && n.Timeout()
}
