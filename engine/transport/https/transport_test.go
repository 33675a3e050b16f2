package https

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

// serve starts a TLS server and returns a host for it that trusts nothing yet.
func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, *engine.Host, *Settings) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = nil
	server.EnableHTTP2 = false
	server.StartTLS()
	t.Cleanup(server.Close)
	host, s := hostAt(t, server.Listener.Addr())
	return server, host, s
}

func hostAt(t *testing.T, addr net.Addr) (*engine.Host, *Settings) {
	t.Helper()
	address, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	s := Transport{}.Settings().(*Settings)
	s.Port, _ = strconv.Atoi(port)
	return &engine.Host{Name: "vc1", Address: address, Connection: engine.Connection{Type: "https", Settings: s}}, s
}

func open(t *testing.T, h *engine.Host) engine.API {
	t.Helper()
	c, err := Transport{}.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(engine.API)
}

func refused(t *testing.T, h *engine.Host) *engine.Error {
	t.Helper()
	_, err := Transport{}.Open(t.Context(), h)
	var e *engine.Error
	if !errors.As(err, &e) {
		t.Fatalf("want an engine.Error, got %v", err)
	}
	if !e.Unreachable || e.Host != "vc1" || e.Hint == "" {
		t.Errorf("want unreachable, the host's name and a hint: %#v", e)
	}
	return e
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }

func TestRefusesAnUnknownCertificateAndSaysHowToPinIt(t *testing.T) {
	_, host, s := serve(t, hello)
	e := refused(t, host)
	if e.Kind != engine.KindTLS {
		t.Fatalf("kind %s: %v", e.Kind, e)
	}
	pin := regexp.MustCompile(`fingerprint = "(sha256:[0-9a-f]{64})"`).FindStringSubmatch(e.Hint)
	if pin == nil {
		t.Fatalf("no fingerprint in the hint %q", e.Hint)
	}
	s.Fingerprint = pin[1]
	c := open(t, host)
	if want := "tls " + pin[1] + " CN="; !strings.HasPrefix(c.Identity(), want) || strings.Contains(c.Identity(), "not verified") {
		t.Errorf("identity %q, want %q…", c.Identity(), want)
	}
	res, err := c.HTTP().Get(c.Endpoint().String())
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
}

func TestVerifies(t *testing.T) {
	server, host, s := serve(t, hello)
	cert := server.Certificate()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	sha1sum := sha1.Sum(cert.Raw)
	vcenterStyle := strings.ToUpper(hex.EncodeToString(sha1sum[:1]))
	for _, b := range sha1sum[1:] {
		vcenterStyle += ":" + strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	for name, c := range map[string]struct {
		set  func()
		kind engine.ErrorKind
	}{
		"sha1 pin":     {func() { s.Fingerprint = vcenterStyle }, ""},
		"openssl pin":  {func() { s.Fingerprint = "sha256 Fingerprint=" + strings.ToUpper(fingerprint(cert)) }, ""},
		"another pin":  {func() { s.Fingerprint = strings.Repeat("ab", 32) }, engine.KindTLS},
		"ca":           {func() { s.CA = ca }, ""},
		"ca, not name": {func() { s.CA, host.Address = ca, "127.0.0.2" }, engine.KindTLS},
		"insecure":     {func() { s.Insecure = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fresh, address := *s, host.Address
			defer func() { *s, host.Address = fresh, address }()
			c.set()
			if c.kind == "" {
				api := open(t, host)
				if got := strings.Contains(api.Identity(), "(not verified)"); got != s.Insecure {
					t.Errorf("identity %q", api.Identity())
				}
				return
			}
			if name == "ca, not name" { // the server listens on one address only: the name is what differs
				config, err := tlsConfig(s, parsed{}, host.Address)
				if err != nil {
					t.Fatal(err)
				}
				_, err = tls.Dial("tcp", server.Listener.Addr().String(), config)
				var bad *untrusted
				if !errors.As(err, &bad) {
					t.Fatalf("want untrusted, got %v", err)
				}
				return
			}
			if e := refused(t, host); e.Kind != c.kind {
				t.Errorf("kind %s, want %s: %v", e.Kind, c.kind, e)
			}
		})
	}
}

func TestKindsOfUnreachable(t *testing.T) {
	closed := listen(t)
	_ = closed.Close()
	mute := listen(t) // accepts by the kernel's backlog and never speaks
	plain := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(plain.Close)
	for name, c := range map[string]struct {
		addr net.Addr
		kind engine.ErrorKind
	}{
		"nobody listens": {closed.Addr(), engine.KindRefused},
		"mute":           {mute.Addr(), engine.KindTimeout},
		"plain http":     {plain.Listener.Addr(), engine.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			host, s := hostAt(t, c.addr)
			s.ConnectTimeout = "300ms"
			if e := refused(t, host); e.Kind != c.kind {
				t.Errorf("kind %s, want %s: %v", e.Kind, c.kind, e)
			}
		})
	}
	host, _ := hostAt(t, closed.Addr())
	host.Address = "no such host.invalid"
	if e := refused(t, host); e.Kind != engine.KindDNS {
		t.Errorf("kind %s, want dns: %v", e.Kind, e)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestLegacyTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.StartTLS()
	t.Cleanup(server.Close)
	host, s := hostAt(t, server.Listener.Addr())
	s.Fingerprint = fingerprint(server.Certificate())
	if e := refused(t, host); e.Kind != engine.KindTLS || !strings.Contains(e.Hint, "legacy_tls") {
		t.Errorf("want a hint at legacy_tls: %v (%s)", e, e.Hint)
	}
	s.LegacyTLS = true
	open(t, host)
}

func TestIgnoresProxyVariables(t *testing.T) {
	dead := listen(t)
	_ = dead.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"} {
		t.Setenv(name, "http://"+dead.Addr().String())
	}
	server, host, s := serve(t, hello)
	s.Fingerprint = fingerprint(server.Certificate())
	c := open(t, host)
	res, err := c.HTTP().Get(c.Endpoint().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

func TestSettingsAreChecked(t *testing.T) {
	for arg, set := range map[string]func(*Settings){
		"fingerprint":                  func(s *Settings) { s.Fingerprint = "abc" },
		"connect_timeout":              func(s *Settings) { s.ConnectTimeout = "soon" },
		"request_timeout":              func(s *Settings) { s.RequestTimeout = "-1s" },
		"port":                         func(s *Settings) { s.Port = 70000 },
		"insecure_no_tls_verification": func(s *Settings) { s.Insecure, s.CA = true, "ca.pem" },
	} {
		s := Transport{}.Settings().(*Settings)
		if err := s.Validate(); err != nil {
			t.Fatalf("the defaults: %v", err)
		}
		set(s)
		var bad engine.BadArg
		if err := s.Validate(); !errors.As(err, &bad) || bad.Arg != arg {
			t.Errorf("%s: got %v", arg, err)
		}
	}
	s := &Settings{Kind: "dsm", ConnectTimeout: "1s", RequestTimeout: "1s"}
	if p, err := s.parse(); err != nil || p.port != 4119 {
		t.Errorf("port of a dsm: %d, %v", p.port, err)
	}
}

// Whoever waits for a host that says nothing is told so, and how long it was waited; nothing of what was cleaned up after it.
func TestSilenceIsTold(t *testing.T) {
	host, s := hostAt(t, listen(t).Addr())
	s.ConnectTimeout = "300ms"
	e := refused(t, host)
	if want := `^connect to 127\.0\.0\.1:\d+: no answer to the TLS handshake within \d+(\.\d+)?m?s$`; !regexp.MustCompile(want).MatchString(e.Error()) {
		t.Errorf("got %q", e)
	}
}

func TestOpenStopsWithItsContext(t *testing.T) {
	host, _ := hostAt(t, listen(t).Addr())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Transport{}).Open(ctx, host); !errors.Is(err, context.Canceled) || engine.KindOf(err) != engine.KindTimeout {
		t.Errorf("want canceled, got %s: %v", engine.KindOf(err), err)
	}
}
