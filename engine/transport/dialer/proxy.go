package dialer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/net/http/httpproxy"
)

// environment is the setting that asks for the proxy of the environment.
const environment = "environment"

// ports are those of a proxy URL without one: of SOCKS by IANA, and of the URL's scheme.
var ports = map[string]string{"socks5": "1080", "socks5h": "1080", "http": "80", "https": "443"}

// proxy is one on the way.
type proxy struct {
	scheme   string // socks5, http, https
	address  string // host:port
	host     string
	user     string
	password string
	roots    *x509.CertPool // for https; nil: the system's
}

// String names the proxy for people, without its password.
func (p *proxy) String() string {
	user := ""
	if p.user != "" {
		user = p.user + "@"
	}
	return p.scheme + " proxy " + user + p.address
}

func parseProxy(text string, password engine.Secret) (*proxy, error) {
	u, err := url.Parse(text)
	if err != nil { // its text has the URL in it, and perhaps a password
		return nil, badProxy("is no URL")
	}
	_, has := u.User.Password()
	switch {
	case has:
		return nil, badProxy("must hold no password: whoever reads the inventory or the list of processes has it; give it as proxy_password = secret(…)")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return nil, badProxy("is a URL with nothing behind host and port")
	case u.User.Username() == "" && !password.IsZero():
		return nil, engine.BadArg{Arg: "proxy_password", Problem: "needs a user: proxy = \"" + u.Scheme + "://USER@" + u.Host + "\""}
	}
	p, err := proxyOf(u)
	if err != nil {
		return nil, err
	}
	p.password = password.Reveal()
	if p.scheme == "socks5" && (len(p.user) > 255 || len(p.password) > 255) {
		return nil, badProxy("has a user or a password of more than 255 bytes, which SOCKS5 cannot send (RFC 1929)")
	}
	return p, nil
}

// proxyOf reads a URL, password included. Its errors do not show it.
func proxyOf(u *url.URL) (*proxy, error) {
	scheme := strings.TrimSuffix(strings.ToLower(u.Scheme), "h") // socks5h: names are resolved by the proxy, as always here
	port, known := ports[scheme]
	switch {
	case !known:
		return nil, badProxy(`must begin with socks5://, http:// or https://, or be "environment"`)
	case u.Hostname() == "":
		return nil, badProxy("names no host")
	case u.Port() != "":
		port = u.Port()
	}
	password, _ := u.User.Password()
	return &proxy{scheme: scheme, host: u.Hostname(), address: net.JoinHostPort(u.Hostname(), port), user: u.User.Username(), password: password}, nil
}

func badProxy(problem string) engine.BadArg { return engine.BadArg{Arg: "proxy", Problem: problem} }

// fromEnvironment is the proxy for address by HTTPS_PROXY (a tunnel is what it is for), else ALL_PROXY, except for what
// NO_PROXY names; small letters count, too. The variables are read each time.
func fromEnvironment(address string) (*proxy, error) {
	c := httpproxy.FromEnvironment()
	if c.HTTPSProxy == "" {
		c.HTTPSProxy = os.Getenv("ALL_PROXY")
	}
	if c.HTTPSProxy == "" {
		c.HTTPSProxy = os.Getenv("all_proxy")
	}
	u, err := c.ProxyFunc()(&url.URL{Scheme: "https", Host: address})
	if err != nil { // its text has the variable in it, and perhaps a password
		return nil, &Error{Leg: FromHere, Target: address, Msg: "the proxy of the environment is no URL", Hint: "check HTTPS_PROXY and ALL_PROXY"}
	}
	if u == nil {
		return nil, nil
	}
	p, err := proxyOf(u)
	var bad engine.BadArg
	if errors.As(err, &bad) {
		return nil, &Error{Leg: FromHere, Target: address, Msg: "the proxy of the environment " + bad.Problem, Hint: "check HTTPS_PROXY and ALL_PROXY"}
	}
	return p, err
}

// tunnel makes conn, a connection to the proxy, one to address. The end of ctx breaks it at any point.
func (p *proxy) tunnel(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	through, err := p.ask(ctx, conn, address)
	if !stop() && err == nil {
		err = p.failed(Behind, address, "", ctx.Err()) // whoever asked has gone, and the deadline is set
	}
	if err != nil && ctx.Err() != nil {
		err.Err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return through, nil
}

func (p *proxy) ask(ctx context.Context, conn net.Conn, address string) (net.Conn, *Error) {
	if p.scheme == "socks5" {
		return conn, p.socks(conn, address)
	}
	if p.scheme == "https" {
		secure := tls.Client(conn, &tls.Config{ServerName: p.host, RootCAs: p.roots, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, p.failed(ProxyTLS, address, "", err)
		}
		conn = secure
	}
	return conn, p.connect(conn, address)
}

func (p *proxy) failed(leg Leg, target, msg string, err error) *Error {
	return &Error{Leg: leg, Proxy: p.String(), Target: target, Msg: msg, Err: err}
}

// basic is the value of the header Proxy-Authorization (RFC 7617).
func (p *proxy) basic() string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(p.user, p.password)
	return r.Header.Get("Authorization")
}
