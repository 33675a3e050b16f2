//go:build lab

package tlspath_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/tlspath"
)

// remote is a POSIX host that happens to be this one.
type remote struct{ engine.Reader }

func (remote) Name() string { return "relay1" }

func (remote) Run(ctx context.Context, c engine.Command) (engine.Output, error) {
	var stdout, stderr bytes.Buffer
	p := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	p.Stdout, p.Stderr = &stdout, &stderr
	err := p.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil {
		return engine.Output{}, &engine.Error{Kind: engine.KindTimeout, Err: ctx.Err()}
	}
	if err != nil && !errors.As(err, &exit) {
		return engine.Output{}, err
	}
	return engine.Output{Stdout: stdout.String(), Stderr: stderr.String(), Code: p.ProcessState.ExitCode()}, nil
}

// TestLabOpenSSL: what the real openssl says through a real proxy is understood.
func TestLabOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("install openssl:", err)
	}
	l, err := lab.Start(t.Context(), lab.Options{Dir: filepath.Join(t.TempDir(), "lab"), ESXi: 1, Guests: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for fault, want := range map[string]string{"": "none", "update-intercepted": "intercepted", "update-proxy-auth": "proxy_auth",
		"update-dns": "refused" /* openssl shows the status, not what Squid says besides */, "update-proxy-hangs": "timeout"} {
		if err := l.Clear(); err != nil {
			t.Fatal(err)
		}
		if fault != "" {
			if err := l.Inject(fault, ""); err != nil {
				t.Fatal(err)
			}
		}
		u := l.World().Update
		instance := moduletest.New(t, tlspath.Module(), map[string]any{"hosts": []string{u.Host}, "proxy": u.Proxy, "ca": u.PublicCA, "timeout_each": "5s"})
		got, err := instance.(engine.Prober).Probe(t.Context(), remote{})
		if err != nil || got.(tlspath.Result).Cause != want || got.(tlspath.Result).Paths[0].State != "dns" {
			t.Errorf("%q: %+v %v", fault, got, err)
		}
	}
}
