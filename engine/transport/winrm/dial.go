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
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/accounts"
	tcp "github.com/dsplay/dsplay/engine/transport/dialer"
	"github.com/dsplay/dsplay/engine/transport/kerberos"
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

	client   *tls.Certificate // of auth = "certificate"
	refusals *refusals
	accounts *accounts.Accounts
	tickets  *kerberos.Tickets
	login    kerberos.Login
	services []string    // names of the host for Kerberos, best first
	proofs   atomic.Bool // each message has to carry a proof
	taken    atomic.Bool // the host has taken the login
}

func (t *Transport) newDialer(s *Settings, p parsed, host, address string) (*dialer, error) {
	target := net.JoinHostPort(address, strconv.Itoa(p.port))
	d := &dialer{host: host, target: target, settings: s, tcp: p.dialer, limit: p.connect, refusals: &t.refusals, accounts: &t.accounts, tickets: &t.tickets}
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
	return d, d.prepare(address)
}

// prepare reads what a way of logging in needs, so that what is wrong with it is said before anything is dialled.
func (d *dialer) prepare(address string) (err error) {
	switch d.settings.Auth {
	case "kerberos":
		if d.login, d.services, err = d.settings.kerberosLogin(address, d.host); err != nil {
			return d.ticketError(err)
		}
	case "certificate":
		if d.client, err = d.settings.clientCertificate(); err != nil {
			return d.loginError(engine.KindModule, "", "", err)
		}
		if problem, hint := usable(d.client.Leaf, d.settings.Cert, time.Now()); problem != "" {
			return d.loginError(engine.KindAuth, problem, hint, nil)
		}
		asClient(d.tls, d.client)
	}
	return nil
}

func (d *dialer) op() string { return "connect to " + d.target }

// open gives a link on which requests can be posted. Its error is an *engine.Error, except that the end of ctx
// gives what ctx says.
func (d *dialer) open(ctx context.Context) (*link, error) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	l, err := d.connect(limited)
	if err == nil && d.authorization() == "" {
		left := d.limit - time.Since(began) // to wait for one's turn does not count
		if err = d.inTurn(ctx, func() error { return l.enter(ctx, left) }); err != nil {
			_ = l.conn.Close()
		}
	}
	switch {
	case err == nil:
		return l, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, err
}

// inTurn calls login when it is this host's turn. Basic is for accounts of the host itself, and Kerberos asks the domain, once for
// all hosts.
func (d *dialer) inTurn(ctx context.Context, login func() error) error {
	if d.settings.Auth != "ntlm" {
		return login()
	}
	return d.accounts.InTurn(ctx, accounts.Login{Host: d.host, User: d.settings.User, Password: d.settings.Password, Op: d.op(), Send: login,
		Refused: func(error) bool { return d.refusals.before(d) != nil }})
}

// enter logs in within limit.
func (l *link) enter(ctx context.Context, limit time.Duration) error {
	end := engine.BeginStage(ctx, engine.StageLogin)
	l.user = l.dialer.settings.User
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := l.login(limited)
	end(l.loginStage(l.dialer.settings.Auth, err))
	return err
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
	l.bound = &bounded{from: l.conn, left: maxHead}
	l.reader = bufio.NewReader(l.bound)
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
		return "https (winrm quickconfig makes one for http only: port 5985, https = false)"
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
		e.Msg, e.Hint = distrust(bad)
		e.Err = bad
	case errors.As(err, &plain):
		e.Hint = "what listens there does not speak TLS; port 5985 is for https = false"
	case timedOut(err):
		e.Kind, e.Msg = engine.KindTimeout, "no answer to the TLS handshake"
		e.Hint = "the host accepts connections and does not answer: it may be starting or overloaded"
	case d.client != nil && errors.As(err, new(tls.AlertError)):
		e.Kind, e.Msg, e.Hint = engine.KindAuth, "the host refuses the client certificate of "+identityOf(d.client.Leaf), "is its issuer in the host's Trusted Root?"
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

// distrust says why a certificate is refused, and what would make it good.
func distrust(bad *untrusted) (msg, hint string) {
	c, set := bad.leaf, "fingerprint = "+strconv.Quote(fingerprint(bad.leaf))
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.Is(bad, errPin):
		return "the certificate of " + subject(c) + " is not the pinned one", "was it renewed, or is somebody in between? If its owner confirms the new one: " + set
	case errors.As(bad, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return "the certificate of " + subject(c) + " is valid from " + date(invalid.Cert.NotBefore) + " on", "is the clock here right?"
	case errors.As(bad, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of " + subject(invalid.Cert) + " expired at " + date(invalid.Cert.NotAfter), "renew it on the host; until then it can be pinned, after comparing it there: " + set
	case errors.As(bad, &name):
		return "the certificate of " + subject(c) + " is for " + namesOf(c) + ", not for " + name.Host, "set the host's address to a name that is in it; or, after comparing it on the host itself, pin it: " + set
	case errors.As(bad, &x509.UnknownAuthorityError{}):
		return "nobody trusted has issued the certificate of " + subject(c), `give ca = "FILE" of its issuer; or, after comparing it on the host itself, pin it: ` + set
	}
	return "the certificate of " + subject(c) + " is not trusted", `give ca = "FILE" of its issuer; or, after comparing it on the host itself, pin it: ` + set
}

func date(t time.Time) string { return t.Local().Format(time.DateTime) }

// namesOf are the names and addresses for which a certificate is.
func namesOf(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no name (a CN alone does not count)"
	}
	return strings.Join(names, ", ")
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
