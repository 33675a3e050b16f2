package winrm_test

import (
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer/proxytest"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

func TestThroughAProxy(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			_, h := startWith(t, way, computer())
			proxy, err := proxytest.Listen(proxytest.Options{SOCKS: true, User: "ops", Password: "s3cret"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(proxy.Close)
			s := h.Connection.Settings.(*winrm.Settings)
			s.Proxy, s.ProxyPassword = "socks5://ops@"+proxy.Addr(), engine.Plain("s3cret")
			if via := h.Via(); via != "socks5 proxy ops@"+proxy.Addr() {
				t.Errorf("via %q", via)
			}
			var heard []string
			ctx := engine.WithStages(t.Context(), func(s engine.Stage) { heard = append(heard, s.Name) })
			c, err := winrm.New().Open(ctx, h)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if code, err := c.(engine.Shell).Exec(t.Context(), engine.Process{Line: "args hello"}); code != 0 || err != nil {
				t.Errorf("%d, %v", code, err)
			}
			if n := len(proxy.Asked()); n != 1 {
				t.Errorf("%d tunnels, want 1", n)
			}
			names := strings.Join(heard, " ")
			if !strings.HasPrefix(names, "tcp proxy ") || !strings.HasSuffix(names, "shell") || strings.Contains(names, "tls") != strings.Contains(way, "https") {
				t.Errorf("the stages are %s", names)
			}
			s.ProxyPassword = engine.Plain("wrong")
			_, err = winrm.New().Open(t.Context(), h)
			if engine.KindOf(err) != engine.KindAuth || !strings.Contains(err.Error(), "the proxy refuses the user ops") || !engine.IsUnreachable(err) {
				t.Error(err)
			}
		})
	}
}
