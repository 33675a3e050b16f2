package dialer

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer/proxytest"
	xproxy "golang.org/x/net/proxy"
)

const password = "s3cret-of-the-proxy"

// greeter is a host that speaks first, as sshd does, and then echoes.
func greeter(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.WriteString(c, "SSH-2.0-greeter\r\n")
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

func proxyAt(t *testing.T, o proxytest.Options) *proxytest.Server {
	t.Helper()
	s, err := proxytest.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func make1(t *testing.T, o Options) *Dialer {
	t.Helper()
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// talks wants a connection that carries what both sides say, from the first byte on.
func talks(t *testing.T, d *Dialer, address string) {
	t.Helper()
	c, err := d.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); line != "SSH-2.0-greeter\r\n" {
		t.Fatalf("the first line is %q, %v", line, err)
	}
	fmt.Fprintln(c, "ping")
	if line, err := r.ReadString('\n'); line != "ping\n" {
		t.Fatalf("the echo is %q, %v", line, err)
	}
}

// fails wants the leg and the kind, in bounded time, without a password in any text.
func fails(t *testing.T, d *Dialer, address string, leg Leg, kind engine.ErrorKind) string {
	t.Helper()
	limit := 20 * time.Second
	if kind == engine.KindTimeout {
		limit = 400 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := d.Dial(ctx, address)
	if err == nil {
		_ = c.Close()
		t.Fatal("it connected")
	}
	var e *Error
	if !errors.As(err, &e) || e.Leg != leg {
		t.Fatalf("%v (%T): leg %+v, want %q", err, err, e, leg)
	}
	x := Explain("dsva1", "connect to "+address, fmt.Errorf("wrapped: %w", err))
	if x == nil || x.Kind != kind || !x.Unreachable || x.Host != "dsva1" || x.Hint == "" {
		t.Fatalf("explained as %#v, want the kind %s and a hint", x, kind)
	}
	if text := x.Error() + x.Hint + fmt.Sprintf("%+v", e); strings.Contains(text, password) {
		t.Errorf("the password is in %q", text)
	}
	return x.Error() + "\n" + x.Hint
}

func TestDirect(t *testing.T) {
	address := greeter(t)
	_, port, _ := net.SplitHostPort(address)
	for _, o := range []Options{{}, {AddressFamily: "any"}, {AddressFamily: "ipv4"}, {SourceAddress: "127.0.0.1"}, {SourceAddress: loopback(t)}} {
		talks(t, make1(t, o), address)
	}
	talks(t, make1(t, Options{AddressFamily: "ipv4"}), "localhost:"+port) // ::1 does not listen
	talks(t, make1(t, Options{}), "localhost:"+port)
}

// loopback is the name of the interface of 127.0.0.1.
func loopback(t *testing.T) string {
	t.Helper()
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	t.Fatal("there is no loopback interface")
	return ""
}

// TestSourceAddress looks at the other end.
func TestSourceAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := make1(t, Options{SourceAddress: "127.0.0.42"}).Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if host, _, _ := net.SplitHostPort(peer.RemoteAddr().String()); host != "127.0.0.42" {
		t.Errorf("it came from %s", host)
	}
	address := l.Addr().String()
	x := fails(t, make1(t, Options{SourceAddress: "192.0.2.9"}), address, FromHere, engine.KindRefused)
	if !strings.Contains(x, "192.0.2.9 is no address of this machine") {
		t.Error(x)
	}
	x = fails(t, make1(t, Options{SourceAddress: "no-such0"}), address, FromHere, engine.KindRefused)
	if !strings.Contains(x, `no network interface "no-such0"`) {
		t.Error(x)
	}
	fails(t, make1(t, Options{SourceAddress: "::1"}), address, FromHere, engine.KindRefused)
}

// TestDirectErrorsAreThoseOfNet: the transports know best what they mean.
func TestDirectErrorsAreThoseOfNet(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	_, err = make1(t, Options{}).Dial(t.Context(), address)
	var op *net.OpError
	if !errors.As(err, &op) || Explain("h", "", err) != nil {
		t.Errorf("%v (%T)", err, err)
	}
}

func TestThroughProxies(t *testing.T) {
	host := greeter(t)
	names := map[string]string{"dsva1.internal:22": host}
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	certificate := &tls.Config{Certificates: secure.TLS.Certificates}
	for name, test := range map[string]struct {
		scheme string
		o      proxytest.Options
	}{
		"socks5":             {"socks5://", proxytest.Options{SOCKS: true}},
		"socks5h":            {"socks5h://", proxytest.Options{SOCKS: true}},
		"socks5 with login":  {"socks5://ops@", proxytest.Options{SOCKS: true, User: "ops", Password: password}},
		"socks5 needs none":  {"socks5://ops@", proxytest.Options{SOCKS: true}},
		"http":               {"http://", proxytest.Options{}},
		"http, first bytes":  {"http://", proxytest.Options{Trouble: proxytest.WithBanner}},
		"http with login":    {"http://ops@", proxytest.Options{User: "ops", Password: password}},
		"https with login":   {"https://ops@", proxytest.Options{User: "ops", Password: password, TLS: certificate}},
		"https, first bytes": {"https://", proxytest.Options{TLS: certificate, Trouble: proxytest.WithBanner}},
	} {
		t.Run(name, func(t *testing.T) {
			test.o.Names = names
			server := proxyAt(t, test.o)
			o := Options{Proxy: test.scheme + server.Addr()}
			if strings.Contains(test.scheme, "@") {
				o.ProxyPassword = engine.Plain(password)
			}
			d := make1(t, o)
			p, err := d.route("")
			if err != nil {
				t.Fatal(err)
			}
			p.roots = roots
			talks(t, d, host)
			talks(t, d, "dsva1.internal:22")
			if asked := server.Asked(); len(asked) != 2 || asked[1] != "dsva1.internal:22" {
				t.Errorf("the proxy was asked for %q, want the name as it is", asked)
			}
			if via := d.Via(host); !strings.Contains(via, server.Addr()) || strings.Contains(via, password) {
				t.Errorf("via %q", via)
			}
		})
	}
}

// TestProxyTrouble is the table of what a proxy can do wrong, each with its leg and kind.
func TestProxyTrouble(t *testing.T) {
	host := greeter(t)
	closed := "127.0.0.1:1"
	type want struct {
		leg  Leg
		kind engine.ErrorKind
		text string
	}
	for _, test := range []struct {
		name   string
		scheme string
		o      proxytest.Options
		target string
		want   want
	}{
		{"socks5 silent", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.Silent}, host, want{ProxyTalk, engine.KindTimeout, "no answer in time"}},
		{"socks5 silent late", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.SilentLate}, host, want{Behind, engine.KindTimeout, "the host does not answer"}},
		{"socks5 garble", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.Garble}, host, want{ProxyTalk, engine.KindProtocol, "does not speak SOCKS5"}},
		{"socks5 hang up", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.HangUp}, host, want{ProxyTalk, engine.KindProtocol, "ended the connection"}},
		{"socks5 hang up late", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.HangUpLate}, host, want{Behind, engine.KindRefused, "ended the connection"}},
		{"socks5 nonsense late", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.Endless}, host, want{ProxyTalk, engine.KindProtocol, "not SOCKS5"}},
		{"socks5 login wanted", "socks5://", proxytest.Options{SOCKS: true, User: "ops", Password: password}, host, want{ProxyAuth, engine.KindAuth, "wants a login"}},
		{"socks5 login wanted, rudely", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.WantPassword}, host, want{ProxyAuth, engine.KindAuth, "wants a login"}},
		{"socks5 wrong password", "socks5://ops@", proxytest.Options{SOCKS: true, User: "ops", Password: "other"}, host, want{ProxyAuth, engine.KindAuth, "refuses the user ops"}},
		{"socks5 no method", "socks5://ops@", proxytest.Options{SOCKS: true, Trouble: proxytest.OnlyNTLM}, host, want{ProxyAuth, engine.KindAuth, "takes no user and password"}},
		{"socks5 refused", "socks5://", proxytest.Options{SOCKS: true}, closed, want{Behind, engine.KindRefused, "nobody listens there"}},
		{"socks5 unknown name", "socks5://", proxytest.Options{SOCKS: true}, "nowhere.internal:22", want{Behind, engine.KindRefused, "its name unknown there"}},
		{"socks5 forbidden", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.Status, Code: 2}, host, want{Behind, engine.KindRefused, "rules do not allow it"}},
		{"socks5 ttl", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.Status, Code: 6}, host, want{Behind, engine.KindTimeout, "no answer in time"}},
		{"socks5 code 99", "socks5://", proxytest.Options{SOCKS: true, Trouble: proxytest.Status, Code: 99}, host, want{Behind, engine.KindProtocol, "unknown code 99"}},
		{"socks5 to http", "socks5://", proxytest.Options{}, host, want{ProxyTalk, engine.KindTimeout, ""}},
		{"http silent", "http://", proxytest.Options{Trouble: proxytest.Silent}, host, want{Behind, engine.KindTimeout, "the proxy hangs, or the host"}},
		{"http silent late", "http://", proxytest.Options{Trouble: proxytest.SilentLate}, host, want{ProxyTalk, engine.KindTimeout, "no answer in time"}},
		{"http garble", "http://", proxytest.Options{Trouble: proxytest.Garble}, host, want{ProxyTalk, engine.KindProtocol, "does not speak HTTP"}},
		{"http endless", "http://", proxytest.Options{Trouble: proxytest.Endless}, host, want{ProxyTalk, engine.KindProtocol, "does not speak HTTP"}},
		{"http hang up", "http://", proxytest.Options{Trouble: proxytest.HangUp}, host, want{Behind, engine.KindRefused, "ended the connection"}},
		{"http hang up late", "http://", proxytest.Options{Trouble: proxytest.HangUpLate}, host, want{ProxyTalk, engine.KindProtocol, "ended the connection"}},
		{"http login wanted", "http://", proxytest.Options{User: "ops", Password: password}, host, want{ProxyAuth, engine.KindAuth, "wants a login (407)"}},
		{"http wrong password", "http://ops@", proxytest.Options{User: "ops", Password: "other"}, host, want{ProxyAuth, engine.KindAuth, "refuses the user ops"}},
		{"http only NTLM", "http://ops@", proxytest.Options{Trouble: proxytest.OnlyNTLM}, host, want{ProxyAuth, engine.KindAuth, "only NTLM and Negotiate"}},
		{"http 403", "http://", proxytest.Options{Trouble: proxytest.Status, Code: 403}, host, want{Behind, engine.KindRefused, "rules do not allow it (403)"}},
		{"http 502", "http://", proxytest.Options{}, closed, want{Behind, engine.KindRefused, "reaches nobody there (502)"}},
		{"http 503 of Squid", "http://", proxytest.Options{Trouble: proxytest.Status, Code: 503, Header: map[string]string{"X-Squid-Error": "ERR_DNS_FAIL 0"}}, host, want{Behind, engine.KindDNS, "the name is unknown there"}},
		{"http 504", "http://", proxytest.Options{Trouble: proxytest.Status, Code: 504}, host, want{Behind, engine.KindTimeout, "no answer from there (504)"}},
		{"http 404", "http://", proxytest.Options{Trouble: proxytest.Status, Code: 404}, host, want{ProxyTalk, engine.KindProtocol, "is it a proxy at all?"}},
		{"http 302", "http://", proxytest.Options{Trouble: proxytest.Status, Code: 302}, host, want{ProxyTalk, engine.KindProtocol, "redirects"}},
		{"http 429", "http://", proxytest.Options{Trouble: proxytest.Status, Code: 429}, host, want{Behind, engine.KindProtocol, "HTTP status 429"}},
		{"http to socks5", "http://", proxytest.Options{SOCKS: true}, host, want{Behind, engine.KindRefused, ""}},
		{"https to http", "https://", proxytest.Options{}, host, want{ProxyTLS, engine.KindTLS, ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := proxyAt(t, test.o)
			o := Options{Proxy: test.scheme + server.Addr()}
			if strings.Contains(test.scheme, "@") {
				o.ProxyPassword = engine.Plain(password)
			}
			x := fails(t, make1(t, o), test.target, test.want.leg, test.want.kind)
			if !strings.Contains(x, test.want.text) {
				t.Errorf("%s\nwant %q in it", x, test.want.text)
			}
			if server.Logins() > 1 {
				t.Errorf("%d logins", server.Logins())
			}
		})
	}
}

func TestProxyIsNotThere(t *testing.T) {
	for _, scheme := range []string{"socks5://", "http://", "https://"} {
		x := fails(t, make1(t, Options{Proxy: scheme + "127.0.0.1:1"}), "dsva1:22", ToProxy, engine.KindRefused)
		if !strings.Contains(x, "proxy 127.0.0.1:1 is not reached: connection refused") || !strings.Contains(x, "nothing is known about the host itself") {
			t.Error(x)
		}
	}
	fails(t, make1(t, Options{Proxy: "socks5://nowhere.invalid:1080"}), "dsva1:22", ToProxy, engine.KindDNS)
}

func TestProxyCertificateIsVerified(t *testing.T) {
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	server := proxyAt(t, proxytest.Options{User: "ops", Password: password, TLS: &tls.Config{Certificates: secure.TLS.Certificates}})
	fails(t, make1(t, Options{Proxy: "https://ops@" + server.Addr(), ProxyPassword: engine.Plain(password)}), "dsva1:22", ProxyTLS, engine.KindTLS)
	if server.Logins() != 0 {
		t.Error("the password was sent to a proxy that nobody knows")
	}
}

func TestTunnelBreaks(t *testing.T) {
	host := greeter(t)
	server := proxyAt(t, proxytest.Options{SOCKS: true, Trouble: proxytest.BreakTunnel})
	c, err := make1(t, Options{Proxy: "socks5://" + server.Addr()}).Dial(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, err := io.ReadAll(c); string(text) != "SSH-2.0-" || err != nil {
		t.Errorf("%q, %v: want what came until it broke, and the end", text, err)
	}
}

// TestStop: who does not want to wait any more does not.
func TestStop(t *testing.T) {
	for _, o := range []proxytest.Options{{SOCKS: true, Trouble: proxytest.Silent}, {Trouble: proxytest.Silent}} {
		scheme := "http://"
		if o.SOCKS {
			scheme = "socks5://"
		}
		server := proxyAt(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err := make1(t, Options{Proxy: scheme + server.Addr()}).Dial(ctx, "dsva1:22")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want the cancellation", err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	host := greeter(t)
	server := proxyAt(t, proxytest.Options{User: "ops", Password: password})
	socks := proxyAt(t, proxytest.Options{SOCKS: true})
	clear := func(t *testing.T) {
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"} {
			t.Setenv(name, "")
			t.Setenv(strings.ToLower(name), "")
		}
	}
	set := "http://ops:" + password + "@" + server.Addr()
	t.Run("not asked for", func(t *testing.T) {
		clear(t)
		t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
		t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
		t.Setenv("ALL_PROXY", "http://127.0.0.1:1")
		talks(t, make1(t, Options{}), host)
	})
	asked := make1(t, Options{Proxy: "environment"})
	t.Run("nothing there", func(t *testing.T) { clear(t); talks(t, asked, host) })
	t.Run("HTTPS_PROXY", func(t *testing.T) {
		clear(t)
		t.Setenv("HTTPS_PROXY", set)
		t.Setenv("NO_PROXY", "198.51.100.0/24")
		d := make1(t, Options{Proxy: "environment"})
		if via := d.Via("dsva1.example:22"); via != "http proxy ops@"+server.Addr() {
			t.Errorf("via %q", via)
		}
		if via := d.Via("198.51.100.7:22"); via != "" {
			t.Errorf("NO_PROXY: via %q", via)
		}
		fails(t, d, "dsva1.example:22", Behind, engine.KindRefused)
		if server.Logins() != 1 {
			t.Errorf("%d logins", server.Logins())
		}
	})
	t.Run("ALL_PROXY", func(t *testing.T) {
		clear(t)
		t.Setenv("ALL_PROXY", "socks5://"+socks.Addr())
		fails(t, asked, "dsva1.example:22", Behind, engine.KindRefused)
		if len(socks.Asked()) != 1 {
			t.Error("it was not asked")
		}
	})
	t.Run("no URL", func(t *testing.T) {
		clear(t)
		t.Setenv("HTTPS_PROXY", "gopher://ops:"+password+"@x")
		fails(t, asked, "dsva1.example:22", FromHere, engine.KindRefused)
	})
}

func TestWrongOptions(t *testing.T) {
	secret := engine.Plain(password)
	for _, test := range []struct {
		o         Options
		arg, text string
	}{
		{Options{Proxy: "socks5://ops:" + password + "@h"}, "proxy", "proxy_password"},
		{Options{Proxy: "proxy.example:3128"}, "proxy", "must begin with"},
		{Options{Proxy: "socks4://h"}, "proxy", "must begin with"},
		{Options{Proxy: "http://"}, "proxy", "names no host"},
		{Options{Proxy: "http://h/path"}, "proxy", "nothing behind"},
		{Options{Proxy: "http://h:" + password}, "proxy", "is no URL"},
		{Options{Proxy: "http://h", ProxyPassword: secret}, "proxy_password", "needs a user"},
		{Options{ProxyPassword: secret}, "proxy_password", "none is given"},
		{Options{Proxy: "environment", ProxyPassword: secret}, "proxy_password", "environment"},
		{Options{Proxy: "socks5://" + strings.Repeat("u", 256) + "@h"}, "proxy", "255 bytes"},
		{Options{AddressFamily: "ipv5"}, "address_family", "ipv4"},
		{Options{SourceAddress: "198.51.100.0/24"}, "source_address", "interface"},
		{Options{SourceAddress: "::1", AddressFamily: "ipv4"}, "source_address", "address_family"},
	} {
		_, err := New(test.o)
		var bad engine.BadArg
		if !errors.As(err, &bad) || bad.Arg != test.arg || !strings.Contains(bad.Problem, test.text) || strings.Contains(bad.Problem, password) {
			t.Errorf("%+v: %v, want %s with %q", test.o, err, test.arg, test.text)
		}
	}
}

func TestStages(t *testing.T) {
	host := greeter(t)
	_, port, _ := net.SplitHostPort(host)
	server := proxyAt(t, proxytest.Options{SOCKS: true})
	var heard []string
	ctx := engine.WithStages(t.Context(), func(s engine.Stage) { heard = append(heard, fmt.Sprint(s.Name, " ", s.Err != nil)) })
	for _, test := range []struct {
		o       Options
		address string
		want    string
	}{
		{Options{}, host, "tcp false"},
		{Options{}, "localhost:" + port, "lookup false, tcp false"},
		{Options{}, "nowhere.invalid:1", "lookup true"},
		{Options{}, "127.0.0.1:1", "tcp true"},
		{Options{Proxy: "socks5://" + server.Addr()}, host, "tcp false, proxy false"},
		{Options{Proxy: "socks5://" + server.Addr()}, "127.0.0.1:1", "tcp false, proxy true"},
		{Options{Proxy: "socks5://127.0.0.1:1"}, host, "tcp true"},
	} {
		heard = nil
		if c, err := make1(t, test.o).Dial(ctx, test.address); err == nil {
			_ = c.Close()
		}
		if got := strings.Join(heard, ", "); got != test.want {
			t.Errorf("%+v %s: %s, want %s", test.o, test.address, got, test.want)
		}
	}
}

// TestProxytestIsFaithful: another client, that of golang.org/x/net, gets on with the server of these tests.
func TestProxytestIsFaithful(t *testing.T) {
	host := greeter(t)
	server := proxyAt(t, proxytest.Options{SOCKS: true, User: "ops", Password: password, Names: map[string]string{"dsva1.internal:22": host}})
	for secret, well := range map[string]bool{password: true, "wrong": false} {
		d, err := xproxy.SOCKS5("tcp", server.Addr(), &xproxy.Auth{User: "ops", Password: secret}, xproxy.Direct)
		if err != nil {
			t.Fatal(err)
		}
		c, err := d.(xproxy.ContextDialer).DialContext(t.Context(), "tcp", "dsva1.internal:22")
		if (err == nil) != well {
			t.Fatalf("with the password %q: %v", secret, err)
		}
		if err != nil {
			continue
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		if line != "SSH-2.0-greeter\r\n" {
			t.Errorf("%q, %v", line, err)
		}
		_ = c.Close()
	}
}
