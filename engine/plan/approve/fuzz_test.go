package approve_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/approve"
)

// A file of allowed signers that is read allows nobody whose key is not in it.
func FuzzSigners(f *testing.F) {
	key := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAo3D7CGN01tTYY/dLKXEv8RxRyxa32c51X0uKMhnMab"
	for _, seed := range []string{
		"", "#", "a@b " + key, `"a@b,c" ` + key, "*,!x " + key + " comment", "a cert-authority " + key,
		`a namespaces="file,git",valid-after="20260101Z",valid-before="202701010000" ` + key,
		`a namespaces="x\"y" ` + key, `a namespaces="`, `a valid-after="x" ` + key, `"`, `""`, "a,,b " + key, "a ssh-rsa AAAA\r\n\r\n", "a b c\n\x00",
	} {
		f.Add(seed)
	}
	stranger := newPerson(f)
	signature := stranger.sign(f, nil, approve.Namespace)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := approve.ParseSigners("F", []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "F:") {
				t.Errorf("no place: %v", err)
			}
			return
		}
		if good, _ := approve.Judge(nil, []approve.Signature{{Text: signature}}, s, plan.Planner{User: "a", Keys: []string{"x"}}, now); len(good) > 0 {
			t.Errorf("%q allows a stranger", text)
		}
	})
}

// Only the signature itself counts, whatever is made of it.
func FuzzSignature(f *testing.F) {
	data := []byte("a plan")
	alice := newPerson(f)
	text := alice.sign(f, data, approve.Namespace)
	allowed, err := approve.ParseSigners("F", []byte(alice.line("alice")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")))
	f.Add(text[:len(text)/2])
	f.Add(alice.sign(f, data, "file"))
	f.Add([]byte("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n"))
	f.Add([]byte("-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADM=\n-----END SSH SIGNATURE-----\n"))
	bare := strings.Join(strings.Fields(string(text)), "")
	f.Fuzz(func(t *testing.T, given []byte) {
		good, _ := approve.Judge(data, []approve.Signature{{Text: given}}, allowed, plan.Planner{}, now)
		if len(good) > 0 && strings.Join(strings.Fields(string(given)), "") != bare {
			t.Errorf("another text counts: %q", given)
		}
	})
}
