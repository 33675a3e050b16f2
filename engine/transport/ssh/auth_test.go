package ssh_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func TestPasswordIsTriedOnce(t *testing.T) {
	for name, interactive := range map[string]bool{"password": false, "keyboard-interactive": true} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			server := listen(t, func(o *sshd.Options) {
				o.KeyboardInteractive = interactive
				o.Password = func(_, password string) bool { tries.Add(1); return password == "correct-horse" }
			})
			open(t, host(t, server, nil))
			tries.Store(0)
			e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Password = engine.Plain("s3cret") }), engine.KindAuth)
			if tries.Load() != 1 {
				t.Errorf("the host has seen %d tries", tries.Load())
			}
			if !strings.Contains(e.Error(), "the password of ops was refused") {
				t.Error(e)
			}
		})
	}
}

// TestPasswordIsTriedOnceInAll: sshd with PAM offers both ways, and the second would be a second failure.
func TestPasswordIsTriedOnceInAll(t *testing.T) {
	var tries atomic.Int32
	key := newKey(t)
	config := &xssh.ServerConfig{
		PasswordCallback: func(xssh.ConnMetadata, []byte) (*xssh.Permissions, error) { tries.Add(1); return nil, net.ErrClosed },
		KeyboardInteractiveCallback: func(_ xssh.ConnMetadata, ask xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
			tries.Add(1)
			_, _ = ask("", "", []string{"Password: "}, []bool{false})
			return nil, net.ErrClosed
		},
	}
	config.AddHostKey(key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _, _, _ = xssh.NewServerConn(conn, config)
			conn.Close()
		}
	}()
	server := listen(t, nil)
	h := host(t, server, func(s *ssh.Settings) {
		s.Port, s.HostKeys, s.KnownHosts = listener.Addr().(*net.TCPAddr).Port, "accept-new", filepath.Join(t.TempDir(), "known")
	})
	_ = mustNotOpen(t, h, engine.KindAuth)
	if tries.Load() != 1 {
		t.Errorf("the host has seen %d tries", tries.Load())
	}
}

// TestRefusedPasswordIsNotSentAgainInARun: a run opens the connection again for each retry, and for the apply after the plan.
func TestRefusedPasswordIsNotSentAgainInARun(t *testing.T) {
	var tries atomic.Int32
	server := listen(t, func(o *sshd.Options) {
		o.Password = func(user, password string) bool { tries.Add(1); return password == "correct-horse" }
	})
	transport := ssh.New()
	refused := func(user, password string) string {
		t.Helper()
		_, err := transport.Open(t.Context(), host(t, server, func(s *ssh.Settings) { s.User, s.Password = user, engine.Plain(password) }))
		var e *engine.Error
		if !errors.As(err, &e) || e.Kind != engine.KindAuth {
			t.Fatal(err)
		}
		return e.Error()
	}
	for i, want := range []string{"the password of ops was refused", "earlier in this run; it is not sent again", "earlier in this run; it is not sent again"} {
		if text := refused("ops", "s3cret"); !strings.HasSuffix(strings.TrimSuffix(text, ")"), want) || tries.Load() != 1 {
			t.Errorf("%d: %s (%d tries)", i, text, tries.Load())
		}
	}
	refused("ops", "s3cret2") // another password, another user
	refused("root", "s3cret")
	if tries.Load() != 3 {
		t.Errorf("%d tries", tries.Load())
	}
	conn, err := transport.Open(t.Context(), host(t, server, nil))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// keyFile writes a private key, encrypted when there is a passphrase.
func keyFile(t *testing.T, passphrase string) (file string, private ed25519.PrivateKey, public xssh.PublicKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := xssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = xssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return file, private, signer.PublicKey()
}

// listenForKey admits one key, and no password.
func listenForKey(t *testing.T, key xssh.PublicKey) *sshd.Server {
	t.Helper()
	return listen(t, func(o *sshd.Options) {
		o.Password = nil
		o.PublicKey = func(user string, k xssh.PublicKey) bool {
			return user == "ops" && bytes.Equal(k.Marshal(), key.Marshal())
		}
	})
}

func TestKeyOpens(t *testing.T) {
	file, _, public := keyFile(t, "")
	server := listenForKey(t, public)
	open(t, host(t, server, func(s *ssh.Settings) { s.Key = file }))
	other, _, _ := keyFile(t, "")
	open(t, host(t, server, func(s *ssh.Settings) { s.Keys = []string{other, file} }))
	e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Key, s.Password = other, engine.Secret{} }), engine.KindAuth)
	if !strings.Contains(e.Hint, "authorized_keys") {
		t.Error(e.Hint)
	}
	_ = mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Key = "/nonexistent/key" }), engine.KindAuth)
	e = mustNotOpen(t, host(t, server, nil), engine.KindAuth)
	if !strings.Contains(e.Error(), "accepts no password") {
		t.Error(e)
	}
}

func TestEncryptedKeyNeedsItsPassphraseOrTheAgent(t *testing.T) {
	file, private, public := keyFile(t, "s3cret")
	server := listenForKey(t, public)
	open(t, host(t, server, func(s *ssh.Settings) { s.Key, s.Passphrase = file, engine.Plain("s3cret") }))
	_ = mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Key, s.Passphrase = file, engine.Plain("wrong") }), engine.KindAuth)
	e := mustNotOpen(t, host(t, server, func(s *ssh.Settings) { s.Key = file }), engine.KindAuth)
	if !strings.Contains(e.Error(), "encrypted") {
		t.Error(e)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	serve(t, keys)
	open(t, host(t, server, func(s *ssh.Settings) { s.Key, s.Agent = file, true }))
	open(t, host(t, server, func(s *ssh.Settings) { s.Password, s.Agent = engine.Secret{}, true })) // no key is named
}

func TestCertificateBesideTheKeyIsUsed(t *testing.T) {
	file, _, public := keyFile(t, "")
	authority := newKey(t)
	certificate := &xssh.Certificate{Key: public, CertType: xssh.UserCert, ValidPrincipals: []string{"ops"}, ValidBefore: xssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+"-cert.pub", xssh.MarshalAuthorizedKey(certificate), 0o600); err != nil {
		t.Fatal(err)
	}
	server := listen(t, func(o *sshd.Options) {
		o.Password = nil
		o.PublicKey = func(_ string, k xssh.PublicKey) bool {
			c, ok := k.(*xssh.Certificate)
			return ok && bytes.Equal(c.SignatureKey.Marshal(), authority.PublicKey().Marshal())
		}
	})
	open(t, host(t, server, func(s *ssh.Settings) { s.Key = file }))
}
