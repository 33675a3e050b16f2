package ssh_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer/proxytest"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

func proxyAt(t *testing.T, o proxytest.Options) *proxytest.Server {
	t.Helper()
	p, err := proxytest.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestThroughAProxy(t *testing.T) {
	server := listen(t, nil)
	for _, scheme := range []string{"socks5", "http"} {
		proxy := proxyAt(t, proxytest.Options{SOCKS: scheme == "socks5", User: "ops", Password: "s3cret"})
		h := host(t, server, func(s *ssh.Settings) {
			s.Proxy, s.ProxyPassword = scheme+"://ops@"+proxy.Addr(), engine.Plain("s3cret")
		})
		if via := h.Via(); via != scheme+" proxy ops@"+proxy.Addr() {
			t.Errorf("via %q", via)
		}
		var out bytes.Buffer
		if code, err := open(t, h).Exec(t.Context(), engine.Process{Line: "echo hello", Stdout: &out}); code != 0 || err != nil || out.String() != "hello\n" {
			t.Errorf("%s: %d, %v, %q", scheme, code, err, &out)
		}
		if asked := proxy.Asked(); len(asked) != 1 || asked[0] != server.Addr().String() {
			t.Errorf("%s: asked for %q", scheme, asked)
		}
	}
}

// TestProxyFails: a proxy is not the host, and one that hangs up is not a busy sshd, which would be asked six times.
func TestProxyFails(t *testing.T) {
	server := listen(t, nil)
	for _, test := range []struct {
		o    proxytest.Options
		kind engine.ErrorKind
		text string
	}{
		{proxytest.Options{User: "ops", Password: "other"}, engine.KindAuth, "the proxy refuses the user ops"},
		{proxytest.Options{Trouble: proxytest.HangUp}, engine.KindRefused, "ended the connection"},
		{proxytest.Options{Trouble: proxytest.Silent}, engine.KindTimeout, "the proxy hangs"},
	} {
		proxy := proxyAt(t, test.o)
		h := host(t, server, func(s *ssh.Settings) {
			s.Proxy, s.ProxyPassword, s.ConnectTimeout = "http://ops@"+proxy.Addr(), engine.Plain("s3cret"), "1s"
		})
		if e := mustNotOpen(t, h, test.kind); !strings.Contains(e.Error(), test.text) {
			t.Errorf("%s, want %q", e, test.text)
		}
		if n := proxy.Logins(); n > 1 {
			t.Errorf("%d logins to the proxy", n)
		}
	}
}

func TestStages(t *testing.T) {
	server := listen(t, nil)
	stages := func(h *engine.Host) map[string]engine.Stage {
		t.Helper()
		heard, last := map[string]engine.Stage{}, ""
		ctx := engine.WithStages(t.Context(), func(s engine.Stage) {
			heard[s.Name] = s
			if s.Took <= 0 || s.Began.IsZero() {
				t.Errorf("no time: %+v", s)
			}
			last += s.Name + " "
		})
		if conn, err := ssh.New().Open(ctx, h); err == nil {
			_ = conn.Close()
		}
		if !strings.HasPrefix("tcp handshake hostkey login ", last) {
			t.Errorf("the stages are %q", last)
		}
		return heard
	}
	well := stages(host(t, server, nil))
	if s := well["handshake"]; !strings.HasPrefix(s.Detail, "SSH-2.0-") || !strings.Contains(s.Detail, "ed25519") || len(s.Weak) != 0 {
		t.Errorf("%+v", s)
	}
	if s := well["hostkey"]; !strings.HasPrefix(s.Detail, "ssh-ed25519 SHA256:") || s.Err != nil {
		t.Errorf("%+v", s)
	}
	if s := well["login"]; s.Detail != "ops by password" || strings.Join(s.Offered, " ") == "" || s.Err != nil {
		t.Errorf("%+v", s)
	}
	wrong := stages(host(t, server, func(s *ssh.Settings) { s.Password = engine.Plain("wrong") }))
	if s := wrong["login"]; s.Err == nil || len(s.Offered) == 0 || wrong["handshake"].Err != nil || wrong["handshake"].Detail == "" {
		t.Errorf("%+v", wrong)
	}
	strange := stages(host(t, server, func(s *ssh.Settings) { s.KnownHosts = known(t) }))
	if s, login := strange["hostkey"], strange["login"]; s.Err == nil || login.Name != "" {
		t.Errorf("%+v", strange)
	}
}
