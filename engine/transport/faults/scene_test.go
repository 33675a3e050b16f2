package faults_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
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
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"github.com/dsplay/dsplay/engine/transport/winrm"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// setup is what a fault may change before a host is there.
type setup struct {
	ssh       sshd.Options
	sshClient func(*ssh.Settings)
	winrm     wsman.Options
	winrmUser func(*winrm.Settings)
	expired   bool // the certificate of winrm over TLS, or of https
	tls       bool // winrm over TLS
	quick     bool // a short connect_timeout, for faults that it has to find
	answer    http.HandlerFunc
	address   string // of the servers; 127.0.0.1
	listen    func(start func() error) error
	openSSH   []string // lines of sshd_config: the real server
}

const password = "correct-horse"

// scene is a host, the way to it, and somebody who works on it as an entry of a playbook does.
type scene struct {
	t         *testing.T
	transport engine.Transport
	name      string // of the transport
	host      *engine.Host
	wire      *wire
	ssh       *sshd.Server
	winrm     *wsman.Server
	web       *httptest.Server
	guest     *rig
	machine   *machine.Host
	dir       string
	start     time.Time // when the fault began

	running, commands, dials atomic.Int32
	expected                 int32 // connections that are no repetition; 1
	over                     chan struct{}
	stop                     func() // of a server that is another process
	restore                  func() // what the fault has done to the network
	direct                   bool   // the host is reached without the wire

	mu   sync.Mutex
	conn engine.Conn
}

// newScene starts a server of the transport's kind and a wire to it.
func newScene(t *testing.T, transport string, change func(*setup)) *scene {
	t.Helper()
	s := &scene{t: t, name: transport, expected: 1, over: make(chan struct{}), dir: t.TempDir()}
	set := setup{address: "127.0.0.1", listen: func(start func() error) error { return start() }}
	set.ssh.Password = func(_, p string) bool { return p == password }
	set.winrm.Users, set.winrm.NTLM = map[string]string{"ops": password}, true
	if change != nil {
		change(&set)
	}
	start := map[string]func(*setup) (string, any, error){"ssh": s.startSSH, "winrm": s.startWinRM, "https": s.startHTTPS, "guest": s.startGuest}[transport]
	if set.openSSH != nil {
		start = s.startOpenSSH
	}
	var address string
	var settings any
	if err := set.listen(func() (err error) { address, settings, err = start(&set); return err }); err != nil {
		t.Fatal(err)
	}
	s.wire = newWire(t, address)
	s.host = &engine.Host{Name: "h1", Address: "127.0.0.1", Connection: engine.Connection{Type: transport, Settings: settings}}
	if s.direct = set.address != "127.0.0.1"; s.direct {
		s.aim(address)
	} else {
		s.aim(s.wire.listener.Addr().String())
	}
	s.machine = machine.New(s, s.host, machine.Options{Timeout: time.Minute})
	return s
}

// aim points the host at an address. known_hosts gets the line for it, unless the fault has made one.
func (s *scene) aim(address string) {
	host, port, _ := net.SplitHostPort(address)
	s.host.Address = host
	n, _ := strconv.Atoi(port)
	switch settings := s.host.Connection.Settings.(type) {
	case *ssh.Settings:
		settings.Port = n
		if file := filepath.Join(s.dir, "known_hosts"); settings.KnownHosts == file {
			s.write("known_hosts", knownhosts.Line([]string{address}, s.hostKey())+"\n")
		}
	case *winrm.Settings:
		settings.Port = n
	case *https.Settings:
		settings.Port = n
	case *guest.Settings: // a guest has no address: its vCenter has
		s.guest.host.Address = host
		s.guest.host.Connection.Settings.(*https.Settings).Port = n
	}
}

func (s *scene) hostKey() xssh.PublicKey {
	s.t.Helper()
	if s.ssh != nil {
		return s.ssh.HostKey()
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "hostkey.pub"))
	if err != nil {
		s.t.Fatal(err)
	}
	key, _, _, _, err := xssh.ParseAuthorizedKey(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

func (s *scene) write(name, text string) string {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

func (s *scene) startSSH(set *setup) (string, any, error) {
	set.ssh.Addr = set.address + ":0"
	set.ssh.Handle = func(ctx context.Context, c *sshd.Session) int { return s.command(ctx, c.Line, c.Stdout) }
	server, err := sshd.Listen(set.ssh)
	if err != nil {
		return "", nil, err
	}
	s.ssh, s.transport = server, ssh.New()
	settings := s.transport.Settings().(*ssh.Settings)
	settings.User, settings.Password, settings.Agent = "ops", engine.Plain(password), false
	settings.KnownHosts = filepath.Join(s.dir, "known_hosts")
	settings.ConnectTimeout, settings.Keepalive = connectTimeout(set), "300ms"
	if set.sshClient != nil {
		set.sshClient(settings)
	}
	return server.Addr().String(), settings, nil
}

func connectTimeout(set *setup) string {
	if set.quick {
		return "500ms"
	}
	return "20s"
}

func (s *scene) startWinRM(set *setup) (string, any, error) {
	set.winrm.Addr = set.address + ":0"
	set.winrm.Handle = func(ctx context.Context, c *wsman.Session) uint32 { return uint32(s.command(ctx, c.Line, c.Stdout)) }
	s.transport = winrm.New()
	settings := s.transport.Settings().(*winrm.Settings)
	settings.User, settings.Password, settings.HTTPS = "ops", engine.Plain(password), set.tls
	settings.ConnectTimeout, settings.OperationTimeout = connectTimeout(set), "300ms"
	if set.tls {
		set.winrm.TLS, settings.CA = s.certificate(set.expired)
	}
	if set.winrmUser != nil {
		set.winrmUser(settings)
	}
	server, err := wsman.Listen(set.winrm)
	if err != nil {
		return "", nil, err
	}
	s.winrm = server
	return server.Addr(), settings, nil
}

func (s *scene) startHTTPS(set *setup) (string, any, error) {
	l, err := net.Listen("tcp", set.address+":0")
	if err != nil {
		return "", nil, err
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if set.answer != nil {
			s.commands.Add(1)
			set.answer(w, r)
			return
		}
		s.command(r.Context(), string(body), w)
		if r.Context().Err() != nil {
			panic(http.ErrAbortHandler) // an answer now could still arrive
		}
	}))
	_ = server.Listener.Close()
	server.Listener, server.EnableHTTP2 = l, false
	server.Config.ErrorLog = nil
	s.transport = https.Transport{}
	settings := s.transport.Settings().(*https.Settings)
	settings.ConnectTimeout, settings.RequestTimeout = connectTimeout(set), "1s"
	server.TLS, settings.CA = s.certificate(set.expired)
	server.Config.ErrorLog = quiet
	server.StartTLS()
	s.web = server
	return l.Addr().String(), settings, nil
}

// certificate is one for every address that a scene uses, of an authority of its own, and that authority's file.
func (s *scene) certificate(expired bool) (*tls.Config, string) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	end := time.Now().Add(time.Hour)
	if expired {
		end = time.Now().Add(-time.Hour)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "h1"}, NotBefore: end.Add(-2 * time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(198, 18, 77, 2)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	file := s.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

// command is what the host does: "echo done" ends at once, "wait" when it is killed, "deaf" not even then.
func (s *scene) command(ctx context.Context, line string, stdout io.Writer) int {
	if strings.HasPrefix(line, `echo "dsplay:`) {
		fmt.Fprintln(stdout, "dsplay:Linux:1000::")
		return 0
	}
	s.commands.Add(1)
	s.running.Add(1)
	defer s.running.Add(-1)
	switch line {
	case "echo done":
		fmt.Fprintln(stdout, "done")
	case "wait":
		<-ctx.Done()
	case "deaf":
		<-s.over
	}
	return 0
}

// Get and Discard are machine.Pool: one connection, dialled again when it was discarded.
func (s *scene) Get(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return s.conn, nil
	}
	ctx = engine.WithStages(ctx, func(stage engine.Stage) {
		if stage.Name == engine.StageTCP {
			s.dials.Add(1)
		}
	})
	if s.guest != nil {
		ctx = engine.WithPeers(ctx, s.guest)
	}
	conn, err := s.transport.Open(ctx, h)
	if err == nil {
		s.conn = conn
	}
	return conn, err
}

func (s *scene) Discard(_ *engine.Host, c engine.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c {
		s.conn = nil
		c.Close()
	}
}

// do runs a command, or posts a request, as an entry does.
func (s *scene) do(line string) error {
	s.t.Helper()
	return s.doIn(s.t.Context(), line)
}

func (s *scene) doIn(ctx context.Context, line string) error {
	if s.name != "https" {
		_, err := s.machine.Run(ctx, engine.Command{Shell: line})
		return err
	}
	conn, err := s.Get(ctx, s.host)
	if err != nil {
		return err
	}
	api := conn.(engine.API)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, api.Endpoint().JoinPath("api", "tasks").String(), strings.NewReader(line))
	if err != nil {
		return err
	}
	answer, err := api.HTTP().Do(request)
	if err != nil {
		var e *engine.Error
		if errors.As(err, &e) {
			return e
		}
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// began says that the fault is there now; what the command takes counts from here.
func (s *scene) began() { s.start = time.Now() }

// works is a command before the fault.
func (s *scene) works() {
	s.t.Helper()
	if err := s.do("echo done"); err != nil {
		s.t.Errorf("before the fault: %v", err)
	}
	s.commands.Store(0)
}

// busy starts a command that lasts, makes the fault while it runs, and gives what becomes of it.
func (s *scene) busy(fault func()) error {
	s.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.do("wait") }()
	until(s.t, "the command runs, and its end is waited for", func() bool {
		return s.running.Load() > 0 && (s.winrm == nil || s.requests("Receive") > 0) && (s.guest == nil || s.guest.looks.Load() > 0) || len(ended) > 0
	})
	s.began()
	fault()
	return <-ended
}

// idle makes the fault between two commands, and gives what becomes of the second.
func (s *scene) idle(fault func()) error {
	s.t.Helper()
	s.works()
	fault()
	s.began()
	return s.do("echo done")
}

func until(t *testing.T, what string, ready func() bool) {
	t.Helper()
	if !eventually(ready) {
		t.Errorf("never: %s", what)
	}
}

func eventually(ready func() bool) bool {
	for end := time.Now().Add(20 * time.Second); !ready(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// closeConn ends the connection, as the end of a run does, while the fault may still be there.
func (s *scene) closeConn() {
	s.mu.Lock()
	conn := s.conn
	s.conn = nil
	s.mu.Unlock()
	if conn != nil {
		_ = conn.Close() // what it could not do there is in left
	}
	if s.guest != nil {
		s.guest.close()
	}
}

// end takes everything away.
func (s *scene) end() {
	s.closeConn()
	if s.restore != nil {
		s.restore()
	}
	close(s.over)
	s.wire.heal()
	if s.winrm != nil {
		s.winrm.Heal()
	}
	until(s.t, "no connection of dsplay is left", func() bool { return s.wire.open() == 0 })
	s.wire.close()
	switch {
	case s.ssh != nil:
		s.ssh.Freeze(false)
		s.ssh.Close()
	case s.winrm != nil:
		s.winrm.Close()
	case s.guest != nil:
		s.guest.end()
	case s.stop != nil:
		s.stop()
	case s.web != nil:
		s.web.CloseClientConnections()
		s.web.Close()
	}
}

// newSigner makes a key; its file is name.
func (s *scene) newSigner(name string) (file string, signer xssh.Signer) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	block, err := xssh.MarshalPrivateKey(key, "")
	if err != nil {
		s.t.Fatal(err)
	}
	if signer, err = xssh.NewSignerFromKey(key); err != nil {
		s.t.Fatal(err)
	}
	return s.write(name, string(pem.EncodeToMemory(block))), signer
}
