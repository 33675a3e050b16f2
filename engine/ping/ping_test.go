package ping_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/ping"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const password = "correct-horse-battery"

// linux is a host: how long true takes, how far its clock is ahead, what sudo says.
type linux struct {
	slow  time.Duration
	ahead time.Duration
	sudo  string // what it says on stderr; "": it does it

	mu   sync.Mutex
	said []string
}

func (l *linux) handle(ctx context.Context, s *sshd.Session) int {
	l.mu.Lock()
	l.said = append(l.said, s.Line)
	l.mu.Unlock()
	switch {
	case strings.HasPrefix(s.Line, "echo \"dsplay:"):
		fmt.Fprintln(s.Stdout, "dsplay:Linux:1000::")
	case s.Line == "true":
		_ = engine.Wait(ctx, l.slow)
	case strings.HasPrefix(s.Line, "date"):
		fmt.Fprintln(s.Stdout, time.Now().Add(l.ahead).Unix())
	case strings.HasPrefix(s.Line, "sudo") && l.sudo != "":
		fmt.Fprintln(s.Stderr, l.sudo)
		return 1
	}
	return 0
}

func (l *linux) start(t *testing.T) (*sshd.Server, *engine.Host) {
	t.Helper()
	server, err := sshd.Listen(sshd.Options{Handle: l.handle, Password: func(user, p string) bool { return user == "ops" && p == password }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	address := server.Addr().(*net.TCPAddr)
	s := ssh.New().Settings().(*ssh.Settings)
	s.User, s.Password, s.Port, s.Agent = "ops", engine.Secret{Name: "env:X"}, address.Port, false
	var secrets engine.Secrets
	s.Password = secrets.Add("env:X", password)
	s.KnownHosts = filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(s.KnownHosts, []byte(knownhosts.Line([]string{address.String()}, server.HostKey())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return server, &engine.Host{Name: "dsva1", Address: address.IP.String(), Connection: engine.Connection{Type: "ssh", Settings: s}}
}

func ask(t *testing.T, hosts ...*engine.Host) ping.Report {
	t.Helper()
	pool := run.NewPool(map[string]engine.Transport{"ssh": ssh.New(), "https": https.Transport{}}, nil, nil)
	defer pool.Close()
	var order []string
	r, err := ping.Run(t.Context(), hosts, ping.Options{Pool: pool, Parallel: 2, Now: time.Now, Done: func(h ping.Host) { order = append(order, h.Name) }})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, h := range hosts {
		want = append(want, h.Name)
	}
	if strings.Join(order, " ") != strings.Join(want, " ") {
		t.Errorf("told %q, want the order of the list", order)
	}
	text, err := json.Marshal(r)
	if err != nil || bytes.Contains(text, []byte(password)) {
		t.Errorf("%v; is a password in %s?", err, text)
	}
	return r
}

func names(h ping.Host) string {
	var list []string
	for _, s := range h.Stages {
		list = append(list, s.Name)
	}
	return strings.Join(list, " ")
}

func warns(h ping.Host, text string) bool {
	for _, w := range h.Warnings {
		if strings.Contains(w.Text, text) && w.Hint != "" {
			return true
		}
	}
	return false
}

func TestAllIsWell(t *testing.T) {
	l := &linux{}
	server, h := l.start(t)
	h.Sudo = &engine.Sudo{}
	r := ask(t, h)
	x := r.Hosts[0]
	if r.OK != 1 || x.Status != ping.OK || x.Error != nil || x.Platform != "posix" || x.User != "ops by password" || x.Address != server.Addr().String() {
		t.Errorf("%+v", x)
	}
	if x.Sudo == nil || *x.Sudo != (ping.Sudo{User: "root", Status: ping.OK}) || len(x.Warnings) != 0 || len(x.Weakenings) != 0 {
		t.Errorf("%+v", x)
	}
	if want := "tcp handshake hostkey login platform run clock sudo"; names(x) != want {
		t.Errorf("stages %s, want %s", names(x), want)
	}
	if len(x.Offered) == 0 || x.ClockAhead == nil || *x.ClockAhead > 2 || *x.ClockAhead < -2 || !strings.HasPrefix(x.Identity, "ssh ssh-ed25519 SHA256:") {
		t.Errorf("%+v", x)
	}
	if len(l.said) != 4 {
		t.Errorf("it ran %q: more than is promised", l.said)
	}
}

func TestWarnings(t *testing.T) {
	l := &linux{slow: 800 * time.Millisecond, ahead: -10 * time.Minute, sudo: "Sorry, user ops is not allowed to execute '/bin/true' as root on dsva1."}
	_, h := l.start(t)
	s := h.Connection.Settings.(*ssh.Settings)
	s.Legacy, s.HostKeys, s.Password = true, "accept-new", engine.Plain(password)
	h.Sudo = &engine.Sudo{User: "trend"}
	r := ask(t, h)
	x := r.Hosts[0]
	if r.OK != 1 || x.Error != nil {
		t.Fatalf("%+v: what only deserves a warning is no failure", x)
	}
	for _, text := range []string{"a command that does nothing takes", "its clock is 10m", "behind", "password of the connection block stands in the inventory"} {
		if !warns(x, text) {
			t.Errorf("no warning %q: %+v", text, x.Warnings)
		}
	}
	if strings.Join(x.Weakenings, " ") != "host_keys = accept-new legacy_algorithms = true" {
		t.Errorf("weakenings %q", x.Weakenings)
	}
	if x.Sudo == nil || *x.Sudo != (ping.Sudo{User: "trend", Status: ping.Restricted}) {
		t.Errorf("%+v", x.Sudo)
	}
}

func TestWhatFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		sudo   string
		change func(*engine.Host, *ssh.Settings)
		status ping.Status
		at     string
		kind   engine.ErrorKind
	}{
		{"wrong password", "", func(_ *engine.Host, s *ssh.Settings) { s.Password = engine.Plain("wrong") }, ping.Unreachable, "login", engine.KindAuth},
		{"unknown key", "", func(_ *engine.Host, s *ssh.Settings) { s.KnownHosts = os.DevNull }, ping.Unreachable, "hostkey", engine.KindHostKey},
		{"nobody listens", "", func(_ *engine.Host, s *ssh.Settings) { s.Port = 1 }, ping.Unreachable, "tcp", engine.KindRefused},
		{"no name", "", func(h *engine.Host, _ *ssh.Settings) { h.Address = "nowhere.invalid" }, ping.Unreachable, "lookup", engine.KindDNS},
		{"no proxy", "", func(_ *engine.Host, s *ssh.Settings) { s.Proxy = "socks5://127.0.0.1:1" }, ping.Unreachable, "tcp", engine.KindRefused},
		{"no sudo", "ops is not in the sudoers file.", func(h *engine.Host, _ *ssh.Settings) { h.Sudo = &engine.Sudo{} }, ping.Failed, "sudo", engine.KindAuth},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, h := (&linux{sudo: test.sudo}).start(t)
			test.change(h, h.Connection.Settings.(*ssh.Settings))
			x := ask(t, h).Hosts[0]
			if x.Status != test.status || x.At != test.at || x.Error == nil || x.Error.Kind != test.kind || x.Error.Hint == "" || x.Error.Host != "dsva1" {
				t.Errorf("%+v %+v", x, x.Error)
			}
			if test.at == "login" && len(x.Offered) == 0 {
				t.Error("it does not say what the host offers")
			}
		})
	}
}

// TestPasswordIsTriedOnce looks at the host.
func TestPasswordIsTriedOnce(t *testing.T) {
	var tries atomic.Int32
	server, err := sshd.Listen(sshd.Options{Handle: (&linux{}).handle, Password: func(string, string) bool { tries.Add(1); return false }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	_, h := (&linux{}).start(t)
	address := server.Addr().(*net.TCPAddr)
	s := h.Connection.Settings.(*ssh.Settings)
	s.Port, s.HostKeys, s.KnownHosts = address.Port, "accept-new", filepath.Join(t.TempDir(), "known")
	if x := ask(t, h).Hosts[0]; x.Status != ping.Unreachable || tries.Load() != 1 {
		t.Errorf("%d tries, %+v", tries.Load(), x.Error)
	}
}

func TestNoConnection(t *testing.T) {
	_, h := (&linux{}).start(t)
	r := ask(t, &engine.Host{Name: "a guest"}, h)
	if r.NoWay != 1 || r.OK != 1 || r.Failed != 0 || r.Hosts[0].Status != ping.NoWay {
		t.Errorf("%+v", r)
	}
}

func TestStopped(t *testing.T) {
	_, h := (&linux{}).start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pool := run.NewPool(map[string]engine.Transport{"ssh": ssh.New()}, nil, nil)
	defer pool.Close()
	r, err := ping.Run(ctx, []*engine.Host{h}, ping.Options{Pool: pool, Parallel: 1, Now: time.Now})
	if err != nil || r.NotTried != 1 {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestStoppedInTheMiddle: that somebody does not want to wait is nothing bad about the host.
func TestStoppedInTheMiddle(t *testing.T) {
	l := &linux{slow: time.Minute}
	_, h := l.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	pool := run.NewPool(map[string]engine.Transport{"ssh": ssh.New()}, nil, nil)
	defer pool.Close()
	r, err := ping.Run(ctx, []*engine.Host{h}, ping.Options{Pool: pool, Parallel: 1, Now: time.Now, Told: func(_ string, s engine.Stage) {
		if s.Name == engine.StagePlatform {
			cancel() // true runs, or will soon
		}
	}})
	if x := r.Hosts[0]; err != nil || r.NotTried != 1 || x.Error == nil || !strings.Contains(x.Error.Text, "stopped") {
		t.Errorf("%v, %+v %+v", err, x, x.Error)
	}
}

// panics is a transport with a bug.
type panics struct{ ssh.Transport }

func (*panics) Open(context.Context, *engine.Host) (engine.Conn, error) { panic("boom") }

func TestBug(t *testing.T) {
	_, h := (&linux{}).start(t)
	pool := run.NewPool(map[string]engine.Transport{"ssh": &panics{}}, nil, nil)
	defer pool.Close()
	_, err := ping.Run(t.Context(), []*engine.Host{h}, ping.Options{Pool: pool, Parallel: 1, Now: time.Now})
	if bug, ok := err.(*run.Bug); !ok || bug.Host != "dsva1" { //nolint:errorlint // it is returned as it is
		t.Errorf("%v", err)
	}
}

// TestCertificates: what a pinned or unverified certificate would hide.
func TestCertificates(t *testing.T) {
	for _, test := range []struct {
		name string
		ends time.Duration
		text string
	}{
		{"soon", 7*24*time.Hour + time.Hour, "the certificate expires in 7 days, on "},
		{"over", -time.Hour, "the certificate has expired on "},
		{"in time", 90 * 24 * time.Hour, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := web(t, test.ends, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(5*time.Minute).UTC().Format(http.TimeFormat))
			})
			x := ask(t, h).Hosts[0]
			if x.Status != ping.OK || x.ValidUntil == "" || x.API == nil || x.API.Login != ping.NotTried {
				t.Errorf("%+v %+v", x, x.Error)
			}
			if !warns(x, "its clock is ") || !warns(x, "ahead of") {
				t.Errorf("five minutes are no warning: %+v", x.Warnings)
			}
			if test.text != "" && !warns(x, test.text) || test.text == "" && len(x.Warnings) != 1 {
				t.Errorf("%+v, want %q", x.Warnings, test.text)
			}
			if strings.Join(x.Weakenings, " ") != "insecure_no_tls_verification = true" {
				t.Errorf("%q", x.Weakenings)
			}
		})
	}
}

func web(t *testing.T, ends time.Duration, handle http.HandlerFunc) *engine.Host {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nsx1"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(ends)}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handle)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	address, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	s := https.Transport{}.Settings().(*https.Settings)
	s.Kind, s.Insecure = "nsxt", true
	s.Port, _ = strconv.Atoi(port)
	return &engine.Host{Name: "nsx1", Address: address, Connection: engine.Connection{Type: "https", Settings: s}}
}
