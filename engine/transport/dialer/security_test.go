package dialer

import (
	"errors"
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
