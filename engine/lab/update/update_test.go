package update_test

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab/update"
)

type way struct {
	server *update.Server
	proxy  *update.Proxy
	relay  *update.Relay
}

func start(t *testing.T) way {
	t.Helper()
	s, err := update.Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	p, err := update.ListenProxy("127.0.0.1:0", map[string]string{update.Host + ":443": s.Addr()}, s.Public.Pool(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return way{s, p, update.NewRelay(s, p.Addr())}
}

// TestRelay: what is wrong on the way, what the relay says of it, and that a source ending in // helps against one of them only.
func TestRelay(t *testing.T) {
	for _, c := range []struct {
		name, says string
		wrong      func(w way)
		unverified bool // a source that ends in // helps
		right      func(w way)
	}{
		{name: "intercepted", says: "cannot be verified (issuer: CN=dsplay lab TLS inspection CA)", unverified: true,
			wrong: func(w way) { w.proxy.Set(func(m *update.Manner) { m.Intercept = true }) },
			right: func(w way) { w.proxy.Set(func(m *update.Manner) { m.Intercept = false }) }},
		{name: "407", says: "407 Proxy Authentication Required",
			wrong: func(w way) { w.proxy.Set(func(m *update.Manner) { m.User, m.Password = "relay", "pw" }) },
			right: func(w way) { w.relay.Login("relay", "pw") }},
		{name: "dns", says: "cannot be resolved",
			wrong: func(w way) { w.proxy.Set(func(m *update.Manner) { m.Deaf = true }) },
			right: func(w way) { w.proxy.Set(func(m *update.Manner) { m.Deaf = false }) }},
		{name: "expired", says: "IAURELAY_STATUS_DIGITAL_SIGNATURE_CERT_EXPIRE",
			wrong: func(w way) { w.relay.Age(update.Expired) }, right: func(w way) { w.relay.Age(update.Current) }},
		{name: "old", says: "does not match",
			wrong: func(w way) { w.relay.Age(update.Unrenewed); w.server.Publish() }, right: func(w way) { w.relay.Age(update.Current) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t)
			if v, err := w.relay.Fetch(t.Context(), update.URL); err != nil || v != "21.001.00" {
				t.Fatalf("healthy: %q %v", v, err)
			}
			c.wrong(w)
			if _, err := w.relay.Fetch(t.Context(), update.URL); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			if _, err := w.relay.Fetch(t.Context(), update.URL+"//"); (err == nil) != c.unverified {
				t.Errorf("with //: %v", err)
			}
			c.right(w)
			if _, err := w.relay.Fetch(t.Context(), update.URL); err != nil {
				t.Errorf("after the remedy: %v", err)
			}
		})
	}
}
