package approve_test

import (
	"bytes"
	"crypto/dsa" //nolint:staticcheck // it is deprecated, which is what the test is about
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// judgeOne judges one signature by one line of allowed signers.
func judgeOne(t *testing.T, data, text []byte, line string, planner plan.Planner) (counts bool, reason string) {
	t.Helper()
	allowed, err := approve.ParseSigners("FILE", []byte(line))
	if err != nil {
		t.Fatal(err)
	}
	good, bad := approve.Judge(data, []approve.Signature{{File: "f", Text: text}}, allowed, planner, now)
	if len(bad) > 0 {
		reason = bad[0].Reason
	}
	return len(good) == 1, reason
}

// The second in which a line ends belongs to it whole, as for ssh-keygen, whose clock has no parts of it.
func TestLastSecond(t *testing.T) {
	alice := newPerson(t)
	allowed, err := approve.ParseSigners("FILE", []byte(alice.line(`alice valid-before="20261123030000Z"`)))
	if err != nil {
		t.Fatal(err)
	}
	signatures := []approve.Signature{{Text: alice.sign(t, nil, approve.Namespace)}}
	for after, want := range map[time.Duration]int{0: 1, 999 * time.Millisecond: 1, time.Second: 0} {
		if good, bad := approve.Judge(nil, signatures, allowed, plan.Planner{}, now.Add(after)); len(good) != want {
			t.Errorf("%s after: %v", after, bad)
		}
	}
}

// Who holds the key of an authority can be anybody: a planner who does cannot be told from those it certifies.
func TestPlannerHoldsTheAuthority(t *testing.T) {
	ca, alice := newPerson(t), newPerson(t)
	c := &ssh.Certificate{Key: alice.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"alice@corp"}, ValidBefore: ssh.CertTimeInfinity}
	if err := c.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(c, alice)
	if err != nil {
		t.Fatal(err)
	}
	text, err := approve.Sign([]byte("plan"), signer, approve.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	line := ca.line("*@corp cert-authority")
	if ok, reason := judgeOne(t, []byte("plan"), text, line, plan.Planner{User: "ops"}); !ok {
		t.Errorf("a good certificate: %s", reason)
	}
	for key, holder := range map[string]person{"authority": ca, "certified key": alice} {
		if ok, reason := judgeOne(t, []byte("plan"), text, line, plan.Planner{User: "ops", Keys: []string{holder.fingerprint()}}); ok || !strings.Contains(reason, "who made the plan") {
			t.Errorf("the planner holds the %s: %v %s", key, ok, reason)
		}
	}
}

func TestWeakOrPadded(t *testing.T) {
	data := []byte("plan")
	ca := newPerson(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	c := &ssh.Certificate{Key: weak.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"alice"}, ValidBefore: ssh.CertTimeInfinity}
	if err := c.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	behind, err := ssh.NewCertSigner(c, weak) // signs with SHA-1
	if err != nil {
		t.Fatal(err)
	}
	text, err := approve.Sign(data, behind, approve.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	if ok, reason := judgeOne(t, data, text, ca.line("alice cert-authority"), plan.Planner{}); ok || !strings.Contains(reason, "SHA-1") {
		t.Errorf("SHA-1 behind a certificate: %v %s", ok, reason)
	}

	alice := newPerson(t)
	s, err := sshsig.Unarmor(alice.sign(t, data, approve.Namespace))
	if err != nil {
		t.Fatal(err)
	}
	s.Signature.Rest = []byte("and more")
	if ok, reason := judgeOne(t, data, sshsig.Armor(s), alice.line("alice"), plan.Planner{}); ok || !strings.Contains(reason, "has more in it") {
		t.Errorf("a padded signature: %v %s", ok, reason)
	}
}

// DSA is broken, whoever lists its keys. The parameters are some of the size that OpenSSH used, made for this test.
func TestDSA(t *testing.T) {
	number := func(hex string) *big.Int {
		n, ok := new(big.Int).SetString(hex, 16)
		if !ok {
			t.Fatal(hex)
		}
		return n
	}
	private := new(dsa.PrivateKey)
	private.P = number("f648cd22a835de7bdf61aa8e94386d0e466378173b54e3c96259caf2a8a796edade994acc3f1f691273fe815db863d390e31ade5a4cbd7e158b2edfe85e6e3aff6ca8a82dae158db014131a79e3e23906a565394d1c354717406d905849dabac602f55aaa912ac7c4fd371f7dc40dff227f4f0d30718c530edbff64846fab4f5")
	private.Q = number("c536ab7ca2f84a8965724e32fa7dc2ef7b906867")
	private.G = number("cacf5e0be7fc109a6c9316df36eeba09ede36a638b5b7e11dd78dadc79110eeab3a703f717190881eb0e6e0f68e271999f1d7c734d2aa670e7dbdc505fe4680939a3fccf435f5f85d88f712f5f2d69260e51c1667e505d3341d5b396f23ab1398485dfecc32049a8dd1eb670afc615d1a81921dd211c7311f2102eb725012782")
	if err := dsa.GenerateKey(private, rand.Reader); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	alice := person{signer.(ssh.AlgorithmSigner)}
	if ok, reason := judgeOne(t, nil, alice.sign(t, nil, approve.Namespace), alice.line("alice"), plan.Planner{}); ok || !strings.Contains(reason, "not safe") {
		t.Errorf("%v %s", ok, reason)
	}
}

// The field that PROTOCOL.sshsig reserves is not signed: nothing may stand in it.
func TestReservedField(t *testing.T) {
	data := []byte("plan")
	alice := newPerson(t)
	s, err := sshsig.Unarmor(alice.sign(t, data, approve.Namespace))
	if err != nil {
		t.Fatal(err)
	}
	for reserved, want := range map[string]bool{"": true, "and more": false} {
		wire := ssh.Marshal(struct {
			Magic                                     [6]byte
			Version                                   uint32
			Key, Namespace, Reserved, Hash, Signature string
		}{[6]byte([]byte("SSHSIG")), 1, string(s.PublicKey.Marshal()), s.Namespace, reserved, s.HashAlgorithm.String(), string(ssh.Marshal(s.Signature))})
		text := pem.EncodeToMemory(&pem.Block{Type: sshsig.PEMType, Bytes: wire})
		if ok, reason := judgeOne(t, data, text, alice.line("alice"), plan.Planner{}); ok != want {
			t.Errorf("%q: %v %s", reserved, ok, reason)
		}
	}
}

// The last letter of base64 may have bits that mean nothing; they are none here.
func TestUnusedBits(t *testing.T) {
	data := []byte("plan")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	alice := person{signer.(ssh.AlgorithmSigner)}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for range 1000 { // the length of these signatures varies
		text := alice.sign(t, data, approve.Namespace)
		at := bytes.IndexByte(text, '=') - 1
		if at < 0 {
			continue
		}
		text[at] = letters[strings.IndexByte(letters, text[at])^1]
		if ok, reason := judgeOne(t, data, text, alice.line("alice"), plan.Planner{}); ok || !strings.Contains(reason, "no base64") {
			t.Errorf("%v %s", ok, reason)
		}
		return
	}
	t.Fatal("no signature of 1000 had a length that matters")
}

// securityKey is what a FIDO key in an agent does: see PROTOCOL.u2f of OpenSSH.
type securityKey struct {
	agent.Agent
	private ed25519.PrivateKey
	touched bool
}

const skType, skApplication = "sk-ssh-ed25519@openssh.com", "ssh:"

func (k securityKey) blob() []byte {
	return ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{skType, k.private.Public().(ed25519.PublicKey), skApplication})
}

func (k securityKey) List() ([]*agent.Key, error) {
	return []*agent.Key{{Format: skType, Blob: k.blob(), Comment: "yubi"}}, nil
}

func (k securityKey) Sign(_ ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	application, message, flags := sha256.Sum256([]byte(skApplication)), sha256.Sum256(data), byte(0)
	if k.touched {
		flags = 1
	}
	said := binary.BigEndian.AppendUint32([]byte{flags}, 7)
	signed := append(append(application[:], said...), message[:]...)
	return &ssh.Signature{Format: skType, Blob: ed25519.Sign(k.private, signed), Rest: said}, nil
}

// A signature by a security key counts when somebody touched it; ssh-keygen accepts it, too.
func TestSecurityKey(t *testing.T) {
	needKeygen(t)
	b := newBench(t)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, touched := range []bool{true, false} {
		sk := securityKey{agent.NewKeyring(), private, touched}
		k, err := serve(t, sk).Open("agent:yubi")
		if err != nil {
			t.Fatal(err)
		}
		text, err := approve.Sign(b.data, k, approve.Namespace)
		if err != nil {
			t.Fatal(err)
		}
		line := "alice@corp " + string(ssh.MarshalAuthorizedKey(k.PublicKey()))
		if ok, reason := judgeOne(t, b.data, text, line, b.doc.Planner); ok != touched || !touched && !strings.Contains(reason, "presence") {
			t.Errorf("touched %v: %v %s", touched, ok, reason)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if !touched {
			continue // ssh-keygen -Y verify does not look for that
		}
		b.write("allowed_signers", line)
		signature := b.write("s", string(text))
		if out, err := b.keygen(string(b.data), "-Y", "verify", "-f", "allowed_signers", "-I", "alice@corp", "-n", "dsplay-plan", "-s", signature); err != nil {
			t.Errorf("ssh-keygen: %v %s", err, out)
		}
	}
}
