package winrm_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

func openError(t testing.TB, h *engine.Host, kind engine.ErrorKind) *engine.Error {
	t.Helper()
	c, err := winrm.New().Open(t.Context(), h)
	if err == nil {
		_ = c.Close()
	}
	e := want(t, err, kind)
	if !e.Unreachable {
		t.Errorf("not unreachable: %+v", e)
	}
	return e
}

func TestUserNames(t *testing.T) {
	for _, user := range []string{"ops", `CORP\ops`, "OPS@corp.example", `.\ops`} {
		_, h, s := host(t, wsman.Options{NTLM: true})
		s.User = user
		if got, err := exec(t.Context(), open(t, h), "say x", ""); got != "x||0" || err != nil {
			t.Errorf("%s: %s, %v", user, got, err)
		}
	}
}

// A wrong password is tried once, however many commands wait, and the host says what it takes.
func TestWrongPassword(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			server, h := start(t, way)
			s, _ := h.Connection.Settings.(*winrm.Settings)
			s.Password = engine.Plain("guess")
			e := openError(t, h, engine.KindAuth)
			if !strings.Contains(e.Error(), "ops") || !strings.Contains(e.Hint, "once") {
				t.Errorf("%v; %s", e, e.Hint)
			}
			requests := len(server.Requests())
			if strings.HasPrefix(way, "ntlm") && requests != 2 || strings.HasPrefix(way, "basic") && requests != 1 {
				t.Errorf("%d requests for one try", requests)
			}
		})
	}
}

// A login that is refused in the middle of a run is not tried again.
func TestRefusedLater(t *testing.T) {
	server, h := start(t, "ntlm http")
	c := open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: []string{"Negotiate"}})
	_, err := exec(t.Context(), c, "say x", "")
	_ = want(t, err, engine.KindAuth)
	server.Heal()
	before := len(server.Requests())
	_, err = exec(t.Context(), c, "say x", "")
	_ = want(t, err, engine.KindAuth)
	if n := len(server.Requests()); n != before {
		t.Errorf("%d requests after the refusal", n-before)
	}
}

// The same where a further connection is refused, which needs a login of its own.
func TestRefusedFurther(t *testing.T) {
	server, h := start(t, "ntlm http")
	c := open(t, h)
	errs := make(chan error)
	go func() {
		_, err := exec(t.Context(), c, "wait", "")
		errs <- err
	}()
	until(t, "it runs", func() bool { return count(server, "Receive") == 1 })
	s, _ := h.Connection.Settings.(*winrm.Settings)
	s.Password = engine.Plain("guess") // as if the account's had changed
	before := len(server.Requests())
	for range 3 {
		_, err := exec(t.Context(), c, "say x", "")
		_ = want(t, err, engine.KindAuth)
	}
	if n := len(server.Requests()) - before; n != 2 {
		t.Errorf("%d requests for one try", n)
	}
	server.Reset() // ends the first
	_ = want(t, <-errs, engine.KindLost)
}

// The host decides what it offers; the client never sends more than it was told to.
func TestOffers(t *testing.T) {
	for _, test := range []struct {
		way    string
		offers []string
		hint   string
	}{
		{"ntlm http", []string{`Basic realm="WSMAN"`}, "https"},
		{"ntlm https", []string{`Basic realm="WSMAN"`}, `auth = "basic"`},
		{"ntlm http", []string{"Kerberos"}, `auth = "kerberos"`},
		{"ntlm http", nil, "allow NTLM"},
		{"basic https", []string{"Negotiate", "Kerberos"}, `auth = "ntlm"`},
	} {
		t.Run(test.way+" "+strings.Join(test.offers, ","), func(t *testing.T) {
			server, h := start(t, test.way)
			server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: test.offers})
			e := openError(t, h, engine.KindAuth)
			if !strings.Contains(e.Hint, test.hint) {
				t.Errorf("hint %q does not say %q", e.Hint, test.hint)
			}
			for _, offer := range test.offers {
				if scheme, _, _ := strings.Cut(offer, " "); !strings.Contains(e.Error(), scheme) {
					t.Errorf("%q does not say that the host offers %s", e, scheme)
				}
			}
			for _, r := range server.Requests() {
				if auth, _, _ := strings.Cut(test.way, " "); strings.EqualFold(r.Auth, "basic") != (auth == "basic") || r.Size > 0 && auth == "ntlm" {
					t.Errorf("sent %+v", r)
				}
			}
		})
	}
}

// Basic over http needs a word in the inventory, and a host that allows it.
func TestPlaintext(t *testing.T) {
	server, h, s := host(t, wsman.Options{Basic: true, NTLM: true, AllowUnencrypted: true})
	s.Auth = "basic"
	_ = openError(t, h, engine.KindModule)
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
	s.AllowPlaintext = true
	if got, err := exec(t.Context(), open(t, h), "say x", ""); got != "x||0" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	_, h, s = host(t, wsman.Options{Basic: true, NTLM: true})
	s.Auth, s.AllowPlaintext = "basic", true
	if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Hint, `auth = "ntlm"`) {
		t.Error(e.Hint)
	}
}

// A host, or somebody in between, that answers with a challenge without encryption gets neither proof nor command.
func TestNoSealing(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	weak := []byte("NTLMSSP\x00\x02\x00\x00\x00" + strings.Repeat("\x00", 8) + "\x01\x02\x88\x00" + "challeng" + strings.Repeat("\x00", 8) +
		"\x04\x00\x04\x00\x30\x00\x00\x00" + "\x00\x00\x00\x00")
	for name, challenge := range map[string][]byte{"weak": weak, "short": weak[:20], "other": []byte("NTLMSSP\x00\x03\x00\x00\x00"), "none": nil} {
		fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			seen = append(seen, r.Header.Get("Authorization")+string(body))
			mu.Unlock()
			w.Header().Set("WWW-Authenticate", strings.TrimSpace("Negotiate "+base64.StdEncoding.EncodeToString(challenge)))
			w.WriteHeader(http.StatusUnauthorized)
		}))
		_, h, s := host(t, wsman.Options{NTLM: true})
		u, _ := url.Parse(fake.URL)
		s.Port, _ = strconv.Atoi(u.Port())
		_ = openError(t, h, engine.KindAuth)
		fake.Close()
		if len(seen) != 1 || !strings.HasPrefix(seen[0], "Negotiate TlRMTVNTUAABAAAA") {
			t.Errorf("%s: sent %q, not the first leg alone", name, seen)
		}
		seen = nil
	}
}

// An answer in clear on a connection that encrypts is nobody's: it is not read.
func TestForgedAnswer(t *testing.T) {
	server, h := start(t, "ntlm http")
	forged := `<Envelope><Header><Action>x</Action></Header><Body><Shell><ShellId>forged</ShellId></Shell></Body></Envelope>`
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	go func() {
		in, err := proxy.Accept()
		if err != nil {
			return
		}
		defer in.Close()
		client := http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
		defer client.CloseIdleConnections()
		for requests := bufio.NewReader(in); ; {
			r, err := http.ReadRequest(requests)
			if err != nil {
				return
			}
			if r.ContentLength > 0 {
				_, _ = io.Copy(io.Discard, r.Body)
				fmt.Fprintf(in, "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: %d\r\n\r\n%s", len(forged), forged)
				continue
			}
			onward, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL(), nil)
			onward.Header.Set("Authorization", r.Header.Get("Authorization"))
			answer, err := client.Do(onward)
			if err != nil {
				return
			}
			_ = answer.Write(in)
			_ = answer.Body.Close()
		}
	}()
	s, _ := h.Connection.Settings.(*winrm.Settings)
	_, port, _ := net.SplitHostPort(proxy.Addr().String())
	s.Port, _ = strconv.Atoi(port)
	_ = openError(t, h, engine.KindProtocol)
}

// relay passes bytes between a TLS channel of its own and that of a host; it gives its port and fingerprint.
func relay(t testing.TB, server *wsman.Server) (port int, fingerprint string) {
	t.Helper()
	config, _, fingerprint := authority(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := tls.Dial("tcp", server.Addr(), &tls.Config{InsecureSkipVerify: true})
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
	_, text, _ := net.SplitHostPort(l.Addr().String())
	port, _ = strconv.Atoi(text)
	return port, fingerprint
}

// Whoever relays a login over a TLS channel of their own fails at the channel's binding, also where the host insists on one.
func TestRelay(t *testing.T) {
	for _, required := range []bool{false, true} {
		config, file, _ := authority(t)
		server, h, s := host(t, wsman.Options{NTLM: true, TLS: config, RequireBindings: required})
		s.CA = file
		if got, err := exec(t.Context(), open(t, h), "say x", ""); got != "x||0" || err != nil {
			t.Errorf("directly: %s, %v", got, err)
		}
		before := len(server.Requests())
		port, fingerprint := relay(t, server)
		s.CA, s.Fingerprint, s.Port = "", fingerprint, port
		_ = openError(t, h, engine.KindAuth)
		for _, r := range server.Requests()[before:] {
			if r.Size > 0 {
				t.Errorf("relayed %+v", r)
			}
		}
	}
}

func TestTLS(t *testing.T) {
	config, file, fingerprint := authority(t)
	_, other, _ := authority(t)
	server, h, s := host(t, wsman.Options{NTLM: true, TLS: config})

	e := openError(t, h, engine.KindTLS) // nobody vouches for it
	if !strings.Contains(e.Hint, fingerprint) || !strings.Contains(e.Error(), "guest1.corp.example") {
		t.Errorf("%v; %s", e, e.Hint)
	}
	s.CA = other
	_ = openError(t, h, engine.KindTLS)
	s.CA, s.Fingerprint = "", strings.Repeat("ab", 32)
	if e := openError(t, h, engine.KindTLS); !strings.Contains(e.Hint, fingerprint) {
		t.Error(e.Hint)
	}
	for _, r := range server.Requests() {
		t.Errorf("sent to somebody unknown: %+v", r)
	}
	for _, pin := range []string{fingerprint, strings.ToUpper(strings.TrimPrefix(fingerprint, "sha256:"))} {
		s.Fingerprint = pin
		if id := open(t, h).Identity(); id != "tls "+fingerprint+" CN=guest1.corp.example" {
			t.Errorf("identity %q", id)
		}
	}
	s.CA, s.Fingerprint = file, ""
	open(t, h)
	h.Address = "localhost" // the certificate names the address only
	_ = openError(t, h, engine.KindTLS)
	s.CA = "/does/not/exist.pem"
	_ = openError(t, h, engine.KindTLS)

	_, h, s = host(t, wsman.Options{NTLM: true})
	if id := open(t, h).Identity(); id != "none" {
		t.Errorf("identity %q over http", id)
	}
	s.HTTPS = true
	if e := openError(t, h, engine.KindTLS); !strings.Contains(e.Hint, "https = false") {
		t.Error(e.Hint)
	}
}

func TestValidate(t *testing.T) {
	for arg, spoil := range map[string]func(*winrm.Settings){
		"user":              func(s *winrm.Settings) { s.User = "" },
		"password":          func(s *winrm.Settings) { s.Password = engine.Secret{} },
		"port":              func(s *winrm.Settings) { s.Port = 70000 },
		"connect_timeout":   func(s *winrm.Settings) { s.ConnectTimeout = "soon" },
		"operation_timeout": func(s *winrm.Settings) { s.OperationTimeout = "0s" },
		"fingerprint":       func(s *winrm.Settings) { s.Fingerprint = strings.Repeat("ab", 20) },
		"auth":              func(s *winrm.Settings) { s.Auth, s.HTTPS = "basic", false },
		"https":             func(s *winrm.Settings) { s.CA, s.HTTPS = "ca.pem", false },
	} {
		s, _ := winrm.New().Settings().(*winrm.Settings)
		s.User, s.Password = "ops", engine.Plain("s3cret")
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(s)
		if bad, ok := s.Validate().(engine.BadArg); !ok || bad.Arg != arg { //nolint:errorlint // it is promised to be one
			t.Errorf("%s: %v", arg, s.Validate())
		}
	}
	for _, f := range engine.Fields(winrm.Settings{}) {
		if f.Doc == "" || !f.Optional {
			t.Errorf("%s has no doc, or is not optional", f.Name)
		}
	}
}

// A wrong password of a domain's account is judged by two hosts, whatever their number: the domain counts for all of them.
func TestWrongPasswordOfADomain(t *testing.T) {
	transport := winrm.New()
	const hosts = 8
	var servers []*wsman.Server
	errs := make(chan error, hosts)
	for i := range hosts {
		server, h, s := host(t, wsman.Options{NTLM: true})
		h.Name, s.User, s.Password = fmt.Sprint("guest", i+1), []string{`CORP\ops`, `corp\OPS`}[i%2], engine.Plain("guess")
		servers = append(servers, server)
		go func() {
			_, err := transport.Open(t.Context(), h)
			errs <- err
		}()
	}
	notSent := 0
	for range hosts {
		var e *engine.Error
		if err := <-errs; !errors.As(err, &e) || e.Kind != engine.KindAuth || !strings.HasPrefix(e.Host, "guest") || e.Hint == "" || !e.Unreachable {
			t.Errorf("%+v", err)
		} else if strings.Contains(e.Error(), "its domain would lock the account") {
			notSent++
		}
	}
	logins := 0
	for _, s := range servers {
		logins += len(s.Requests()) / 2 // of NTLM
	}
	if logins != 2 || notSent != hosts-2 {
		t.Errorf("%d failed logins, %d hosts that were not asked", logins, notSent)
	}
}

// A password that one host has taken is right: a host that refuses it has lost its domain, and keeps nobody from the others. Nor
// does a single one before anybody has taken it, nor does a local account of each host.
func TestAHostThatHasLostItsDomain(t *testing.T) {
	for user, lost := range map[string][]bool{`CORP\ops`: {true, false, true, true, false}, "ops@corp.example": {false, true, true, true, false}, `.\ops`: {true, true, true, false}} {
		transport := winrm.New()
		for i, refuses := range lost {
			server, h, s := host(t, wsman.Options{NTLM: true})
			h.Name, s.User = fmt.Sprint("guest", i+1), user
			if refuses {
				server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: []string{"Negotiate"}})
			}
			c, err := transport.Open(t.Context(), h)
			if (err != nil) != refuses || err != nil && strings.Contains(err.Error(), "domain would lock") {
				t.Errorf("%s on %s: %v", user, h.Name, err)
			}
			if err == nil {
				_ = c.Close()
			}
		}
	}
}

// A host that accepts connections and says nothing keeps the others from logging in for some seconds only.
func TestASilentHostOfADomain(t *testing.T) {
	transport := winrm.New()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, first, s := host(t, wsman.Options{NTLM: true})
	_, port, _ := net.SplitHostPort(silent.Addr().String())
	s.Port, _ = strconv.Atoi(port)
	s.User, s.ConnectTimeout = `CORP\ops`, "1h"
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error)
	go func() {
		_, err := transport.Open(ctx, first)
		errs <- err
	}()
	if c, err := silent.Accept(); err != nil {
		t.Fatal(err)
	} else {
		defer c.Close()
	}
	_, second, s := host(t, wsman.Options{NTLM: true})
	second.Name, s.User = "guest2", `CORP\ops`
	c, err := transport.Open(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	cancel()
	<-errs
}
