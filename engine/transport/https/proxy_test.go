package https

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer/proxytest"
)

func TestThroughAProxy(t *testing.T) {
	server, host, s := serve(t, hello)
	sum := sha256.Sum256(server.Certificate().Raw)
	s.Fingerprint = hex.EncodeToString(sum[:])
	for _, socks := range []bool{true, false} {
		scheme := map[bool]string{true: "socks5", false: "http"}[socks]
		proxy, err := proxytest.Listen(proxytest.Options{SOCKS: socks, User: "ops", Password: "s3cret"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxy.Close)
		s.Proxy, s.ProxyPassword = scheme+"://ops@"+proxy.Addr(), engine.Plain("s3cret")
		if via := host.Via(); via != scheme+" proxy ops@"+proxy.Addr() {
			t.Errorf("via %q", via)
		}
		c := open(t, host)
		response, err := c.HTTP().Get(c.Endpoint().String())
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(response.Body); string(text) != "hello" {
			t.Errorf("%q, %v", text, err)
		}
		_ = response.Body.Close()
		if n := len(proxy.Asked()); n != 2 {
			t.Errorf("%d tunnels, want one to look and one for the request", n)
		}
		s.ProxyPassword = engine.Plain("wrong")
		if e := refused(t, host); e.Kind != engine.KindAuth || !strings.Contains(e.Error(), "the proxy refuses the user ops") {
			t.Error(e)
		}
		if proxy.Logins() != 3 {
			t.Errorf("%d logins to the proxy, want 3", proxy.Logins())
		}
	}
}

func TestStages(t *testing.T) {
	_, host, s := serve(t, hello)
	s.Insecure = true
	heard := map[string]engine.Stage{}
	ctx := engine.WithStages(t.Context(), func(s engine.Stage) { heard[s.Name] = s })
	c, err := Transport{}.Open(ctx, host)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if x := heard["tls"]; !strings.HasPrefix(x.Detail, "TLS 1.3 ") || !strings.Contains(x.Detail, "sha256:") || !x.Until.After(time.Now()) || len(x.Weak) != 0 {
		t.Errorf("%+v", x)
	}
	s.Insecure = false
	clear(heard)
	if _, err := (Transport{}).Open(ctx, host); err == nil || heard["tls"].Err == nil || heard["tcp"].Err != nil {
		t.Errorf("%v, %+v", err, heard)
	}
}
