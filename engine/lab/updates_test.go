package lab

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// rest asks the DSM as a client would, without the network.
func (l *Lab) rest(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, "/api/"+path, strings.NewReader(body))
	r.Header = http.Header{"Api-Version": {"v1"}, "Api-Secret-Key": {l.keys.apiKey}}
	w := httptest.NewRecorder()
	l.dsm.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// updated lets a computer update and gives the last event: its number and its text.
func (l *Lab) updated(t *testing.T) (int, string) {
	t.Helper()
	before := len(l.dsm.Events())
	id := l.names["guest1-1"].(*guest).id
	code, text := l.rest(t, "POST", "scheduledtasks", fmt.Sprintf(`{"name":"x","type":"check-for-security-updates","enabled":true,"runNow":true,
		"checkForSecurityUpdatesTaskParameters":{"computerFilter":{"type":"computer","computerID":%d}}}`, id))
	if code != http.StatusOK {
		t.Fatal(code, text)
	}
	eventually(t, "the update ends", func() bool { return len(l.dsm.Events()) == before+2 })
	e := l.dsm.Events()[before+1]
	return e.Number, e.Description
}

// TestUpdates: each fault fails an update with words of its own, and only the right remedy heals it.
func TestUpdates(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: fast})
	source := func(url, mode string) func(*testing.T) {
		return func(t *testing.T) {
			for name, v := range map[string]string{"Url": url, "Mode": mode} {
				if code, text := l.rest(t, "POST", "systemsettings/platformSettingUpdateSecurityPrimarySource"+name, `{"value":"`+v+`"}`); code != http.StatusOK {
					t.Fatal(code, text)
				}
			}
		}
	}
	const url, other = "https://iaus.lab.invalid/iau_server.dll", "Other update source"
	remedies := map[string]func(*testing.T){
		"nothing":     func(*testing.T) {},
		"//":          source(url+"//", other),
		"// unused":   source(url+"//", "Trend Micro ActiveUpdate Server"),
		"another URL": source(url, other),
		"proxy":       func(t *testing.T) { l.mustHeal(t, proxyName) },
		"relay":       func(t *testing.T) { l.mustHeal(t, relayName) },
	}
	for _, c := range []struct {
		fault, says string
		by          map[string]bool
	}{
		{"update-intercepted", "issuer: CN=dsplay lab TLS inspection CA", map[string]bool{"//": true, "proxy": true}},
		{"update-proxy-auth", "407 Proxy Authentication Required", map[string]bool{"proxy": true, "relay": true}},
		{"update-dns", "cannot be resolved", map[string]bool{"proxy": true}},
		{"update-signature-expired", "-24 / IAURELAY_STATUS_DIGITAL_SIGNATURE_CERT_EXPIRE", map[string]bool{"relay": true}},
		{"relay-old", "is too old", map[string]bool{"relay": true}},
	} {
		for name, remedy := range remedies {
			if err := l.Clear(); err != nil {
				t.Fatal(err)
			}
			if n, text := l.updated(t); n != 2204 {
				t.Fatalf("healthy: %d %s", n, text)
			}
			l.mustInject(t, c.fault, "")
			if n, text := l.updated(t); n != 2205 || !strings.Contains(text, c.says) {
				t.Errorf("%s: %d %s", c.fault, n, text)
			}
			remedy(t)
			if n, text := l.updated(t); (n == 2204) != c.by[name] {
				t.Errorf("%s and %s: %d %s", c.fault, name, n, text)
			}
		}
	}
}

func (l *Lab) mustHeal(t *testing.T, target string) {
	t.Helper()
	if err := l.Heal(target); err != nil {
		t.Fatal(err)
	}
}

// TestSettingIgnored: the answer says that it was done.
func TestSettingIgnored(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 1, Speed: fast})
	const name = "systemsettings/platformSettingUpdateSecurityPrimarySourceUrl"
	l.mustInject(t, "update-setting-ignored", "")
	if code, text := l.rest(t, "POST", name, `{"value":"https://x.example/"}`); code != http.StatusOK || !strings.Contains(text, "x.example") {
		t.Error(code, text)
	}
	if _, text := l.rest(t, "GET", name, ""); !strings.Contains(text, `"http://"`) {
		t.Error(text)
	}
	for value, want := range map[string]int{`"ftp://x"`: http.StatusForbidden, `7`: http.StatusBadRequest} {
		if code, text := l.rest(t, "POST", name, `{"value":`+value+`}`); code != want {
			t.Error(value, code, text)
		}
	}
	if code, _ := l.rest(t, "GET", "systemsettings/nothing", ""); code != http.StatusNotFound {
		t.Error(code)
	}
}
