package tlspath_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/tlspath"
)

func TestCases(t *testing.T) { moduletest.Run(t, tlspath.Module()) }

// controller is the machine on which dsplay runs.
type controller struct{ engine.Reader }

func (controller) Name() string { return engine.Localhost }

// TestLab looks from here through the lab's real proxy, with each trouble that concerns it and some that do not.
func TestLab(t *testing.T) {
	l, err := lab.Start(t.Context(), lab.Options{Dir: filepath.Join(t.TempDir(), "lab"), ESXi: 1, Guests: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for fault, want := range map[string]string{"": "none", "update-intercepted": "intercepted", "update-proxy-auth": "proxy_auth", "update-dns": "dns",
		"update-proxy-hangs": "timeout", "update-signature-expired": "none", "relay-old": "none"} {
		if err := l.Clear(); err != nil {
			t.Fatal(err)
		}
		if fault != "" {
			if err := l.Inject(fault, ""); err != nil {
				t.Fatal(err)
			}
		}
		timeout := "10s"
		if fault == "update-proxy-hangs" {
			timeout = "300ms"
		}
		got := probe(t, l.World().Update, false, timeout)
		by := ""
		if want == "intercepted" {
			by = "CN=dsplay lab TLS inspection CA"
		}
		if got.Cause != want || got.Intercepted != (want == "intercepted") || got.By != by || (got.Message == "") != (want == "none") {
			t.Errorf("%q: %+v", fault, got)
		}
	}
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	if got := probe(t, l.World().Update, true, "10s"); got.Cause != "none" || len(got.Paths) != 2 || got.Paths[0].State != "dns" || got.Paths[1].State != "genuine" {
		t.Errorf("a controller without a way of its own: %+v", got)
	}
	texts := []string{}
	for _, r := range l.Received() {
		if r.Kind == "update" && r.Host == "update1" {
			texts = append(texts, r.Text)
		}
	}
	if slices.Contains(texts, "GET /") || len(texts) > 1 { // one of relay-old
		t.Errorf("a look sends something after its handshake: %v", texts)
	}
}

func probe(t *testing.T, u lab.Update, direct bool, timeout string) tlspath.Result {
	t.Helper()
	instance := moduletest.New(t, tlspath.Module(), map[string]any{"hosts": []string{u.Host}, "proxy": u.Proxy, "ca": u.PublicCA, "direct": direct, "timeout_each": timeout})
	if err := instance.(engine.Validator).Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := instance.(engine.Prober).Probe(context.WithoutCancel(t.Context()), controller{})
	if err != nil {
		t.Fatal(err)
	}
	return got.(tlspath.Result)
}

// TestBeside: ca stands beside the playbook.
func TestBeside(t *testing.T) {
	dir := t.TempDir()
	pem, err := os.ReadFile("testdata/public.pem")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "x.pem"), pem, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	instance := moduletest.New(t, tlspath.Module(), map[string]any{"hosts": []string{"127.0.0.1:1"}, "ca": "x.pem"})
	instance.(engine.Sourced).Beside(dir)
	got, err := instance.(engine.Prober).Probe(t.Context(), controller{})
	if err != nil || got.(tlspath.Result).Cause != "refused" {
		t.Errorf("%+v %v", got, err)
	}
}
