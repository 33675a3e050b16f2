package https

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
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
		if n := len(proxy.Asked()); n != 1 {
			t.Errorf("%d tunnels, want one: that of Open is the first request's", n)
		}
		s.ProxyPassword = engine.Plain("wrong")
		if e := refused(t, host); e.Kind != engine.KindAuth || !strings.Contains(e.Error(), "the proxy refuses the user ops") {
			t.Error(e)
		}
		if proxy.Logins() != 2 {
			t.Errorf("%d logins to the proxy, want 2", proxy.Logins())
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

// TestFirstConnectionIsNotKeptForLong: who has only looked leaves no connection behind, neither by closing nor by waiting.
func TestFirstConnectionIsNotKeptForLong(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	t.Cleanup(server.Close)
	host, s := hostAt(t, server.Listener.Addr())
	s.Insecure = true
	var mu sync.Mutex
	open := 0
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch state {
		case http.StateNew:
			open++
		case http.StateClosed:
			open--
		}
	}
	server.StartTLS()
	gone := func() bool {
		for range 1000 {
			mu.Lock()
			n := open
			mu.Unlock()
			if n == 0 {
				return true
			}
			_ = engine.Wait(t.Context(), 10*time.Millisecond)
		}
		return false
	}
	c, err := Transport{}.Open(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if !gone() {
		t.Error("Close leaves the connection open")
	}
	if c, err = (Transport{}).Open(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !gone() {
		t.Error("it stays open though nobody asks anything")
	}
}

// TestAnswersThatAreNotReadToTheirEnd: decoders of XML and JSON stop at the end of the document, before the last chunk. The
// connection is used again all the same; one whose answer has no end is not waited for.
func TestAnswersThatAreNotReadToTheirEnd(t *testing.T) {
	var conns atomic.Int32
	gone := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "<a></a>")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/endless" {
			<-r.Context().Done()
			close(gone)
		}
	}))
	t.Cleanup(server.Close)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.StartTLS()
	host, s := hostAt(t, server.Listener.Addr())
	s.Insecure = true
	c := open(t, host)
	ask := func(path string) {
		t.Helper()
		response, err := c.HTTP().Get(c.Endpoint().JoinPath(path).String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(response.Body, make([]byte, 7)); err != nil {
			t.Error(err)
		}
		_ = response.Body.Close()
	}
	for range 5 {
		ask("/")
	}
	if conns.Load() != 1 {
		t.Errorf("%d connections for 5 requests, want 1", conns.Load())
	}
	ask("/endless")
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		t.Error("the request goes on though nobody reads the answer")
	}
}
