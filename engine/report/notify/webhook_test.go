package notify_test

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/report/notify"
)

// hook is a server over TLS that answers with the given codes, one after the other, the last again and again.
func hook(t *testing.T, codes ...int) (w *notify.Webhook, bodies func() []string) {
	t.Helper()
	var mu sync.Mutex
	var got []string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		code := codes[min(len(got), len(codes)-1)]
		got = append(got, r.Header.Get("Authorization")+" "+string(body))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "because\nof this")
	}))
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	var secrets engine.Secrets
	return &notify.Webhook{URL: secrets.Add("file:url", s.URL+"/T0/s3cret-path"), CA: ca, Headers: map[string]engine.Secret{"Authorization": secrets.Add("file:token", "Bearer abc")}},
		func() []string { mu.Lock(); defer mu.Unlock(); return got }
}

func TestWebhook(t *testing.T) {
	w, bodies := hook(t, 503, 204) // a server that is busy for a moment
	if err := w.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := w.Notify(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	got := bodies()
	var m engine.Message
	if len(got) != 2 || json.Unmarshal([]byte(strings.TrimPrefix(got[1], "Bearer abc ")), &m) != nil || m.Subject != message.Subject {
		t.Errorf("posted %q", got)
	}
}

func TestWebhookRefusals(t *testing.T) {
	for _, c := range []struct {
		name, want string
		code, n    int
		break_     func(*notify.Webhook)
	}{
		{"it says no", "answered 403 Forbidden: because of this", 403, 1, nil},
		{"another place is not followed: the token would go there", "answered 307", 307, 1, nil},
		{"a certificate nobody vouches for", "certificate", 200, 0, func(w *notify.Webhook) { w.CA = "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, bodies := hook(t, c.code)
			if c.break_ != nil {
				c.break_(w)
			}
			err := w.Notify(t.Context(), message)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret-path") {
				t.Errorf("error: %v", err)
			}
			if n := len(bodies()); n != c.n {
				t.Errorf("posted %d times, want %d", n, c.n)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "message.json")
	c := &notify.Command{Argv: []string{"sh", "-c", `cat >"$1"`, "sh", file}}
	if err := c.Notify(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	var m engine.Message
	if err != nil || json.Unmarshal(data, &m) != nil || m.Text != message.Text {
		t.Errorf("%v: %s", err, data)
	}
	c = &notify.Command{Argv: []string{"sh", "-c", "echo first; echo the pager is out >&2; exit 4"}}
	if err := c.Notify(t.Context(), message); err == nil || err.Error() != "sh: exit status 4: the pager is out" {
		t.Errorf("error: %v", err)
	}
}
