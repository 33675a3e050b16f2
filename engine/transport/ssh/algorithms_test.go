package ssh_test

import (
	"crypto/dsa" //nolint:staticcheck // a host key of before 2015
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func signerOf(t *testing.T, private any, err error) xssh.Signer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func rsaSigner(t *testing.T) xssh.Signer {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	return signerOf(t, private, err)
}

// TestOldAlgorithmsNeedLegacyOnlyWhereTheyAreWeak is the table of targets.md 5, as far as Go's server has the algorithms;
// TestLabTriedWith is the rest of it. The library's defaults lack gex-sha256 and group16, and say nothing of legacy.
func TestOldAlgorithmsNeedLegacyOnlyWhereTheyAreWeak(t *testing.T) {
	for _, test := range []struct {
		name   string
		config xssh.Config
		legacy string // what only legacy_algorithms offers; "": nothing
	}{
		{"as ESXi 5.5", xssh.Config{KeyExchanges: []string{"diffie-hellman-group14-sha1"}, Ciphers: []string{"aes128-ctr"}, MACs: []string{"hmac-sha1"}}, ""},
		{"group16", xssh.Config{KeyExchanges: []string{"diffie-hellman-group16-sha512"}}, ""},
		{"hmac-sha1-96", xssh.Config{Ciphers: []string{"aes256-ctr"}, MACs: []string{"hmac-sha1-96"}}, ""},
		{"group1", xssh.Config{KeyExchanges: []string{"diffie-hellman-group1-sha1"}}, "diffie-hellman-group1-sha1"},
		{"aes128-cbc", xssh.Config{Ciphers: []string{"aes128-cbc"}, MACs: []string{"hmac-sha1"}}, "aes128-cbc"},
		{"arcfour", xssh.Config{Ciphers: []string{"arcfour"}, MACs: []string{"hmac-sha1"}}, "arcfour"},
		{"3des-cbc", xssh.Config{Ciphers: []string{"3des-cbc"}, MACs: []string{"hmac-sha1"}}, "3des-cbc"},
	} {
		server := listen(t, func(o *sshd.Options) {
			o.HostKey, o.Configure = rsaSigner(t), func(c *xssh.ServerConfig) { c.Config = test.config }
		})
		if test.legacy == "" {
			if got := open(t, host(t, server, nil)).Identity(); strings.Contains(got, "legacy") {
				t.Errorf("%s: the identity is %s", test.name, got)
			}
			continue
		}
		e := mustNotOpen(t, host(t, server, nil), engine.KindProtocol)
		if !strings.Contains(e.Hint, "legacy_algorithms = true") || !strings.Contains(e.Error(), "we offered: [") || !strings.Contains(e.Error(), `peer offered: ["`+test.legacy) {
			t.Errorf("%s: %v -- %s", test.name, e, e.Hint)
		}
		got := open(t, host(t, server, func(s *ssh.Settings) { s.Legacy = true })).Identity()
		if !strings.HasSuffix(got, " (legacy: "+test.legacy+")") {
			t.Errorf("%s: the identity, which a plan shows, is %s", test.name, got)
		}
	}
}

// TestDSAHostKeyNeedsLegacy: the library takes it by default.
func TestDSAHostKeyNeedsLegacy(t *testing.T) {
	private := &dsa.PrivateKey{}
	err := dsa.GenerateParameters(&private.Parameters, rand.Reader, dsa.L1024N160)
	if err == nil {
		err = dsa.GenerateKey(private, rand.Reader)
	}
	server := listen(t, func(o *sshd.Options) { o.HostKey = signerOf(t, private, err) })
	_ = mustNotOpen(t, host(t, server, nil), engine.KindProtocol)
	open(t, host(t, server, func(s *ssh.Settings) { s.Legacy = true }))
}

// TestKnownKindOfKeyIsAskedFor: with x/crypto alone the server chooses another of its keys, which looks like a changed one
// (https://go.dev/issue/29286). For RSA the names of SHA-2 are asked for: "ssh-rsa" alone fails on today's servers.
func TestKnownKindOfKeyIsAskedFor(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	keys := []xssh.Signer{newKey(t), signerOf(t, private, err), rsaSigner(t)}
	modern, err := xssh.NewSignerWithAlgorithms(keys[2].(xssh.AlgorithmSigner), []string{xssh.KeyAlgoRSASHA256})
	if err != nil {
		t.Fatal(err)
	}
	server := listen(t, func(o *sshd.Options) {
		o.HostKey, o.Configure = keys[0], func(c *xssh.ServerConfig) { c.AddHostKey(keys[1]); c.AddHostKey(modern) }
	})
	for _, key := range keys {
		want := "ssh " + key.PublicKey().Type() + " " + xssh.FingerprintSHA256(key.PublicKey())
		plain := line(server, key.PublicKey())
		_, rest, _ := strings.Cut(plain, " ")
		hashed := knownhosts.HashHostname(knownhosts.Normalize(server.Addr().String())) + " " + rest
		for _, text := range []string{plain, hashed, "127.0.0.1 " + rest, "127.0.*,* " + rest} {
			if got := open(t, host(t, server, with(known(t, text)))).Identity(); got != want {
				t.Errorf("%s: %s, want %s", text, got, want)
			}
		}
	}
}
