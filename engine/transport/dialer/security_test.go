package dialer

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer/proxytest"
)

// TestAddressIsOneAddress: what a guest calls itself may be the address of a host; it must not add to a request to the proxy.
func TestAddressIsOneAddress(t *testing.T) {
	s := proxyAt(t, proxytest.Options{User: "ops", Password: password})
	d := make1(t, Options{Proxy: "http://ops@" + s.Addr(), ProxyPassword: engine.Plain(password)})
	for _, address := range []string{"a:22 HTTP/1.1\r\nX: y\r\n\r\nCONNECT b:22", "a b:22", "a\x00:22", "a\u2028b:22"} {
		c, err := d.Dial(t.Context(), address)
		if err == nil {
			_ = c.Close()
		}
		var e *Error
		if !errors.As(err, &e) || e.Leg != FromHere || strings.ContainsAny(e.Error()+e.Target, "\r\n\x00") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// spoken is a connection on which everything was said before.
type spoken struct {
	net.Conn
	from *bytes.Reader
}

func (s spoken) Read(b []byte) (int, error)  { return s.from.Read(b) }
func (s spoken) Write(b []byte) (int, error) { return len(b), nil }

// FuzzProxy: what a proxy answers never ends the program, and its errors never hold the password.
func FuzzProxy(f *testing.F) {
	f.Add([]byte("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n"))
	f.Add([]byte{5, 2, 1, 0, 5, 0, 0, 3, 1, 'a', 0, 22})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := &proxy{scheme: "http", address: "p:1", host: "p", user: "ops", password: password}
		for _, ask := range []func(net.Conn, string) *Error{p.connect, p.socks} {
			if err := ask(spoken{from: bytes.NewReader(b)}, "h:22"); err != nil && strings.Contains(err.Error(), password) {
				t.Error(err)
			}
		}
	})
}
