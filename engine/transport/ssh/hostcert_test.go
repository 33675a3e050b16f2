package ssh_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// authorized is a server that has nothing but a certificate of authority; change may spoil it before it is signed.
func authorized(t *testing.T, authority xssh.Signer, change func(*xssh.Certificate)) (*sshd.Server, *xssh.Certificate) {
	t.Helper()
	key := newKey(t)
	c := &xssh.Certificate{
		Key: key.PublicKey(), CertType: xssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: xssh.CertTimeInfinity,
	}
	if change != nil {
		change(c)
	}
	if err := c.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewCertSigner(c, key)
	if err != nil {
		t.Fatal(err)
	}
	return listen(t, func(o *sshd.Options) { o.HostKey = signer }), c
}

func public(key xssh.PublicKey) string {
	return key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal())
}

// TestCertAuthorityCountsOnEveryPortAndForAddresses: for x/crypto the pattern means port 22 and never matches a bare
// address ("no authorities for hostname", targets.md 5). OpenSSH asks with the port, then without.
func TestCertAuthorityCountsOnEveryPortAndForAddresses(t *testing.T) {
	authority := newKey(t)
	server, c := authorized(t, authority, nil)
	port := server.Addr().(*net.TCPAddr).AddrPort().Port()
	for _, pattern := range []string{"*", "127.0.0.1", "127.0.*", "127.0.0.1,other", knownhosts.Normalize(server.Addr().String()), "[127.0.0.*]:*"} {
		got := open(t, host(t, server, with(known(t, "@cert-authority "+pattern+" "+public(authority.PublicKey()))))).Identity()
		if want := "ssh ssh-ed25519 " + xssh.FingerprintSHA256(c.Key); got != want {
			t.Errorf("%s: the identity is %q, want that of the key, %q, which a renewal does not change", pattern, got, want)
		}
	}
	for _, pattern := range []string{"example", "127.0.0.2", "[127.0.0.1]:1", "*,!127.0.0.1,![127.0.0.1]:*"} {
		e := mustNotOpen(t, host(t, server, with(known(t, "@cert-authority "+pattern+" "+public(authority.PublicKey())))), engine.KindHostKey)
		if !strings.Contains(e.Error(), "no line @cert-authority") {
			t.Errorf("%s, port %d: %v", pattern, port, e)
		}
	}
}

// TestCertificateAlgorithmsAreAskedFor: without them a host that has a certificate shows a key that nobody knows.
func TestCertificateAlgorithmsAreAskedFor(t *testing.T) {
	authority := newKey(t)
	key := newKey(t)
	c := &xssh.Certificate{Key: key.PublicKey(), CertType: xssh.HostCert, ValidBefore: xssh.CertTimeInfinity}
	if err := c.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	certified, err := xssh.NewCertSigner(c, key)
	if err != nil {
		t.Fatal(err)
	}
	server := listen(t, func(o *sshd.Options) {
		o.HostKey, o.Configure = key, func(c *xssh.ServerConfig) { c.AddHostKey(certified) }
	})
	open(t, host(t, server, with(known(t, "@cert-authority * "+public(authority.PublicKey())))))
	open(t, host(t, server, with(known(t, line(server, key.PublicKey()))))) // and the plain key where that is known
}

func TestBadHostCertificateIsSaid(t *testing.T) {
	authority := newKey(t)
	now := time.Now()
	for name, test := range map[string]struct {
		change func(*xssh.Certificate)
		want   string
	}{
		"expired": {func(c *xssh.Certificate) {
			c.ValidAfter, c.ValidBefore = uint64(now.Add(-48*time.Hour).Unix()), uint64(now.Add(-time.Hour).Unix())
		}, "has expired: it was valid from " + now.Add(-48*time.Hour).UTC().Format("2006-01-02 15:04 UTC") + " to " + now.Add(-time.Hour).UTC().Format("2006-01-02 15:04 UTC")},
		"not yet": {func(c *xssh.Certificate) { c.ValidAfter = uint64(now.Add(time.Hour).Unix()) }, "is not valid before"},
		"another": {func(c *xssh.Certificate) { c.ValidPrincipals = []string{"a.example", "b.example"} }, "is for a.example, b.example, not for 127.0.0.1"},
		"pattern": {func(c *xssh.Certificate) { c.ValidPrincipals = []string{"127.0.0.*"} }, "not for 127.0.0.1"},
		"user":    {func(c *xssh.Certificate) { c.CertType = xssh.UserCert }, "is one for users"},
		"option":  {func(c *xssh.Certificate) { c.CriticalOptions = map[string]string{"x": "y"} }, "critical options"},
	} {
		server, c := authorized(t, authority, test.change)
		file := known(t, "@cert-authority * "+public(authority.PublicKey()))
		for _, mode := range []string{"strict", "accept-new"} {
			e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.KnownHosts, s.HostKeys = file, mode }), engine.KindHostKey)
			if !strings.Contains(e.Error(), test.want) || !strings.Contains(e.Hint, file+":1") {
				t.Errorf("%s, %s: %v -- %s", name, mode, e, e.Hint)
			}
		}
		// As in OpenSSH the key in it may be known all the same.
		open(t, host(t, server, with(known(t, "@cert-authority * "+public(authority.PublicKey()), line(server, c.Key)))))
	}
	server, _ := authorized(t, authority, func(c *xssh.Certificate) { c.ValidPrincipals = nil }) // for every host
	open(t, host(t, server, with(known(t, "@cert-authority * "+public(authority.PublicKey())))))
}

func TestHostCertificateSignedWithSHA1NeedsLegacy(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	old, err := xssh.NewSignerWithAlgorithms(signer.(xssh.AlgorithmSigner), []string{xssh.KeyAlgoRSA})
	if err != nil {
		t.Fatal(err)
	}
	server, _ := authorized(t, old, nil)
	file := known(t, "@cert-authority * "+public(signer.PublicKey()))
	if e := mustNotOpen(t, host(t, server, with(file)), engine.KindHostKey); !strings.Contains(e.Error(), "SHA-1") {
		t.Error(e)
	}
	open(t, host(t, server, func(s *ssh.Settings) { s.KnownHosts, s.Legacy = file, true }))
}

func TestRevocationBeatsEveryOtherLine(t *testing.T) {
	authority := newKey(t)
	server, c := authorized(t, authority, nil)
	accepts := []string{"@cert-authority * " + public(authority.PublicKey()), line(server, c.Key)}
	open(t, host(t, server, with(known(t, accepts...))))
	for name, key := range map[string]xssh.PublicKey{"key": c.Key, "authority": authority.PublicKey()} {
		h := host(t, server, func(s *ssh.Settings) {
			s.KnownHosts, s.KnownHostsFiles, s.HostKeys = known(t, accepts...), []string{known(t, "@revoked * "+public(key))}, "accept-new"
		})
		if e := mustNotOpen(t, h, engine.KindHostKey); !strings.Contains(e.Error(), "revoked") {
			t.Errorf("%s: %v", name, e)
		}
		h = host(t, server, func(s *ssh.Settings) {
			s.KnownHosts, s.RevokedHostKeys = known(t, accepts...), known(t, "# list", public(newKey(t).PublicKey()), public(key)+" comment")
		})
		if e := mustNotOpen(t, h, engine.KindHostKey); !strings.Contains(e.Error(), "revoked") || !strings.Contains(e.Error(), ":3") {
			t.Errorf("%s, by the list: %v", name, e)
		}
	}
}

func TestRevokedHostKeysThatCannotBeReadRefuseEveryHost(t *testing.T) {
	server := listen(t, nil)
	krl := known(t, "SSHKRL", "\x00")
	for file, want := range map[string]string{krl: "KRL", known(t, "garbage"): ":1", filepath.Join(t.TempDir(), "none"): "none"} {
		e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.RevokedHostKeys = file }), engine.KindHostKey)
		if !strings.Contains(e.Error(), want) {
			t.Error(e)
		}
	}
}

func TestHostKeyAliasReplacesAddressAndPort(t *testing.T) {
	authority := newKey(t)
	server, c := authorized(t, authority, func(c *xssh.Certificate) { c.ValidPrincipals = []string{"esx1.example"} })
	alias := func(file string) func(*ssh.Settings) {
		return func(s *ssh.Settings) { s.KnownHosts, s.HostKeyAlias = file, "ESX1.example" }
	}
	open(t, host(t, server, alias(known(t, "@cert-authority *.example "+public(authority.PublicKey())))))
	open(t, host(t, server, alias(known(t, "esx1.example "+public(c.Key)))))
	e := mustNotOpen(t, host(t, server, alias(known(t, line(server, c.Key)))), engine.KindHostKey) // that is the address
	if !strings.Contains(e.Hint, "esx1.example") {
		t.Error(e.Hint)
	}
}

func TestHostIsKnownWithItsPortBeforeWithout(t *testing.T) {
	server := listen(t, nil)
	own, other := public(server.HostKey()), public(newKey(t).PublicKey())
	address := knownhosts.Normalize(server.Addr().String())
	open(t, host(t, server, with(known(t, "127.0.0.1 "+own))))
	open(t, host(t, server, with(known(t, "127.0.0.1 "+other, address+" "+own))))
	e := mustNotOpen(t, host(t, server, with(known(t, "127.0.0.1 "+own, address+" "+other))), engine.KindHostKey)
	if !strings.Contains(e.Error(), "changed") {
		t.Error(e)
	}
	// On port 22 there is another server; so this one is new, not changed.
	e = mustNotOpen(t, host(t, server, with(known(t, "127.0.0.1 "+other))), engine.KindHostKey)
	if !strings.Contains(e.Error(), "not known") {
		t.Error(e)
	}
}

func TestUnknownKindOfKeyInTheFileDoesNotSpoilIt(t *testing.T) {
	server := listen(t, nil)
	strange := base64.StdEncoding.EncodeToString(append([]byte{0, 0, 0, 7}, "ssh-newrest"...))
	open(t, host(t, server, with(known(t, "* ssh-new "+strange, "garbage", line(server, server.HostKey())))))
}

// TestAcceptNewKeepsTheFileWhole: two transports are two processes as far as the lock is concerned.
func TestAcceptNewKeepsTheFileWhole(t *testing.T) {
	var servers []*sshd.Server
	for range 8 {
		servers = append(servers, listen(t, nil))
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	var wait sync.WaitGroup
	for range 2 {
		transport := ssh.New()
		for _, server := range servers {
			h := host(t, server, func(s *ssh.Settings) { s.KnownHosts, s.HostKeys, s.HashKnownHosts = file, "accept-new", true })
			wait.Go(func() {
				conn, err := transport.Open(t.Context(), h)
				if err != nil {
					t.Error(err)
					return
				}
				conn.Close()
			})
		}
	}
	wait.Wait()
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\n|1|") != len(servers)-1 || strings.Contains(string(text), "127.0.0.1") {
		t.Errorf("%v\n%s", err, text)
	}
	for _, server := range servers {
		open(t, host(t, server, with(file)))
	}
}

func TestAcceptNewNeedsAFileThatKeeps(t *testing.T) {
	server := listen(t, nil)
	e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.KnownHosts, s.HostKeys = os.DevNull, "accept-new" }), engine.KindHostKey)
	if !strings.Contains(e.Error(), os.DevNull) {
		t.Error(e)
	}
}
