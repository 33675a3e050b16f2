package approve_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"golang.org/x/crypto/ssh"
)

// bench is a folder with the file of a plan, and what stands beside it.
type bench struct {
	*testing.T
	dir, plan string
	data      []byte
	doc       *plan.Document
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, dir: t.TempDir()}
	b.data, b.doc = planOf(t, "carol")
	b.plan = b.write("plan.json", string(b.data))
	return b
}

// planOf is the file of a small plan, made by somebody whose name is in it.
func planOf(t *testing.T, user string) ([]byte, *plan.Document) {
	t.Helper()
	d := &plan.Document{Format: plan.Format, Made: now, Until: now.Add(24 * time.Hour), Planner: plan.Planner{User: user, Host: "ops1"}}
	data, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if d, err = plan.Read(data); err != nil {
		t.Fatal(err)
	}
	return data, d
}

var now = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func (b *bench) write(name, text string) string {
	b.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func (b *bench) read(path string) string {
	b.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// keygen runs the real ssh-keygen and gives what it said.
func (b *bench) keygen(stdin string, args ...string) (string, error) {
	b.Helper()
	c := exec.CommandContext(b.Context(), "ssh-keygen", args...)
	c.Dir, c.Stdin = b.dir, strings.NewReader(stdin)
	c.Env = append(os.Environ(), "SSH_AUTH_SOCK=", "TZ="+os.Getenv("TZ"))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

func (b *bench) must(args ...string) {
	b.Helper()
	if out, err := b.keygen("", args...); err != nil {
		b.Fatalf("ssh-keygen %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// key makes a key pair and gives the line "type base64" of its public half.
func (b *bench) key(name string, args ...string) string {
	b.Helper()
	b.must(append([]string{"-q", "-N", "", "-C", name + "@laptop", "-f", name}, args...)...)
	return b.public(name)
}

func (b *bench) public(name string) string {
	fields := strings.Fields(b.read(filepath.Join(b.dir, name+".pub")))
	return fields[0] + " " + fields[1]
}

// sign signs the plan with a key file by our own code, and gives the path of the signature.
func (b *bench) sign(key string) string {
	b.Helper()
	return b.signFor(key, b.data, approve.Namespace, b.plan+"."+filepath.Base(key)+".sig")
}

func (b *bench) signFor(key string, data []byte, namespace, to string) string {
	b.Helper()
	k, err := approve.Keys{}.Open(filepath.Join(b.dir, key))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := k.Close(); err != nil {
			b.Error(err)
		}
	}()
	text, err := approve.Sign(data, k, namespace)
	if err != nil {
		b.Fatal(err)
	}
	if err := approve.Write(to, text); err != nil {
		b.Fatal(err)
	}
	return to
}

// judge judges the signatures beside the plan by the text of a file of allowed signers.
func (b *bench) judge(allowed string) ([]approve.Approval, []approve.Refusal) {
	b.Helper()
	s, err := approve.ParseSigners("allowed_signers", []byte(allowed))
	if err != nil {
		b.Fatal(err)
	}
	signatures, err := approve.Signatures(b.plan)
	if err != nil {
		b.Fatal(err)
	}
	return approve.Judge(b.data, signatures, s, b.doc.Planner, now)
}

func needKeygen(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("ssh-keygen is not on this machine (package openssh-client), and CI must not pass over these tests")
	}
	t.Skip("ssh-keygen is not on this machine (package openssh-client)")
}

var kinds = map[string][]string{
	"ed25519": {"-t", "ed25519"},
	"rsa":     {"-t", "rsa", "-b", "2048"},
	"ecdsa":   {"-t", "ecdsa", "-b", "384"},
}

func TestKeygenAcceptsOurs(t *testing.T) {
	needKeygen(t)
	for kind, args := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.write("allowed_signers", "alice@corp "+b.key("alice", args...)+"\n")
			signature := b.sign("alice")
			verify := []string{"-Y", "verify", "-f", "allowed_signers", "-I", "alice@corp", "-n", "dsplay-plan", "-s", signature}
			if out, err := b.keygen(string(b.data), verify...); err != nil {
				t.Errorf("ssh-keygen refuses our signature: %v\n%s\n%s", err, out, b.read(signature))
			}
			if out, err := b.keygen(string(b.data)+" ", verify...); err == nil {
				t.Errorf("ssh-keygen accepts our signature for another file: %s", out)
			}
		})
	}
}

func TestWeAcceptKeygens(t *testing.T) {
	needKeygen(t)
	for kind, args := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			allowed := "alice@corp " + b.key("alice", args...)
			b.must("-q", "-Y", "sign", "-f", "alice", "-n", "dsplay-plan", b.plan)
			good, bad := b.judge(allowed)
			if len(good) != 1 || len(bad) != 0 || good[0].Principal != "alice@corp" || good[0].File != b.plan+".sig" {
				t.Fatalf("approvals %+v, refused %+v", good, bad)
			}
			out, err := b.keygen("", "-l", "-f", "alice.pub")
			if err != nil || !strings.Contains(out, good[0].Key) {
				t.Errorf("ssh-keygen -l says %q, we %q (%v)", out, good[0].Key, err)
			}
			if good[0].At.IsZero() || time.Since(good[0].At) > time.Hour {
				t.Errorf("made at %v", good[0].At)
			}
		})
	}
}

// A certificate is judged as ssh-keygen judges it: by its authority's line, its names, its time.
func TestCertificates(t *testing.T) {
	needKeygen(t)
	for name, c := range map[string]struct {
		certify   []string
		authority string // what stands before the key of the authority
		person    string // "": refused
		reason    string
	}{
		"named":         {[]string{"-n", "alice@corp"}, "*@corp cert-authority", "alice@corp", ""},
		"two names":     {[]string{"-n", "alice@corp,alice@lab"}, "*@corp,*@lab cert-authority", "alice@corp,alice@lab", ""},
		"other domain":  {[]string{"-n", "alice@lab"}, "*@corp cert-authority", "", "may certify"},
		"excluded":      {[]string{"-n", "alice@corp"}, "*@corp,!alice@corp cert-authority", "", "may certify"},
		"nobody":        {nil, "*@corp cert-authority", "", "may certify"},
		"no authority":  {[]string{"-n", "alice@corp"}, "*@corp", "", "no line"},
		"expired":       {[]string{"-n", "alice@corp", "-V", "20200101:20200201"}, "*@corp cert-authority", "", "expired"},
		"host":          {[]string{"-h", "-n", "alice@corp"}, "*@corp cert-authority", "", "of a host"},
		"limited":       {[]string{"-n", "alice@corp", "-O", "force-command=true"}, "*@corp cert-authority", "", "force-command"},
		"the planner":   {[]string{"-n", "carol@corp"}, "*@corp cert-authority", "", "who made the plan"},
		"for git":       {[]string{"-n", "alice@corp"}, `*@corp cert-authority,namespaces="git"`, "", "namespaces"},
		"no longer":     {[]string{"-n", "alice@corp"}, `*@corp cert-authority,valid-before="20260101"`, "", "valid until"},
		"not yet there": {[]string{"-n", "alice@corp"}, `*@corp cert-authority,valid-after="20270101"`, "", "not valid before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			ca := b.key("ca", "-t", "ed25519")
			b.key("alice", map[bool][]string{true: kinds["rsa"], false: kinds["ed25519"]}[name == "named"]...)
			b.must(append([]string{"-q", "-s", "ca", "-I", "id"}, append(c.certify, "alice.pub")...)...)
			allowed := c.authority + " " + ca
			signature := b.sign("alice-cert.pub")
			good, bad := b.judge(allowed)
			switch {
			case c.person != "" && (len(good) != 1 || good[0].Principal != c.person):
				t.Errorf("approvals %+v, refused %+v", good, bad)
			case c.person == "" && (len(good) != 0 || len(bad) != 1 || !strings.Contains(bad[0].Reason, c.reason)):
				t.Errorf("approvals %+v, refused %+v; want %q", good, bad, c.reason)
			}
			b.write("allowed_signers", allowed+"\n")
			out, err := b.keygen(string(b.data), "-Y", "verify", "-f", "allowed_signers", "-I", "alice@corp", "-n", "dsplay-plan",
				"-s", signature, "-O", "verify-time=20261123030000Z")
			stricter := name == "limited" // forced commands are for logins; we take no certificate that limits what it is for
			if (err == nil) != (c.person != "") && !stricter {
				t.Errorf("ssh-keygen says: %v %s", err, out)
			}
		})
	}
}

// What we say of a line of the allowed signers is what ssh-keygen says of it.
func TestSignersAsKeygen(t *testing.T) {
	needKeygen(t)
	b := newBench(t)
	key, other := b.key("alice", "-t", "ed25519"), b.key("bob", "-t", "ed25519")
	signature := b.sign("alice")
	for _, c := range []struct {
		line string
		ok   bool
	}{
		{"alice@corp KEY", true},
		{"alice@corp KEY a comment", true},
		{"\talice@corp\t KEY", true},
		{`"alice@corp" KEY`, true},
		{`"alice@corp,x y" KEY`, true},
		{"bob@corp,alice@corp KEY", true},
		{"alice@corp,bob@corp namespaces=\"dsplay-plan\" KEY", true},
		{`alice@corp NAMESPACES="file,dsplay-*" KEY`, true},
		{`alice@corp namespaces="dsplay-*,!dsplay-plan" KEY`, false},
		{`alice@corp namespaces="file" KEY`, false},
		{`alice@corp namespaces="" KEY`, false},
		{`alice@corp namespaces=dsplay-plan KEY`, false},
		{`alice@corp namespaces="dsplay-plan",namespaces="x" KEY`, false},
		{`alice@corp valid-after="20261122" KEY`, true},
		{`alice@corp valid-after="` + now.Local().Format("20060102150405") + `" KEY`, true},
		{`alice@corp valid-after="` + now.Local().Add(time.Second).Format("20060102150405") + `" KEY`, false},
		{`alice@corp valid-before="` + now.Local().Format("20060102150405") + `" KEY`, true},
		{`alice@corp valid-before="` + now.Local().Add(-time.Second).Format("20060102150405") + `" KEY`, false},
		{`alice@corp valid-after="20261123030000Z" KEY`, true},
		{`alice@corp valid-after="20261123030001Z" KEY`, false},
		{`alice@corp valid-after="202611230300z" KEY`, true},
		{`alice@corp valid-after="202611230301UTC" KEY`, false},
		{`alice@corp valid-before="20261123030000Z" KEY`, true},
		{`alice@corp valid-before="20261123025959Z" KEY`, false},
		{`alice@corp valid-before="202611230259Z" KEY`, false},
		{`alice@corp valid-before="20261123Z" KEY`, false},
		{`alice@corp valid-before="20261124Z" KEY`, true},
		{`alice@corp valid-after="20260101",valid-before="20270101" KEY`, true},
		{`alice@corp valid-after="20270101",valid-before="20260101" KEY`, false},
		{`alice@corp valid-after="20260101",valid-after="20260101" KEY`, false},
		{`alice@corp valid-after="2026-01-01" KEY`, false},
		{`alice@corp valid-after="20260101UTCZ" KEY`, false},
		{`alice@corp valid-after="" KEY`, false},
		{`alice@corp valid-after="19700101Z" KEY`, false},
		{`alice@corp valid-after=20260101 KEY`, false},
		{`alice@corp cert-authority KEY`, false},
		{`alice@corp no-touch-required KEY`, false},
		{`alice@corp namespaces="dsplay-plan",KEY`, false},
		{`alice@corp namespaces="dsplay-plan KEY`, false},
		{`alice@corp namespaces="dsplay-plan", KEY`, false},
		{`alice@corp namespaces="dsplay-plan"x KEY`, false},
		{`alice@corp namespaces="dsplay-plan"namespaces="x" KEY`, false},
		{"alice@corp,!alice@corp KEY", false},
		{"bob@corp KEY", false},
		{"alice@corp OTHER", false},
		{"# alice@corp KEY", false},
		{"alice@corp", false},
		{"KEY", false},
		{"alice@corp ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", false},
		{"alice@corp ssh-rsa" + strings.TrimPrefix(key, "ssh-ed25519"), false},
		{"", false},
	} {
		line := strings.NewReplacer("KEY", key, "OTHER", other).Replace(c.line)
		s, err := approve.ParseSigners("allowed_signers", []byte(line+"\n"))
		ok := false
		if err == nil {
			good, _ := approve.Judge(b.data, []approve.Signature{{File: signature, Text: []byte(b.read(signature))}}, s, plan.Planner{}, now)
			ok = len(good) == 1 && strings.Contains(good[0].Principal, "alice@corp")
		}
		if ok != c.ok {
			t.Errorf("%s: accepted: %v (%v)", c.line, ok, err)
		}
		b.write("allowed_signers", line+"\n")
		out, err := b.keygen(string(b.data), "-Y", "verify", "-f", "allowed_signers", "-I", "alice@corp", "-n", "dsplay-plan",
			"-s", signature, "-O", "verify-time=20261123030000Z")
		if (err == nil) != c.ok {
			t.Errorf("%s: ssh-keygen says: %v %s", c.line, err, out)
		}
	}
}

func TestPassphrase(t *testing.T) {
	needKeygen(t)
	b := newBench(t)
	b.must("-q", "-t", "ed25519", "-a", "1", "-N", "correct horse", "-f", "alice")
	path := filepath.Join(b.dir, "alice")
	asked := 0
	answers := func(all ...string) approve.Keys {
		asked = 0
		return approve.Keys{Ask: func(question string) ([]byte, error) {
			if !strings.Contains(question, path) {
				t.Errorf("asked %q", question)
			}
			asked++
			return []byte(all[min(asked, len(all))-1]), nil
		}}
	}
	k, err := answers("wrong", "correct horse").Open(path)
	if err != nil || asked != 2 {
		t.Fatalf("%v after %d questions", err, asked)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(b.read(path + ".pub")))
	if err != nil || approve.Fingerprint(k.PublicKey()) != approve.Fingerprint(public) {
		t.Errorf("another key: %v", err)
	}
	if _, err := answers("wrong").Open(path); err == nil || asked != 3 || strings.Contains(err.Error(), "horse") {
		t.Errorf("%v after %d questions", err, asked)
	}
	if _, err := (approve.Keys{}).Open(path); err == nil || !strings.Contains(err.Error(), "ssh-add") {
		t.Errorf("without anybody to ask: %v", err)
	}
}

func TestKeyFiles(t *testing.T) {
	needKeygen(t)
	b := newBench(t)
	b.key("alice", "-t", "ed25519")
	b.key("bob", "-t", "ed25519")
	path := filepath.Join(b.dir, "alice")
	k, err := approve.Keys{}.Open(path + ".pub") // its private half is beside it
	if err != nil || approve.FileOf("p", k.PublicKey()) == "p.sig" {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"none":      "read the key",
		".":         "is not a file",
		"plan.json": "the key",
		"open":      "chmod 600",
		"bob2.pub":  "not of one key",
		"lone.pub":  "there is no agent",
	} {
		switch name {
		case "open":
			if err := os.Chmod(b.write(name, b.read(path)), 0o644); err != nil {
				t.Fatal(err)
			}
		case "bob2.pub":
			b.write("bob2", b.read(path))
			b.write(name, b.read(filepath.Join(b.dir, "bob.pub")))
		case "lone.pub":
			b.write(name, b.read(path+".pub"))
		}
		if _, err := (approve.Keys{}).Open(filepath.Join(b.dir, name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
