package guest_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/transport/dialer/proxytest"
	"github.com/dsplay/dsplay/engine/transport/https"
)

// Files go to the ESXi host in the way in which the vCenter is reached: through its proxy, from its source address.
func TestFilesGoTheVCentersWay(t *testing.T) {
	var from atomic.Value
	esxi := httptest.NewUnstartedServer(nil)
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", func(c *vcenter.Config) { c.Transfer = esxi.Listener.Addr().String() })
	esxi.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from.Store(r.RemoteAddr)
		e.vc.ServeHTTP(w, r)
	})
	esxi.StartTLS()
	defer esxi.Close()
	e.vc.SetCertificate("esx1", esxi.Certificate().Raw)
	proxy, err := proxytest.Listen(proxytest.Options{SOCKS: true})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	for name, way := range map[string]func(*https.Settings){
		"proxy":  func(s *https.Settings) { s.Proxy = "socks5://" + proxy.Addr() },
		"source": func(s *https.Settings) { s.SourceAddress = "127.0.0.3" },
	} {
		e.way = way
		c := e.mustOpen(t, hasty)
		if code, out, err := run(t, c, "echo x"); code != 0 || err != nil || strings.TrimSpace(out) != "x" {
			t.Errorf("%s: %d, %v, %q", name, code, err, out)
		}
		if address, _ := from.Load().(string); name == "source" && !strings.HasPrefix(address, "127.0.0.3:") {
			t.Errorf("the ESXi host was asked from %s", address)
		}
		_ = c.Close()
	}
	if !slices.Contains(proxy.Asked(), esxi.Listener.Addr().String()) {
		t.Errorf("the proxy was asked for %q", proxy.Asked())
	}
	e.way = func(s *https.Settings) { s.Proxy = "socks5://" + proxy.Addr() }
	center := e.center(t)
	defer center.Close()
	proxy.Close()
	esxi.CloseClientConnections()
	_, err = center.(interface {
		Dial(ctx context.Context, address string) (net.Conn, error)
	}).Dial(t.Context(), esxi.Listener.Addr().String())
	if engine.KindOf(err) != engine.KindRefused || engine.HostOf(err) != "vc1" || !strings.Contains(err.Error(), "proxy") {
		t.Errorf("a proxy that is away: %v", err)
	}
}
