package winrm

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	tcp "github.com/dsplay/dsplay/engine/transport/dialer"
)

// dialer opens links to one host: dialled, verified and logged in.
type dialer struct {
	host     string // inventory name
	target   string // host:port
	url      string
	settings *Settings
	tcp      *tcp.Dialer
	tls      *tls.Config // nil: http
	limit    time.Duration
}

func newDialer(s *Settings, p parsed, host, address string) (*dialer, error) {
	target := net.JoinHostPort(address, strconv.Itoa(p.port))
	d := &dialer{host: host, target: target, settings: s, tcp: p.dialer, limit: p.connect}
	u := url.URL{Scheme: "http", Host: target, Path: "/wsman"}
	if s.HTTPS {
		u.Scheme = "https"
		config, err := tlsConfig(s, p, address)
		if err != nil {
			return nil, &engine.Error{Kind: engine.KindTLS, Host: host, Op: d.op(), Err: err, Unreachable: true}
		}
		d.tls = config
	}
	d.url = u.String()
	return d, nil
}

func (d *dialer) op() string { return "connect to " + d.target }

// open gives a link on which requests can be posted. Its error is an *engine.Error, except that the end of ctx
// gives what ctx says.
func (d *dialer) open(ctx context.Context) (*link, error) {
	limited, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	l, err := d.connect(limited)
	if err == nil && d.settings.Auth == "ntlm" {
		end := engine.BeginStage(ctx, engine.StageLogin)
		if err = l.login(limited); err != nil {
			_ = l.conn.Close()
		}
		end(engine.Stage{Detail: d.settings.User + " by " + d.settings.Auth, Err: err})
	}
	switch {
	case err == nil:
		return l, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, err
}

func (d *dialer) connect(ctx context.Context) (*link, error) {
	raw, err := d.tcp.Dial(ctx, d.target)
	if err != nil {
		return nil, d.dialError(err)
	}
	l := &link{dialer: d, conn: raw, used: time.Now()}
	if d.tls != nil {
		secure, end := tls.Client(raw, d.tls), engine.BeginStage(ctx, engine.StageTLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			end(engine.Stage{Err: err})
			_ = raw.Close() // err says what happened
			return nil, d.handshakeError(err)
		}
		end(engine.TLSStage(secure.ConnectionState()))
		l.conn = secure
		l.certificate = secure.ConnectionState().PeerCertificates[0]
	}
	l.reader = bufio.NewReader(l.conn)
	return l, nil
}

// dialError tells why no TCP connection came about.
func (d *dialer) dialError(err error) *engine.Error {
	if e := tcp.Explain(d.host, d.op(), err); e != nil {
		return e
	}
	e := &engine.Error{Kind: engine.KindRefused, Host: d.host, Op: d.op(), Err: err, Unreachable: true}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		e.Kind, e.Hint = engine.KindDNS, "check the name, or give the host an address in the inventory"
	case timedOut(err):
		e.Kind, e.Msg, e.Hint = engine.KindTimeout, "no answer", "a firewall may drop it, or the host is down or asleep; connect_timeout says how long to wait"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Hint = "nobody listens there: is WinRM on (winrm quickconfig), with a listener for " + d.listener() + "?"
	default:
		e.Hint = "check the route from here to the host"
	}
	return e
}

func (d *dialer) listener() string {
	if d.tls != nil {
		return "https; port 5985 with https = false is what winrm quickconfig makes"
	}
	return "http"
}

// handshakeError tells why TCP worked and TLS did not.
func (d *dialer) handshakeError(err error) *engine.Error {
	e := &engine.Error{Kind: engine.KindTLS, Host: d.host, Op: d.op(), Msg: "TLS handshake", Err: err, Unreachable: true}
	var bad *untrusted
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &bad):
		e.Msg, e.Err = "the certificate of "+subject(bad.leaf)+" is not trusted", bad
		e.Hint = pinHint(bad)
	case errors.As(err, &plain):
		e.Hint = "what listens there does not speak TLS; port 5985 is for https = false"
	case timedOut(err):
		e.Kind, e.Msg = engine.KindTimeout, "no answer to the TLS handshake"
		e.Hint = "the host accepts connections and does not answer: it may be starting or overloaded"
	default:
		e.Hint = "the host ended the handshake: has its https listener a certificate, and does it speak TLS 1.2?"
	}
	return e
}

func subject(c *x509.Certificate) string {
	if s := c.Subject.String(); s != "" {
		return s
	}
	return "the host"
}

func pinHint(bad *untrusted) string {
	set := "fingerprint = " + strconv.Quote(fingerprint(bad.leaf))
	if errors.Is(bad, errPin) {
		return "was it renewed, or is somebody in between? If its owner confirms the new one: " + set
	}
	return `give ca = "FILE" of its issuer; or, after comparing it on the host itself, pin it: ` + set
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
