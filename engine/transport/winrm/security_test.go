package winrm_test

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

// TestHeadWithoutEnd: what comes before a body takes no more memory than an answer may.
func TestHeadWithoutEnd(t *testing.T) {
	for name, begin := range map[string]string{"a line": "HTTP/1.1 200 ", "headers": "HTTP/1.1 200 OK\r\n", "continue": ""} {
		_, h, s := host(t, wsman.Options{NTLM: true})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var sent atomic.Int64
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				part := map[string]string{"a line": strings.Repeat("x", 64<<10), "headers": "X: " + strings.Repeat("y", 60<<10) + "\r\n", "continue": "HTTP/1.1 100 Continue\r\n\r\n"}[name]
				for _, err = io.WriteString(c, begin); err == nil && sent.Load() < 300<<20; sent.Add(int64(len(part))) {
					_, err = io.WriteString(c, part)
				}
				_ = c.Close()
			}
		}()
		t.Cleanup(func() { _ = l.Close() })
		s.Port = l.Addr().(*net.TCPAddr).Port
		c, err := winrm.New().Open(t.Context(), h)
		if err == nil {
			_ = c.Close()
		}
		var e *engine.Error
		if !errors.As(err, &e) || !e.Unreachable || sent.Load() > 100<<20 {
			t.Errorf("%s: %d MB were taken, %v", name, sent.Load()>>20, err)
		}
	}
	runtime.GC()
}

// TestReasonWithoutEnd: the text of a fault is for a person.
func TestReasonWithoutEnd(t *testing.T) {
	server, h := start(t, "ntlm http")
	server.Fail(wsman.Fault{Mode: wsman.Changed, Times: 1, On: "Create", Change: func(string) string {
		return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>` +
			strings.Repeat("no ", 1<<20) + `</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`
	}})
	_, err := winrm.New().Open(t.Context(), h)
	if err == nil || len(err.Error()) > 2000 || !strings.Contains(err.Error(), "no no no") {
		t.Errorf("%.200v", err)
	}
}

// TestWrongPasswordOncePerRun: whoever opens another connection in the same run does not send it again; what the host has
// taken in this run is right, and is.
func TestWrongPasswordOncePerRun(t *testing.T) {
	for _, auth := range []string{"ntlm", "basic"} {
		config, file, _ := authority(t)
		server, h, s := host(t, wsman.Options{NTLM: true, Basic: true, TLS: config, LockAfter: 3, Users: map[string]string{"ops": "s3cret"}})
		s.Auth, s.CA = auth, file
		run := winrm.New()
		s.Password = engine.Plain("guess")
		for range 5 {
			_, err := run.Open(t.Context(), h)
			e := want(t, err, engine.KindAuth)
			if !e.Unreachable || strings.Contains(e.Error(), "guess") {
				t.Error(e)
			}
		}
		if n := server.Failures("ops"); n != 1 {
			t.Errorf("%s: the host has seen a wrong password %d times", auth, n)
		}
		s.Password = engine.Plain("s3cret")
		c, err := run.Open(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: []string{"Negotiate", "Basic"}}) // while it starts, a host does not know its domain
		_, err = run.Open(t.Context(), h)
		_ = want(t, err, engine.KindAuth)
		server.Heal()
		if c, err = run.Open(t.Context(), h); err != nil {
			t.Fatalf("%s: %v", auth, err)
		}
		_ = c.Close()
	}
}
