package ssh_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func newKey(t *testing.T) xssh.Signer {
	t.Helper()
	key, err := sshd.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func line(server *sshd.Server, key xssh.PublicKey) string {
	return knownhosts.Line([]string{server.Addr().String()}, key)
}

// with replaces the known_hosts file.
func with(file string) func(*ssh.Settings) {
	return func(s *ssh.Settings) { s.KnownHosts = file }
}

func TestIdentityIsTheHostKey(t *testing.T) {
	server := listen(t, nil)
	want := "ssh ssh-ed25519 " + xssh.FingerprintSHA256(server.HostKey())
	if got := open(t, host(t, server, nil)).Identity(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnknownHostKeyIsRefused(t *testing.T) {
	server := listen(t, nil)
	for name, file := range map[string]string{"another host": known(t, knownhosts.Line([]string{"192.0.2.1"}, server.HostKey())), "no file": t.TempDir() + "/none"} {
		e := mustNotOpen(t, host(t, server, with(file)), engine.KindHostKey)
		if !strings.Contains(e.Error(), xssh.FingerprintSHA256(server.HostKey())) || !strings.Contains(e.Hint, "ssh-keyscan -p ") || !strings.Contains(e.Hint, file) {
			t.Errorf("%s: it does not say which key, or how to add it: %v -- %s", name, e, e.Hint)
		}
	}
	if server.Logins() != 0 {
		t.Error("somebody logged in")
	}
}

func TestChangedHostKeyIsRefusedEvenByAcceptNew(t *testing.T) {
	server := listen(t, nil)
	h := host(t, server, func(s *ssh.Settings) { s.HostKeys = "accept-new" })
	old := server.HostKey()
	server.SetHostKey(newKey(t))
	e := mustNotOpen(t, h, engine.KindHostKey)
	for _, want := range []string{"changed", xssh.FingerprintSHA256(old), xssh.FingerprintSHA256(server.HostKey()), "known_hosts:1"} {
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%q is not in %q", want, e)
		}
	}
	if !strings.Contains(e.Hint, "ssh-keygen -R '[127.0.0.1]:") {
		t.Errorf("the hint is %q", e.Hint)
	}
}

func TestRevokedHostKeyIsRefused(t *testing.T) {
	server := listen(t, nil)
	file := known(t, line(server, server.HostKey()), "@revoked * "+strings.SplitN(line(server, server.HostKey()), " ", 2)[1])
	if e := mustNotOpen(t, host(t, server, with(file)), engine.KindHostKey); !strings.Contains(e.Error(), "revoked") {
		t.Error(e)
	}
}

func TestHashedEntryIsFound(t *testing.T) {
	server := listen(t, nil)
	_, rest, _ := strings.Cut(line(server, server.HostKey()), " ")
	file := known(t, "# a comment", "", knownhosts.HashHostname(knownhosts.Normalize(server.Addr().String()))+" "+rest)
	open(t, host(t, server, with(file)))
}

func TestUnreadableKnownHostsIsSaid(t *testing.T) {
	server := listen(t, nil)
	if e := mustNotOpen(t, host(t, server, with(known(t, "what is this"))), engine.KindHostKey); !strings.Contains(e.Error(), ":1") {
		t.Errorf("the line is not named: %v", e)
	}
}

func TestAcceptNewAddsOnceAndThenIsStrict(t *testing.T) {
	server, other := listen(t, nil), listen(t, nil)
	file := t.TempDir() + "/new/known_hosts"
	accept := func(s *ssh.Settings) { s.KnownHosts, s.HostKeys = file, "accept-new" }
	for range 2 {
		open(t, host(t, server, accept))
		open(t, host(t, other, accept))
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Fatalf("the file has %q, %v", text, err)
	}
	open(t, host(t, server, with(file)))
}

// TestOtherKindOfKeyIsAChange: a host that no longer has the kind of key that the file knows has changed.
func TestOtherKindOfKeyIsAChange(t *testing.T) {
	server := listen(t, nil)
	h := host(t, server, nil)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	server.SetHostKey(key)
	if e := mustNotOpen(t, h, engine.KindHostKey); !strings.Contains(e.Error(), "changed") {
		t.Error(e)
	}
}
