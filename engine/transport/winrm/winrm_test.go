package winrm_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

// cmd is an interpreter with a few words: "say TEXT", "complain TEXT", "cat", "late" (cat, after a while), "flood BYTES", "exit N", "wait".
func cmd(ctx context.Context, s *wsman.Session) uint32 {
	word, rest, _ := strings.Cut(s.Line, " ")
	switch word {
	case "say":
		_, _ = io.WriteString(s.Stdout, rest)
	case "complain":
		_, _ = io.WriteString(s.Stderr, rest)
	case "cat":
		_, _ = io.Copy(s.Stdout, s.Stdin)
	case "bytes":
		_, _ = s.Stdout.Write([]byte{0xe4, 0xf6, 0x80, 0xff, 0})
	case "flood":
		n, _ := strconv.Atoi(rest)
		_, _ = io.Copy(s.Stdout, io.LimitReader(ones{}, int64(n)))
	case "exit":
		n, _ := strconv.ParseInt(rest, 10, 64)
		return uint32(n)
	case "wait":
		<-ctx.Done()
	case "late":
		_ = engine.Wait(ctx, 700*time.Millisecond)
		_, _ = io.Copy(s.Stdout, s.Stdin)
	}
	return 0
}

type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '1'
	}
	return len(p), nil
}

// host starts a server and gives it as the inventory would; ntlm over http, short timeouts.
func host(t testing.TB, o wsman.Options) (*wsman.Server, *engine.Host, *winrm.Settings) {
	t.Helper()
	if o.Users == nil {
		o.Users = map[string]string{"ops": "s3cret"}
	}
	if o.Handle == nil {
		o.Handle = cmd
	}
	server, err := wsman.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	s, _ := winrm.New().Settings().(*winrm.Settings)
	s.User, s.Password, s.HTTPS = "ops", engine.Plain("s3cret"), o.TLS != nil
	s.ConnectTimeout, s.OperationTimeout = "2s", "200ms"
	address, port, _ := net.SplitHostPort(server.Addr())
	s.Port, _ = strconv.Atoi(port)
	return server, &engine.Host{Name: "guest1", Address: address, Connection: engine.Connection{Type: "winrm", Settings: s}}, s
}

func open(t testing.TB, h *engine.Host) engine.Shell {
	t.Helper()
	c, err := winrm.New().Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	sh, ok := c.(engine.Shell)
	if !ok {
		t.Fatalf("%T is no shell", c)
	}
	return sh
}

// patient is a host whose answers a busy machine may delay.
func patient(h *engine.Host) *engine.Host {
	if s, ok := h.Connection.Settings.(*winrm.Settings); ok {
		s.ConnectTimeout, s.OperationTimeout = "20s", "20s"
	}
	return h
}

// exec runs a line and gives "stdout|stderr|code".
func exec(ctx context.Context, c engine.Shell, line, stdin string) (string, error) {
	var out, errOut bytes.Buffer
	p := engine.Process{Line: line, Stdout: &out, Stderr: &errOut}
	if stdin != "" {
		p.Stdin = strings.NewReader(stdin)
	}
	code, err := c.Exec(ctx, p)
	return fmt.Sprintf("%s|%s|%d", &out, &errOut, code), err
}

// want fails the test unless err is an *engine.Error of this kind.
func want(t testing.TB, err error, kind engine.ErrorKind) *engine.Error {
	t.Helper()
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("error %v (kind %q), want kind %q", err, engine.KindOf(err), kind)
	}
	if e.Host != "guest1" || e.Op == "" {
		t.Errorf("the error does not say on which host and at what: %+v", e)
	}
	if strings.Contains(err.Error()+e.Hint, "s3cret") {
		t.Errorf("the password is in the error: %v; %s", err, e.Hint)
	}
	return e
}

// notRun fails the test unless err says that the host could not be asked.
func notRun(t testing.TB, err error) {
	t.Helper()
	if e := want(t, err, engine.KindLost); !errors.Is(err, engine.ErrNotRun) || !e.Unreachable || e.Orphan {
		t.Errorf("%+v", e)
	}
}

// authority issues a certificate for 127.0.0.1; it gives the server's configuration, the PEM file and the fingerprint.
func authority(t testing.TB) (config *tls.Config, file, fingerprint string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "guest1.corp.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file, "sha256:" + hex.EncodeToString(sum[:])
}

// ways are all in which a host can be spoken to.
var ways = []string{"ntlm http", "ntlm https", "basic https", "basic http"}

func start(t testing.TB, way string) (*wsman.Server, *engine.Host) {
	t.Helper()
	return startWith(t, way, cmd)
}

func startWith(t testing.TB, way string, handle func(context.Context, *wsman.Session) uint32) (*wsman.Server, *engine.Host) {
	t.Helper()
	o := wsman.Options{Handle: handle, Basic: strings.HasPrefix(way, "basic"), NTLM: strings.HasPrefix(way, "ntlm"), AllowUnencrypted: way == "basic http"}
	var file string
	if strings.HasSuffix(way, "https") {
		o.TLS, file, _ = authority(t)
	}
	server, h, s := host(t, o)
	s.Auth, s.CA, s.AllowPlaintext = strings.Fields(way)[0], file, way == "basic http"
	return server, h
}

func TestExec(t *testing.T) {
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server, h := start(t, way)
			c := open(t, h)
			for _, test := range []struct{ line, stdin, want string }{
				{"say äöü€ 日本 <b> & \"q\" %PATH% ]]> --> <![CDATA[", "", "äöü€ 日本 <b> & \"q\" %PATH% ]]> --> <![CDATA[||0"},
				{"complain no\r\n", "", "|no\r\n|0"},
				{"exit 1060", "", "||1060"},
				{"exit 4294967295", "", "||-1"},
				{"exit 3221225477", "", "||-1073741819"}, // 0xC0000005
				{"exit 2147483647", "", "||2147483647"},
				{"bytes", "", "\xe4\xf6\x80\xff\x00||0"},
				{"cat", "in and out", "in and out||0"},
				{"cat", "", "||0"},
				{"exit 3", "nobody reads this", "||3"},
			} {
				if got, err := exec(t.Context(), c, test.line, test.stdin); err != nil || got != test.want {
					t.Errorf("%s: %q, %v; want %q", test.line, got, err, test.want)
				}
			}
			for _, r := range server.Requests() {
				if r.Action != "" && r.Sealed != (way == "ntlm http") {
					t.Errorf("request %+v", r)
				}
			}
			if err := c.Close(); err != nil || server.Shells() != 0 {
				t.Errorf("close: %v; %d shells left", err, server.Shells())
			}
			_, err := exec(t.Context(), c, "say x", "")
			notRun(t, err)
		})
	}
}

func TestLargeStreams(t *testing.T) {
	server, h, s := host(t, wsman.Options{NTLM: true})
	s.OperationTimeout = "20s"
	c := open(t, h)
	var out bytes.Buffer
	const size = 1 << 20
	code, err := c.Exec(t.Context(), engine.Process{Line: "flood " + strconv.Itoa(size), Stdout: &out})
	if code != 0 || err != nil || out.Len() != size {
		t.Fatalf("%d bytes, code %d, %v", out.Len(), code, err)
	}
	input := make([]byte, 400_017)
	_, _ = rand.Read(input)
	out.Reset()
	code, err = c.Exec(t.Context(), engine.Process{Line: "cat", Stdin: bytes.NewReader(input), Stdout: &out})
	if code != 0 || err != nil || !bytes.Equal(out.Bytes(), input) {
		t.Fatalf("%d bytes came back of %d, code %d, %v", out.Len(), len(input), code, err)
	}
	for _, r := range server.Requests() {
		if r.Size > 153600 {
			t.Errorf("%s of %d bytes is larger than old hosts take", r.Action, r.Size)
		}
	}
}

// TestParallel: several commands at once in one shell, each with stdin, none mixed up with another.
func TestParallel(t *testing.T) {
	for _, way := range ways[:2] {
		t.Run(way, func(t *testing.T) {
			server, h := start(t, way)
			c := open(t, patient(h))
			errs := make(chan error)
			const workers, rounds = 8, 10
			for w := range workers {
				go func() {
					for i := range rounds {
						text := fmt.Sprintf("worker %d round %d", w, i)
						if got, err := exec(t.Context(), c, "cat", text); err != nil || got != text+"||0" {
							errs <- fmt.Errorf("%s: got %q, %w", text, got, err)
							return
						}
					}
					errs <- nil
				}()
			}
			for range workers {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			if n := server.Shells(); n != 1 {
				t.Errorf("%d shells for one connection", n)
			}
		})
	}
}

type settings = winrm.Settings
