package approve_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/plan/approve"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// newAgent serves a keyring on a socket, as ssh-agent does.
func newAgent(t *testing.T) (agent.Agent, approve.Keys) {
	t.Helper()
	ring := agent.NewKeyring()
	return ring, serve(t, ring)
}

func serve(t *testing.T, a agent.Agent) approve.Keys {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = agent.ServeAgent(a, conn) // ends with the connection
				_ = conn.Close()
			}()
		}
	}()
	return approve.Keys{Socket: l.Addr().String()}
}

func TestAgent(t *testing.T) {
	ring, keys := newAgent(t)
	if _, err := keys.Open("agent"); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Fatalf("an empty agent: %v", err)
	}
	_, ed, err1 := ed25519.GenerateKey(rand.Reader)
	ec, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, err3 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3, ring.Add(agent.AddedKey{PrivateKey: rs, Comment: "work key"})); err != nil {
		t.Fatal(err)
	}
	data, doc := planOf(t, "carol")
	signed := func(name string) string {
		t.Helper()
		k, err := keys.Open(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := approve.Sign(data, k, approve.Namespace)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		allowed, err := approve.ParseSigners("F", append([]byte("alice "), ssh.MarshalAuthorizedKey(k.PublicKey())...))
		if err != nil {
			t.Fatal(err)
		}
		good, bad := approve.Judge(data, []approve.Signature{{Text: text}}, allowed, doc.Planner, now)
		if len(good) != 1 {
			t.Errorf("%s: %v", name, bad)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		return approve.Fingerprint(k.PublicKey())
	}
	only := signed("agent")
	if err := errors.Join(ring.Add(agent.AddedKey{PrivateKey: ed, Comment: "home"}), ring.Add(agent.AddedKey{PrivateKey: ec, Comment: "home"})); err != nil {
		t.Fatal(err)
	}
	_, err := keys.Open("agent")
	if err == nil || !strings.Contains(err.Error(), "3 keys") || !strings.Contains(err.Error(), "agent:"+only+" (ssh-rsa, work key)") {
		t.Errorf("several keys: %v", err)
	}
	if signed("agent:work key") != only || signed("agent:"+only) != only {
		t.Error("not the key that was named")
	}
	if _, err := keys.Open("agent:home"); err == nil || !strings.Contains(err.Error(), "not exactly one") {
		t.Errorf("two keys of a name: %v", err)
	}
	if _, err := keys.Open("agent:none"); err == nil {
		t.Error("a key that is not there")
	}
	for _, private := range []any{ed, ec, rs} {
		signer, err := ssh.NewSignerFromKey(private)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "id.pub")
		if err := os.WriteFile(path, ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o600); err != nil {
			t.Fatal(err)
		}
		if signed(path) != ssh.FingerprintSHA256(signer.PublicKey()) {
			t.Errorf("%s: not its private half", signer.PublicKey().Type())
		}
	}
	keys.Socket += "x"
	if _, err := keys.Open("agent"); err == nil || !strings.Contains(err.Error(), "SSH_AUTH_SOCK") {
		t.Errorf("no such socket: %v", err)
	}
}

// A key with a passphrase that the agent holds asks for nothing.
func TestAgentUnlocks(t *testing.T) {
	ring, keys := newAgent(t)
	needKeygen(t)
	b := newBench(t)
	b.must("-q", "-t", "ed25519", "-a", "1", "-N", "secret", "-f", "alice")
	path := filepath.Join(b.dir, "alice")
	private, err := ssh.ParseRawPrivateKeyWithPassphrase([]byte(b.read(path)), []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open(path); err == nil {
		t.Error("opened without passphrase and agent")
	}
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	k, err := keys.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := approve.Sign([]byte("x"), k, approve.Namespace); err != nil {
		t.Error(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

// What the planner could sign with is found in ~/.ssh, locked or not, and in the agent, certified or not.
func TestHeld(t *testing.T) {
	needKeygen(t)
	ring, keys := newAgent(t)
	b := newBench(t)
	b.key("open", "-t", "ed25519")
	b.must("-q", "-t", "ed25519", "-a", "1", "-N", "secret", "-f", "locked")
	b.key("certified", "-t", "ed25519")
	b.must("-q", "-s", "open", "-I", "id", "-n", "alice", "certified.pub")
	b.write("authorized_keys", newPerson(t).line("")) // keys of others
	b.write("config", "Host *\n")
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{approve.Fingerprint(signer.PublicKey())}
	for _, name := range []string{"open", "locked", "certified"} {
		out, err := b.keygen("", "-l", "-f", name+".pub")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, strings.Fields(out)[1])
	}
	for _, lone := range []string{"open.pub", "locked.pub", "certified.pub"} { // private keys without a public half beside them
		if err := os.Remove(filepath.Join(b.dir, lone)); err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if got := keys.Held(b.dir); !slices.Equal(got, want) {
			t.Errorf("without %s: %v, want %v", lone, got, want)
		}
	}
	if got := (approve.Keys{Socket: "/nonexistent"}).Held(filepath.Join(b.dir, "none")); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
