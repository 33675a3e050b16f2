package dialer

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/net/dns/dnsmessage"
)

// names is a DNS server that knows one name.
func names(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			_, _ = c.WriteTo(answer(m, addresses), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}

func answer(m dnsmessage.Message, addresses []string) []byte {
	q := m.Questions[0]
	a := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
	for _, text := range addresses {
		ip := netip.MustParseAddr(text)
		h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}
		switch {
		case q.Type == dnsmessage.TypeA && ip.Is4():
			a.Answers = append(a.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: ip.As4()}})
		case q.Type == dnsmessage.TypeAAAA && ip.Is6():
			a.Answers = append(a.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	b, err := a.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// TestSeveralAddresses: what one address of a name refuses, another one may take; the stage names those in vain.
func TestSeveralAddresses(t *testing.T) {
	address := greeter(t) // on 127.0.0.1 only
	_, port, _ := net.SplitHostPort(address)
	target := "esx1.example.:" + port
	d := make1(t, Options{})
	d.resolver = names(t, "127.0.0.77", "127.0.0.1")
	talks(t, d, target)
	heard := map[string]engine.Stage{}
	c, err := d.Dial(engine.WithStages(t.Context(), func(s engine.Stage) { heard[s.Name] = s }), target)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if s := heard["lookup"]; s.Err != nil || !strings.Contains(s.Detail, "127.0.0.77") || !strings.Contains(s.Detail, "127.0.0.1") {
		t.Errorf("%+v", s)
	}
	if s := heard["tcp"]; s.Err != nil || !strings.HasPrefix(s.Detail, address) || strings.Contains(s.Detail, "in vain") && !strings.Contains(s.Detail, "127.0.0.77:"+port) {
		t.Errorf("%+v", s)
	}

	// a source address takes the addresses of its own family
	d = make1(t, Options{SourceAddress: "127.0.0.9"})
	d.resolver = names(t, "2001:db8::1", "127.0.0.1")
	talks(t, d, target)
	d.resolver = names(t, "2001:db8::1")
	if text := fails(t, d, target, FromHere, engine.KindDNS); !strings.Contains(text, "the name has no IPv4 address") {
		t.Error(text)
	}
	// both families at once: the one that does not answer is not waited for
	d = make1(t, Options{})
	d.resolver = names(t, "2001:db8::1", "127.0.0.1")
	talks(t, d, target)
}
