package ssh_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// door is a server that notes which keys it was offered, by name, and opens to some.
type door struct {
	*sshd.Server
	mu    sync.Mutex
	names map[string]string // by key
	opens string            // name of the key
	seen  []string
}

func newDoor(t *testing.T, tries int) *door {
	d := &door{names: map[string]string{}}
	d.Server = listen(t, func(o *sshd.Options) {
		o.Password = nil
		o.PublicKey = func(_ string, key xssh.PublicKey) bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			name := d.names[string(key.Marshal())]
			if len(d.seen) == 0 || d.seen[len(d.seen)-1] != name { // it asks again when there is a signature
				d.seen = append(d.seen, name)
			}
			return name != "" && name == d.opens
		}
		o.Configure = func(c *xssh.ServerConfig) { c.MaxAuthTries = tries }
	})
	return d
}

func (d *door) name(name string, key xssh.PublicKey) { d.names[string(key.Marshal())] = name }

func (d *door) offered() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := d.seen
	d.seen = nil
	return seen
}

// keySet is a directory with keys and their certificates, some of them in an agent.
type keySet struct {
	dir       string
	authority xssh.Signer
	agent     agent.Agent
	door      *door
}

func newKeySet(t *testing.T, d *door) *keySet {
	t.Helper()
	return &keySet{t.TempDir(), newKey(t), agent.NewKeyring(), d}
}

// add makes the key files NAME and NAME.pub; with a certificate when change is not nil, and adds to the agent.
func (s *keySet) add(t *testing.T, name string, inAgent bool, change func(*xssh.Certificate)) *xssh.Certificate {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := xssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, name, pem.EncodeToMemory(block))
	s.write(t, name+".pub", xssh.MarshalAuthorizedKey(signer.PublicKey()))
	s.door.name(name, signer.PublicKey())
	if inAgent {
		if err := s.agent.Add(agent.AddedKey{PrivateKey: private, Comment: name}); err != nil {
			t.Fatal(err)
		}
	}
	if change == nil {
		return nil
	}
	c := &xssh.Certificate{Key: signer.PublicKey(), CertType: xssh.UserCert, ValidPrincipals: []string{"ops"}, ValidBefore: xssh.CertTimeInfinity}
	change(c)
	if err := c.SignCert(rand.Reader, s.authority); err != nil {
		t.Fatal(err)
	}
	s.write(t, name+"-cert.pub", xssh.MarshalAuthorizedKey(c))
	s.door.name(name+"-cert", c)
	return c
}

func (s *keySet) write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(s.path(name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *keySet) path(name string) string { return filepath.Join(s.dir, name) }

// serve lets everybody who calls ask the agent.
func serve(t *testing.T, a agent.Agent) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = agent.ServeAgent(a, conn)
				conn.Close()
			}()
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", socket)
	t.Setenv("HOME", t.TempDir()) // no keys of whoever runs the test
}

func plain(*xssh.Certificate) {}

// TestAgentWithEightKeysAndMaxAuthTries2: peers.md G and the issue; each key that is offered is a failed login.
func TestAgentWithEightKeysAndMaxAuthTries2(t *testing.T) {
	d := newDoor(t, 2)
	keys := newKeySet(t, d)
	names := strings.Fields("k1 k2 k3 k4 k5 k6 k7 k8")
	for _, name := range names {
		keys.add(t, name, true, nil)
	}
	serve(t, keys.agent)
	d.opens = "k8"
	all := func(s *ssh.Settings) { s.Agent, s.Password = true, engine.Secret{} }
	e := mustNotOpen(t, host(t, d.Server, all), engine.KindAuth)
	if !strings.Contains(e.Error(), "MaxAuthTries") || !strings.Contains(e.Error(), "agent: k1 SHA256:") {
		t.Error(e)
	}
	d.offered()
	if err := os.Remove(keys.path("k8")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"k8.pub", "k8"} { // the public key says which one of the agent is meant
		open(t, host(t, d.Server, func(s *ssh.Settings) { all(s); s.Key = keys.path(name) }))
		if seen := d.offered(); !slices.Equal(seen, []string{"k8"}) {
			t.Errorf("%s: offered %v", name, seen)
		}
	}
	more := false
	e = mustNotOpen(t, host(t, d.Server, func(s *ssh.Settings) { all(s); s.Key, s.IdentitiesOnly = keys.path("k1"), &more }), engine.KindAuth)
	if seen := d.offered(); len(seen) < 2 || seen[0] != "k1" || !strings.Contains(e.Hint, "IdentitiesOnly") {
		t.Errorf("offered %v: %s", seen, e.Hint)
	}
}

// TestKeysAreOfferedInTheOrderOfOpenSSH: as ssh -v of 9.2 shows it ("Will attempt key").
func TestKeysAreOfferedInTheOrderOfOpenSSH(t *testing.T) {
	d := newDoor(t, 20)
	keys := newKeySet(t, d)
	keys.add(t, "k4", true, nil)
	keys.add(t, "k2", true, plain)
	keys.add(t, "k1", false, plain)
	keys.add(t, "k3", false, plain)
	serve(t, keys.agent)
	for _, test := range []struct {
		only        bool
		certificate string
		want        string
	}{
		{false, "", "k2 k4 k1 k1-cert k2-cert k3 k3-cert"},
		{false, "k2-cert.pub", "k2-cert k2 k4 k1 k3"},
		{true, "k4-none", ""},
	} {
		e := mustNotOpen(t, host(t, d.Server, func(s *ssh.Settings) {
			s.Keys, s.IdentitiesOnly = []string{keys.path("k1"), keys.path("k2"), keys.path("k3")}, &test.only
			s.Agent, s.Password = true, engine.Secret{}
			if test.certificate != "" {
				s.Certificate = keys.path(test.certificate)
			}
		}), engine.KindAuth)
		if seen := d.offered(); strings.Join(seen, " ") != test.want {
			t.Errorf("%s: offered %v, want %s (%v)", test.certificate, seen, test.want, e)
		}
	}
}

func TestCertificateOfTheAgentsKeyByName(t *testing.T) {
	d := newDoor(t, 2)
	keys := newKeySet(t, d)
	keys.add(t, "k1", true, plain)
	keys.add(t, "k2", true, nil)
	serve(t, keys.agent)
	d.opens = "k1-cert"
	if err := os.Remove(keys.path("k1")); err != nil {
		t.Fatal(err)
	}
	settings := func(s *ssh.Settings) {
		s.Agent, s.Password, s.Certificate = true, engine.Secret{}, keys.path("k1-cert.pub")
	}
	open(t, host(t, d.Server, settings))
	t.Setenv("SSH_AUTH_SOCK", "")
	if e := mustNotOpen(t, host(t, d.Server, settings), engine.KindAuth); !strings.Contains(e.Error(), "there is no agent") {
		t.Error(e)
	}
}

func TestBadUserCertificateIsSaid(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		change func(*xssh.Certificate)
		want   string
		seen   string
	}{
		"expired":   {func(c *xssh.Certificate) { c.ValidBefore = uint64(now.Add(-time.Hour).Unix()) }, "has expired: it was valid from ever to " + now.Add(-time.Hour).UTC().Format("2006-01-02"), "k"},
		"not yet":   {func(c *xssh.Certificate) { c.ValidAfter = uint64(now.Add(time.Hour).Unix()) }, "is not valid before", "k"},
		"host":      {func(c *xssh.Certificate) { c.CertType = xssh.HostCert }, "is one for hosts", "k"},
		"principal": {func(c *xssh.Certificate) { c.ValidPrincipals = []string{"a", "b"} }, "is for a, b, not for ops", "k k-cert"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, 6)
			keys := newKeySet(t, d)
			keys.add(t, "k", false, test.change)
			e := mustNotOpen(t, host(t, d.Server, func(s *ssh.Settings) { s.Key, s.Password = keys.path("k"), engine.Secret{} }), engine.KindAuth)
			if !strings.Contains(e.Error(), keys.path("k-cert.pub")+" "+test.want) {
				t.Error(e)
			}
			if seen := strings.Join(d.offered(), " "); seen != test.seen {
				t.Errorf("offered %s", seen)
			}
		})
	}
}

// strangeAgent has keys of kinds that the library does not know, one that it refuses to sign with, and a good one.
type strangeAgent struct {
	agent.Agent
	refuses string // comment
}

func (a strangeAgent) List() ([]*agent.Key, error) {
	list, err := a.Agent.List()
	strange := []*agent.Key{
		{Format: "ssh-new@example", Blob: xssh.Marshal(struct{ A, B string }{"ssh-new@example", "x"}), Comment: "new"},
		{Format: "webauthn-sk-ecdsa-sha2-nistp256@openssh.com", Blob: xssh.Marshal(struct{ A string }{"webauthn-sk-ecdsa-sha2-nistp256@openssh.com"}), Comment: "webauthn"},
		{Format: xssh.KeyAlgoSKED25519, Blob: xssh.Marshal(struct{ A, B, C string }{xssh.KeyAlgoSKED25519, strings.Repeat("k", 32), "ssh:"}), Comment: "sk"},
	}
	return append(strange, list...), err
}

func (a strangeAgent) Sign(key xssh.PublicKey, data []byte) (*xssh.Signature, error) {
	list, err := a.Agent.List()
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		if k.Comment == a.refuses && bytes.Equal(k.Blob, key.Marshal()) {
			return nil, errors.New("refused by its owner")
		}
	}
	return a.Agent.Sign(key, data)
}

func TestStrangeKeysOfTheAgentDoNotBreakTheLogin(t *testing.T) {
	d := newDoor(t, 6)
	keys := newKeySet(t, d)
	keys.add(t, "k1", true, nil)
	keys.add(t, "k2", true, nil)
	serve(t, strangeAgent{keys.agent, "k1"})
	d.opens = "k2"
	settings := func(s *ssh.Settings) { s.Agent, s.Password = true, engine.Secret{} }
	open(t, host(t, d.Server, settings))
	d.opens = "k1" // the host wants it, and the agent does not sign: the library alone gives up the method here
	e := mustNotOpen(t, host(t, d.Server, settings), engine.KindAuth)
	for _, want := range []string{"no signature with agent: k1", "new is of the kind ssh-new@example"} {
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%q is not in %v", want, e)
		}
	}
	if seen := d.offered(); seen[len(seen)-1] != "k2" {
		t.Errorf("after the refusal it gave up: %v", seen)
	}
}

func TestAgentThatHangsIsCutOff(t *testing.T) {
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "agent"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("SSH_AUTH_SOCK", listener.Addr().String())
	d := newDoor(t, 6)
	keys := newKeySet(t, d)
	keys.add(t, "k", false, nil)
	d.opens = "k"
	began := time.Now()
	open(t, host(t, d.Server, func(s *ssh.Settings) { s.Agent, s.Password, s.Key = true, engine.Secret{}, keys.path("k") })) // not asked at all
	e := mustNotOpen(t, host(t, d.Server, func(s *ssh.Settings) {
		s.Agent, s.Password, s.Key, s.ConnectTimeout = true, engine.Secret{}, keys.path("k.pub"), "300ms"
	}), engine.KindAuth)
	if took := time.Since(began); took > 10*time.Second || !strings.Contains(e.Error(), "the agent at ") {
		t.Errorf("%v: %v", took, e)
	}
}

func TestKeyFilesThatCannotBeUsedAreSaid(t *testing.T) {
	d := newDoor(t, 6)
	keys := newKeySet(t, d)
	keys.add(t, "k", false, plain)
	keys.write(t, "putty", []byte("PuTTY-User-Key-File-3: ssh-ed25519\n"))
	keys.write(t, "garbage", []byte("garbage\n"))
	t.Setenv("SSH_AUTH_SOCK", "")
	for name, want := range map[string]string{"putty": "puttygen", "garbage": "garbage", "k-cert.pub": "is a certificate", "k.pub": "is a public key, and there is no agent", "none": "no such file"} {
		e := mustNotOpen(t, host(t, d.Server, func(s *ssh.Settings) { s.Key = keys.path(name) }), engine.KindAuth)
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// TestRSASignsWithTheBestThatTheServerTakes: SHA-1 only where there is nothing else.
func TestRSASignsWithTheBestThatTheServerTakes(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := xssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rsa")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	keyring := agent.NewKeyring()
	if err := keyring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	serve(t, keyring)
	for _, test := range []struct{ takes, want string }{
		{"ssh-rsa rsa-sha2-256 rsa-sha2-512", "rsa-sha2-512"}, {"ssh-rsa rsa-sha2-256", "rsa-sha2-256"}, {"ssh-rsa", "ssh-rsa"},
	} {
		var used string
		server := listen(t, func(o *sshd.Options) {
			o.Password = nil
			o.PublicKey = func(_ string, k xssh.PublicKey) bool { return bytes.Equal(k.Marshal(), signer.PublicKey().Marshal()) }
			o.Configure = func(c *xssh.ServerConfig) {
				c.PublicKeyAuthAlgorithms = strings.Fields(test.takes)
				c.VerifiedPublicKeyCallback = func(_ xssh.ConnMetadata, _ xssh.PublicKey, p *xssh.Permissions, algorithm string) (*xssh.Permissions, error) {
					used = algorithm
					return p, nil
				}
			}
		})
		for _, change := range []func(*ssh.Settings){
			func(s *ssh.Settings) { s.Key, s.Password = file, engine.Secret{} },
			func(s *ssh.Settings) { s.Agent, s.Password = true, engine.Secret{} },
		} {
			used = ""
			open(t, host(t, server, change)).Close()
			if used != test.want {
				t.Errorf("%s: signed with %s", test.takes, used)
			}
		}
	}
}
