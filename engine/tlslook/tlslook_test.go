package tlslook_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/pki"
	"github.com/dsplay/dsplay/engine/lab/update"
	"github.com/dsplay/dsplay/engine/tlslook"
	"github.com/dsplay/dsplay/engine/transport/dialer"
)

// TestAt looks at a real server through a real proxy, with each of its troubles.
func TestAt(t *testing.T) {
	server, err := update.Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	const address = update.Host + ":443"
	proxy, err := update.ListenProxy("127.0.0.1:0", map[string]string{address: server.Addr()}, server.Public.Pool(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	for _, c := range []struct {
		name     string
		manner   update.Manner
		user     string
		address  string
		want     tlslook.State
		by, says string
	}{
		{name: "genuine", want: tlslook.Genuine, by: "CN=dsplay lab public CA"},
		{name: "intercepted", manner: update.Manner{Intercept: true}, want: tlslook.Intercepted, by: "CN=dsplay lab TLS inspection CA", says: "TLS is inspected"},
		{name: "407 without a login", manner: update.Manner{User: "u", Password: "p"}, want: tlslook.ProxyAuth, says: "407"},
		{name: "407 with a wrong one", manner: update.Manner{User: "u", Password: "p"}, user: "other", want: tlslook.ProxyAuth, says: "refuses the user other"},
		{name: "a login", manner: update.Manner{User: "u", Password: "p"}, user: "u", want: tlslook.Genuine, by: "CN=dsplay lab public CA"},
		{name: "dns", manner: update.Manner{Deaf: true}, want: tlslook.DNS, says: "the name is unknown there"},
		{name: "another name", address: "nowhere.lab.invalid:443", want: tlslook.DNS},
		{name: "hangs", manner: update.Manner{Hang: true}, want: tlslook.Timeout, says: "in time"},
		{name: "nobody there", address: "127.0.0.1:1", want: tlslook.Refused},
		{name: "by its address", address: server.Addr(), want: tlslook.Genuine, by: "CN=dsplay lab public CA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy.Set(func(m *update.Manner) { *m = c.manner })
			o := dialer.Options{Proxy: "http://" + proxy.Addr()}
			if c.user != "" {
				o.Proxy, o.ProxyPassword = "http://"+c.user+"@"+proxy.Addr(), engine.Plain("p")
			}
			d, err := dialer.New(o)
			if err != nil {
				t.Fatal(err)
			}
			limit := 10 * time.Second
			if c.manner.Hang {
				limit = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			if c.address == "" {
				c.address = address
			}
			got := tlslook.At(ctx, d, c.address, server.Public.Pool())
			if got.State != c.want || got.By() != c.by || !strings.Contains(got.Message, c.says) {
				t.Errorf("%s by %q: %s", got.State, got.By(), got.Message)
			}
		})
	}
}

// TestJudge: who signed comes before the dates, the dates before the name.
func TestJudge(t *testing.T) {
	public, err := pki.Named("public")
	if err != nil {
		t.Fatal(err)
	}
	other, err := pki.Named("inspection")
	if err != nil {
		t.Fatal(err)
	}
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		name   string
		by     *pki.Authority
		host   string
		passed time.Duration
		want   tlslook.State
	}{
		{"genuine", public, "a.example", 0, tlslook.Genuine},
		{"its authority", other, "a.example", 0, tlslook.Intercepted},
		{"its authority, and its dates", other, "a.example", year, tlslook.Intercepted},
		{"its dates", public, "a.example", year, tlslook.Expired},
		{"not valid yet", public, "a.example", -year, tlslook.Expired},
		{"its dates, and its name", public, "b.example", year, tlslook.Expired},
		{"its name", public, "b.example", 0, tlslook.WrongName},
	} {
		cert, err := c.by.Server("a.example", "")
		if err != nil {
			t.Fatal(err)
		}
		got := tlslook.Judge(chainOf(t, cert), public.Pool(), c.host, time.Now().Add(c.passed))
		if got.State != c.want {
			t.Errorf("%s: %s %s", c.name, got.State, got.Message)
		}
	}
}

func chainOf(t *testing.T, c tls.Certificate) (chain []*x509.Certificate) {
	t.Helper()
	for _, der := range c.Certificate {
		one, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, one)
	}
	return chain
}

// TestNoTLS: what speaks first is no TLS server.
func TestNoTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte("220 mail.example ESMTP\r\n"))
		_, _ = c.Read(make([]byte, 1024))
		_ = c.Close()
	}()
	d, err := dialer.New(dialer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := tlslook.At(t.Context(), d, l.Addr().String(), nil); got.State != tlslook.NoTLS {
		t.Errorf("%s %s", got.State, got.Message)
	}
}
