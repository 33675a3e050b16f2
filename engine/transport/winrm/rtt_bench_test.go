package winrm_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/masterzen/winrm"
)

// distance is half a round trip.
const distance = 25 * time.Millisecond

// far gives an address that leads to target with a delay in both directions. Connecting takes no time, which is good for
// the client that connects more often.
func far(tb testing.TB, target string) string {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", target)
			if err != nil {
				_ = here.Close()
				continue
			}
			go late(there, here)
			go late(here, there)
		}
	}()
	return listener.Addr().String()
}

// late copies with a delay, however much is under way.
func late(to, from net.Conn) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces := make(chan piece, 1000)
	go func() {
		defer close(pieces)
		for {
			data := make([]byte, 64<<10)
			n, err := from.Read(data)
			if err != nil {
				return
			}
			pieces <- piece{data[:n], time.Now().Add(distance)}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
	for range pieces { // lets the reader end
	}
}

// BenchmarkRoundTrip is the time of a short command at a round trip of 50 ms: ours, and the usual client with each of its own
// ways to log in, side by side in one run. Compare the columns of a line, which say how often as long it takes as ours.
func BenchmarkRoundTrip(b *testing.B) {
	clients := map[string]func(context.Context) error{"ours-sealed": ours(b, "ntlm http"), "ours-https": ours(b, "ntlm https")}
	servers := map[string]*wsman.Server{}
	for name, decorator := range map[string]func() winrm.Transporter{
		"basic": nil,
		"ntlm":  func() winrm.Transporter { return &winrm.ClientNTLM{} },
		"sealed": func() winrm.Transporter {
			e, err := winrm.NewEncryption("ntlm")
			if err != nil {
				b.Fatal(err)
			}
			return e
		},
	} {
		servers[name], clients[name] = theirs(b, name, decorator)
	}
	spent := map[string]time.Duration{}
	before := map[string]int{}
	for name, server := range servers {
		before[name] = len(server.Requests())
	}
	for b.Loop() {
		for name, run := range clients {
			began := time.Now()
			if err := run(b.Context()); err != nil {
				b.Fatalf("%s: %v", name, err)
			}
			spent[name] += time.Since(began)
		}
	}
	for name, total := range spent {
		b.ReportMetric(float64(total.Milliseconds())/float64(b.N), name+"-ms")
	}
	for name, server := range servers {
		b.ReportMetric(float64(spent[name])/float64(spent["ours-sealed"]), name+"-ratio")
		b.ReportMetric(float64(len(server.Requests())-before[name])/float64(b.N), name+"-requests")
	}
	b.ReportMetric(0, "ns/op")
}

func ours(b *testing.B, way string) func(context.Context) error {
	b.Helper()
	server, h := start(b, way)
	s, _ := h.Connection.Settings.(*settings)
	h.Address, s.Port = split(b, far(b, server.Addr()))
	s.OperationTimeout = "20s"
	c := open(b, h)
	return func(ctx context.Context) error {
		_, err := c.Exec(ctx, engine.Process{Line: "say x", Stdout: io.Discard})
		return err
	}
}

func theirs(b *testing.B, name string, decorator func() winrm.Transporter) (*wsman.Server, func(context.Context) error) {
	b.Helper()
	server, _, _ := host(b, wsman.Options{NTLM: name != "basic", Basic: name == "basic", AllowUnencrypted: name != "sealed"})
	address, port := split(b, far(b, server.Addr()))
	p := winrm.NewParameters("PT20S", "en-US", 153600)
	p.TransportDecorator = decorator
	client, err := winrm.NewClientWithParameters(winrm.NewEndpoint(address, port, false, false, nil, nil, nil, 60*time.Second), "ops", "s3cret", p)
	if err != nil {
		b.Fatal(err)
	}
	return server, func(ctx context.Context) error {
		out, _, code, err := client.RunCmdWithContext(ctx, "say x")
		if err == nil && (out != "x" || code != 0) {
			err = fmt.Errorf("%q, code %d", out, code)
		}
		return err
	}
}

func split(tb testing.TB, address string) (string, int) {
	tb.Helper()
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		tb.Fatal(err)
	}
	return name, n
}
