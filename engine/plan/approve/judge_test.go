package approve_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"golang.org/x/crypto/ssh"
)

// person is a key that was made here, without ssh-keygen.
type person struct{ ssh.AlgorithmSigner }

func newPerson(t testing.TB) person {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return person{signer.(ssh.AlgorithmSigner)}
}

func (p person) line(before string) string {
	return before + " " + string(ssh.MarshalAuthorizedKey(p.PublicKey()))
}

func (p person) fingerprint() string { return approve.Fingerprint(p.PublicKey()) }

func (p person) sign(t testing.TB, data []byte, namespace string) []byte {
	t.Helper()
	text, err := approve.Sign(data, p, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWhoCounts(t *testing.T) {
	data, _ := planOf(t, "carol")
	other, _ := planOf(t, "dave")
	alice, alice2, bob, carol, eve := newPerson(t), newPerson(t), newPerson(t), newPerson(t), newPerson(t)
	team := alice.line("alice@corp") + bob.line("bob@corp") + carol.line("carol@corp")
	for name, c := range map[string]struct {
		allowed string
		signed  map[string][]byte
		planner plan.Planner
		count   int
		reason  string // of one that does not count
	}{
		"two people":           {allowed: team, signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan"), "2": bob.sign(t, data, "dsplay-plan")}, count: 2},
		"another plan":         {allowed: team, signed: map[string][]byte{"1": alice.sign(t, other, "dsplay-plan")}, reason: "not of this file"},
		"for a file":           {allowed: team, signed: map[string][]byte{"1": alice.sign(t, data, "file")}, reason: `signed for "file"`},
		"a rejection":          {allowed: team, signed: map[string][]byte{"1": alice.sign(t, data, approve.RejectNamespace)}, reason: "signed for"},
		"nobody we know":       {allowed: team, signed: map[string][]byte{"1": eve.sign(t, data, "dsplay-plan")}, reason: "no line of FILE has this key"},
		"expired":              {allowed: alice.line(`alice@corp valid-before="20261122Z"`), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan")}, reason: "was valid until 2026-11-22T00:00:00Z (FILE:1)"},
		"two lines, one valid": {allowed: alice.line(`alice@corp valid-before="20261122Z"`) + alice.line("alice@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan")}, count: 1},
		"whoever":              {allowed: alice.line("*@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan")}, reason: "names nobody"},

		"planner by key":         {allowed: team, signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "ops", Keys: []string{eve.fingerprint(), alice.fingerprint()}}, reason: "has this key"},
		"planner by name":        {allowed: team, signed: map[string][]byte{"1": carol.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "carol", Host: "ops1"}, reason: "this is carol@ops1, who made the plan"},
		"planner in capitals":    {allowed: team, signed: map[string][]byte{"1": carol.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "Carol"}, reason: "who made the plan"},
		"planner of a domain":    {allowed: team, signed: map[string][]byte{"1": carol.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: `CORP\carol`}, reason: "who made the plan"},
		"planner by whole name":  {allowed: carol.line("carol"), signed: map[string][]byte{"1": carol.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "carol"}, reason: "who made the plan"},
		"planner's other key":    {allowed: alice.line("alice@corp") + alice2.line("alice@corp"), signed: map[string][]byte{"1": alice2.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "ops", Keys: []string{alice.fingerprint()}}, reason: "share a key or a name"},
		"planner's second name":  {allowed: carol.line("carol@corp,boss@corp") + bob.line("boss@corp"), signed: map[string][]byte{"1": bob.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "carol"}, reason: "share a key or a name"},
		"planner's expired line": {allowed: alice.line(`ops@corp valid-before="20200101"`) + alice.line("alice@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "ops"}, reason: "who made the plan"},
		"root made it":           {allowed: alice.line("root@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "root"}, count: 1},
		"root's own key":         {allowed: alice.line("alice@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "root", Keys: []string{alice.fingerprint()}}, reason: "has this key"},
		"nearly the planner":     {allowed: alice.line("carolyn@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan")}, planner: plan.Planner{User: "carol"}, count: 1},

		"the same signature twice": {allowed: team, signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan"), "2": alice.sign(t, data, "dsplay-plan")}, count: 1, reason: "same person as alice@corp (1)"},
		"two keys, one name":       {allowed: alice.line("alice@corp") + alice2.line("Alice@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan"), "2": alice2.sign(t, data, "dsplay-plan")}, count: 1, reason: "same person"},
		"one key, two names":       {allowed: alice.line("alice@corp") + alice.line("bob@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan"), "2": alice.sign(t, data, "dsplay-plan")}, count: 1, reason: "same person"},
		"by way of a third":        {allowed: alice.line("alice@corp,team@corp") + bob.line("bob@corp,team@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan"), "2": bob.sign(t, data, "dsplay-plan")}, count: 1, reason: "same person"},

		"patterns join nobody": {allowed: team + alice.line("*@lab") + bob.line("*@lab"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan"), "2": bob.sign(t, data, "dsplay-plan")}, count: 2},
		"nor what is excluded": {allowed: alice.line("alice@corp,!eve@corp") + bob.line("bob@corp,!eve@corp"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan"), "2": bob.sign(t, data, "dsplay-plan")}, count: 2},
		"nor an authority":     {allowed: team + eve.line("alice@corp,bob@corp cert-authority"), signed: map[string][]byte{"1": alice.sign(t, data, "dsplay-plan"), "2": bob.sign(t, data, "dsplay-plan")}, count: 2},

		"not a signature": {allowed: team, signed: map[string][]byte{"1": []byte("approved, alice")}, reason: "no SSH signature"},
		"empty":           {allowed: team, signed: map[string][]byte{"1": nil}, reason: "no SSH signature"},
		"none":            {allowed: team},
	} {
		t.Run(name, func(t *testing.T) {
			allowed, err := approve.ParseSigners("FILE", []byte(c.allowed))
			if err != nil {
				t.Fatal(err)
			}
			var signatures []approve.Signature
			for _, file := range []string{"1", "2"} {
				if text, ok := c.signed[file]; ok {
					signatures = append(signatures, approve.Signature{File: file, Text: text})
				}
			}
			good, bad := approve.Judge(data, signatures, allowed, c.planner, now)
			if len(good) != c.count || len(good)+len(bad) != len(signatures) {
				t.Errorf("%d count, want %d: %+v, refused %v", len(good), c.count, good, bad)
			}
			if (len(bad) > 0) != (c.reason != "") || len(bad) > 0 && !strings.Contains(bad[0].Reason, c.reason) {
				t.Errorf("refused %v, want %q", bad, c.reason)
			}
		})
	}
}

// No byte of a signature can be changed, left out or added, and no byte of the plan, and the signature still counts.
func TestEveryByteCounts(t *testing.T) {
	data, doc := planOf(t, "carol")
	alice := newPerson(t)
	allowed, err := approve.ParseSigners("FILE", []byte(alice.line("alice@corp")))
	if err != nil {
		t.Fatal(err)
	}
	counts := func(data, text []byte) bool {
		good, _ := approve.Judge(data, []approve.Signature{{File: "f", Text: text}}, allowed, doc.Planner, now)
		return len(good) > 0
	}
	text := alice.sign(t, data, approve.Namespace)
	if !counts(data, text) {
		t.Fatal("the signature does not count as it is")
	}
	for i := range text {
		for _, mask := range []byte{0x01, 0x20} {
			flipped := append([]byte{}, text...)
			flipped[i] ^= mask
			if counts(data, flipped) && i < len(text)-1 { // what ends the last line does not matter
				t.Errorf("byte %d of the signature, %q for %q", i, flipped[i], text[i])
			}
		}
		if counts(data, text[:i]) && i < len(text)-1 {
			t.Errorf("cut after %d bytes", i)
		}
		if counts(data, append(append(append([]byte{}, text[:i]...), 'A'), text[i:]...)) {
			t.Errorf("an A more at %d", i)
		}
	}
	for i := range data {
		flipped := append([]byte{}, data...)
		flipped[i] ^= 1
		if counts(flipped, text) {
			t.Errorf("byte %d of the plan", i)
		}
	}
	if !counts(data, []byte(strings.ReplaceAll(string(text), "\n", "\r\n"))) {
		t.Error("a mail program that ends lines with CR LF breaks it")
	}
	if counts(data, append([]byte("hello\n"), text...)) || counts(data, append(text, text...)) {
		t.Error("text around the signature")
	}
}

// Check gives what apply needs: a report, and one sentence when the plan must not be applied.
func TestCheck(t *testing.T) {
	alice, bob, carol := newPerson(t), newPerson(t), newPerson(t)
	b := newBench(t)
	allowed := b.write("allowed_signers", alice.line("alice@corp")+bob.line("bob@corp")+carol.line("carol@corp"))
	b.write("plan.json.alice.sig", string(alice.sign(t, b.data, approve.Namespace)))
	b.write("plan.json.sig", string(carol.sign(t, b.data, approve.Namespace)))
	b.write("plan.json2.sig", string(bob.sign(t, b.data, approve.Namespace)))         // of a file of another name
	b.write("plan.json.rejected.sig", string(bob.sign(t, b.data, approve.Namespace))) // never an approval
	b.write("plan.json.\x1b[2J.sig", "")
	options := func(n int) approve.Options {
		return approve.Options{AllowedSigners: allowed, Require: n, Now: now}
	}

	r, err := approve.Check(b.plan, b.data, b.doc, options(1))
	if err != nil || len(r.Approvals) != 1 || len(r.Refused) != 2 || r.Rejection != nil {
		t.Fatalf("%v %+v", err, r)
	}
	_, err = approve.Check(b.plan, b.data, b.doc, options(2))
	var refused *approve.Refused
	if !errors.As(err, &refused) || len(refused.Report.Approvals) != 1 {
		t.Fatal(err)
	}
	for _, want := range []string{"1 of 2 approvals: alice@corp (" + alice.fingerprint() + ")", "; that of carol@corp", "does not count: this is carol@ops1, who made the plan", "·[2J.sig"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if _, err = approve.Check(b.plan, b.data, b.doc, approve.Options{Require: 1, Now: now}); err == nil || errors.As(err, &refused) || !strings.Contains(err.Error(), "--allowed-signers") {
		t.Errorf("nobody said whose count: %v", err)
	}
	if r, err = approve.Check(b.plan, b.data, b.doc, approve.Options{Now: now}); err != nil || len(r.Approvals) != 0 {
		t.Errorf("nothing is required: %v %+v", err, r)
	}
	b.write("broken", "alice@corp ssh-ed25519\n\nbob@corp no-such-option ssh-ed25519 AAAA\n")
	_, err = approve.Check(b.plan, b.data, b.doc, approve.Options{AllowedSigners: filepath.Join(b.dir, "broken"), Now: now})
	if err == nil || !strings.Contains(err.Error(), "broken:1: ") || !strings.Contains(err.Error(), "broken:3: ") {
		t.Errorf("mistakes in the allowed signers: %v", err)
	}
	_, err = approve.Check(b.plan, b.data, b.doc, approve.Options{AllowedSigners: b.dir, Now: now})
	if err == nil || errors.As(err, &refused) {
		t.Errorf("allowed signers that are a folder: %v", err)
	}
	for i := range 9 {
		b.write(fmt.Sprintf("plan.json.%d.sig", i), "no")
	}
	if _, err = approve.Check(b.plan, b.data, b.doc, options(2)); err == nil || len(err.Error()) > 1500 || !strings.Contains(err.Error(), "and 7 more") {
		t.Errorf("the sentence is as long as there are files: %v", err)
	}
}

func TestWriteChangesNothing(t *testing.T) {
	b := newBench(t)
	there, link := b.write("there", "old"), filepath.Join(b.dir, "link")
	if err := os.Symlink(there, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{there, link, b.dir} {
		if err := approve.Write(path, []byte("new")); !errors.Is(err, os.ErrExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	path := filepath.Join(b.dir, "new")
	if err := approve.Write(path, []byte("new")); err != nil || b.read(there) != "old" {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}
