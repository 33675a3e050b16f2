// Package https knows how an API host is reached: TLS that is verified as the inventory says, a deadline on
// every stage, requests that are repeated where that is safe, and sessions that are ended again.
//
// HTTP_PROXY and its relatives are ignored, unless its settings ask for them: see package dialer. Redirects are not
// followed, because they would carry an API key to another host.
package https

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer"
)

// Transport is the transport "https".
type Transport struct {
	Refused engine.Refused // nil: what was refused is forgotten with the run
}

var (
	_ engine.Transport = Transport{}
	_ engine.API       = (*conn)(nil)
	_ engine.Wary      = (*conn)(nil)
)

// Settings returns *Settings: 10 s to connect, 60 s for a request.
func (Transport) Settings() any {
	return &Settings{ConnectTimeout: "10s", RequestTimeout: "60s"}
}

// Open dials h and completes a TLS handshake, so that what is wrong with name, network or certificate is said
// here. The credentials are not tried: that does the first session. The connection is that of the first request, if one
// comes soon; requests reuse what is idle, and those at the same time dial more, verified in the same way.
func (t Transport) Open(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	s, ok := h.Connection.Settings.(*Settings)
	if !ok {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Op: "connect", Msg: "the connection is not of type https", Unreachable: true}
	}
	p, err := s.parse()
	if err != nil {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Op: `read the settings of connection "https"`, Err: err, Unreachable: true}
	}
	address := h.Address
	if address == "" {
		address = h.Name
	}
	target := net.JoinHostPort(address, strconv.Itoa(p.port))
	config, err := tlsConfig(s, p, address)
	if err != nil {
		return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name, Op: "connect to " + target, Err: err, Unreachable: true,
			Hint: "check ca of the connection block: a PEM file here; the host was not contacted"}
	}
	d := &link{host: h.Name, target: target, tcp: p.dialer, config: config, limit: p.connect}
	identity, err := d.identify(ctx, s.Insecure)
	if err != nil {
		return nil, err
	}
	c := &conn{
		settings: s, refused: t.Refused, link: d, identity: identity, endpoint: &url.URL{Scheme: "https", Host: target},
		wire:     &http.Transport{DialTLSContext: d.dial, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second},
		sessions: newSessions(context.WithoutCancel(ctx), h.Name),
	}
	c.client = &http.Client{
		Transport:     &caller{host: h.Name, next: c.wire, limit: p.request, most: mostAnswer, pause: time.Second, observer: &c.observer},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// conn is one API host, with connections of its own underneath.
type conn struct {
	settings *Settings
	refused  engine.Refused // nil: none
	link     *link
	identity string
	endpoint *url.URL
	wire     *http.Transport
	client   *http.Client
	observer
	*sessions
}

func (c *conn) Identity() string               { return c.identity }
func (c *conn) Kind() string                   { return c.settings.Kind }
func (c *conn) HTTP() *http.Client             { return c.client }
func (c *conn) Login() (string, engine.Secret) { return c.settings.User, c.settings.Password }
func (c *conn) Key() engine.Secret             { return c.settings.APIKey }
func (c *conn) Tenant() string                 { return c.settings.Tenant }

// RefusedBefore implements engine.Wary.
func (c *conn) RefusedBefore() error {
	if c.refused == nil {
		return nil
	}
	return engine.Blame(c.refused.Before(c.endpoint.Host, c.account(), c.settings.Password), c.sessions.host)
}

// Judged implements engine.Wary.
func (c *conn) Judged(accepted bool) {
	if c.refused != nil {
		c.refused.Note(c.endpoint.Host, c.account(), c.settings.Password, accepted)
	}
}

// account is what the host counts failed logins of.
func (c *conn) account() string {
	if c.settings.Tenant != "" {
		return c.settings.Tenant + "/" + c.settings.User
	}
	return c.settings.User
}

func (c *conn) Endpoint() *url.URL {
	u := *c.endpoint
	return &u
}

// Dial opens a TCP connection to another host in the way of this one: through the same proxy, from the same address. It is
// for what belongs to an API host and is served by others, as the files of a vCenter are by its ESXi hosts. It ends with ctx,
// which is its only limit.
func (c *conn) Dial(ctx context.Context, address string) (net.Conn, error) {
	raw, err := c.link.tcp.Dial(ctx, address)
	if e := dialer.Explain(c.link.host, "connect to "+address, err); e != nil {
		return nil, e
	}
	return raw, err
}

// Stream is how files are sent and fetched at the host's own address, verified as it is. They may take longer and be larger
// than an answer, so request_timeout does not hold, nor does the limit of an answer's size; nothing is repeated. Who uses it
// ends its requests.
func (c *conn) Stream() http.RoundTripper { return c.wire }

// Close ends the sessions, which takes at most closeLimit, and then the connections.
func (c *conn) Close() error {
	err := c.sessions.close()
	c.link.drop()
	c.wire.CloseIdleConnections()
	return err
}

// fresh is how long the connection of Open waits for the first request. Net/http takes it for a new one, and would not
// repeat a request on which the host hangs up because it was idle for too long.
const fresh = 3 * time.Second

// link opens verified TLS connections to one host.
type link struct {
	host, target string
	tcp          *dialer.Dialer
	config       *tls.Config
	limit        time.Duration

	mu    sync.Mutex
	first *tls.Conn // of Open, not used yet
	late  *time.Timer
}

// dial has the shape that http.Transport wants; it knows its target itself.
func (d *link) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if c := d.take(); c != nil {
		if lives(c) {
			return c, nil
		}
		_ = c.Close() // the host has ended it
	}
	return d.open(ctx)
}

// lives tells whether the host has not closed a connection on which nothing was asked: a request on it would otherwise
// count as one whose outcome is unknown. A millisecond lets news that has arrived be heard.
func lives(c *tls.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return timedOut(err) && c.SetReadDeadline(time.Time{}) == nil
}

// keep holds the connection of Open for the first request.
func (d *link) keep(c *tls.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.first = c
	d.late = time.AfterFunc(fresh, d.drop)
}

// take gives the connection of Open, once.
func (d *link) take() *tls.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.first
	d.first = nil
	if d.late != nil {
		d.late.Stop()
	}
	return c
}

// drop closes the connection of Open if nobody has used it.
func (d *link) drop() {
	if c := d.take(); c != nil {
		_ = c.Close() // nothing was said on it
	}
}

func (d *link) open(ctx context.Context) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	op, began := "connect to "+d.target, time.Now()
	raw, err := d.tcp.Dial(ctx, d.target)
	if err != nil {
		return nil, dialError(d.host, op, err, time.Since(began))
	}
	secure, end := tls.Client(raw, d.config), engine.BeginStage(ctx, engine.StageTLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		end(engine.Stage{Err: err})
		_ = raw.Close() // err says what happened
		return nil, handshakeError(d.host, op, err, time.Since(began))
	}
	end(engine.TLSStage(secure.ConnectionState()))
	return secure, nil
}

func (d *link) identify(ctx context.Context, insecure bool) (string, error) {
	c, err := d.open(ctx)
	if err != nil {
		return "", err
	}
	leaf := c.ConnectionState().PeerCertificates[0]
	d.keep(c)
	identity := "tls sha256:" + fingerprint(leaf) + " CN=" + leaf.Subject.CommonName
	if insecure {
		identity += " (not verified)"
	}
	return identity, nil
}
