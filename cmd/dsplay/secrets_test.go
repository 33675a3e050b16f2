package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/plan/show"
)

const tokenBook = `
play "hand_over" {
  hosts = ["dsva1"]
  step "command" "token" {
    argv  = ["/bin/cat"]
    stdin = secret("env:DSPLAY_TEST_TOKEN")
  }
  step "command" "as_root" {
    argv  = ["/bin/cat"]
    stdin = secret("env:DSPLAY_TEST_TOKEN")
    sudo {}
  }
}
`

// Secrets are used as SSH, sudo, WinRM and API passwords and handed to a command by standard input; they are in
// nothing that the run wrote, and in no command line that a system received.
func TestSecretsAreNowhere(t *testing.T) {
	const token = "t0ken+of/the=test"
	t.Setenv("DSPLAY_TEST_TOKEN", token)
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	e := newSerialEstate(t, lab.Options{})
	book := filepath.Join(t.TempDir(), "token.hcl")
	if err := os.WriteFile(book, []byte(tokenBook), 0o600); err != nil {
		t.Fatal(err)
	}
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "driver-stopped", Target: "guest1-2"}, lab.Fault{Name: "wrong-password", Target: "guest3-3"}, lab.Fault{Name: "tools-broken", Target: "guest3-3"})
	secrets := map[string]string{"env": token}
	files, err := filepath.Glob(filepath.Join(e.Dir(), "secrets", "*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("the lab has secrets in %v (%v)", files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		secrets[filepath.Base(f)] = strings.TrimSpace(string(data))
	}
	var all strings.Builder
	for _, flags := range [][]string{{"--check", "-vv"}, {"-vv"}, {"--json", "-vv"}, nil} {
		all.WriteString(e.heal(flags...).String())
		o := e.dsplay(append([]string{"run", book, "--yes"}, flags...)...)
		if want := map[bool]int{true: exitChanges, false: exitOK}[len(flags) > 0 && flags[0] == "--check"]; o.code != want {
			t.Errorf("%s: exit %d\n%s", flags, o.code, o)
		}
		all.WriteString(o.String())
	}
	said := bookOf(t, "said.txt", strings.Join(forms(token), "\n")+"\n")
	all.WriteString(e.kept(book, exitOK))
	all.WriteString(e.kept(bookOf(t, "sensitive.hcl", sensitiveBook), exitOK, "--var", "token="+token))
	all.WriteString(e.kept(bookOf(t, "said.hcl", fmt.Sprintf(saidBook, said)), exitFailed))
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"}, lab.Fault{Name: "driver-stopped", Target: "guest1-2"})
	all.WriteString(e.kept("playbooks/engine-offline.hcl", exitOK, "--var", "poll=100ms", "--var", "patience=8s", "--limit", "esx2,guest1-2"))
	all.WriteString(journals(t, state))
	all.WriteString(e.dsplay("inventory", "explain", "dsva1").String())
	all.WriteString(e.dsplay("inventory", "explain", "vc1").String())
	for name, value := range secrets {
		for _, form := range forms(value) {
			if i := strings.Index(all.String(), form); i >= 0 {
				text := all.String()
				t.Errorf("the secret %s is shown: …%s…", name, text[max(0, i-80):i])
			}
		}
	}
	if !strings.Contains(all.String(), "«secret: env:DSPLAY_TEST_TOKEN»") {
		t.Error("the secret is not named where it stands")
	}
	received := 0
	for _, r := range e.Received() {
		if strings.Contains(r.Text, token) || strings.Contains(r.Text, "«secret»") {
			t.Errorf("a secret stands in a command line of %s: %s", r.Host, r.Text)
		}
		if strings.Contains(r.Stdin, token) {
			received++
		}
	}
	if received != 9 {
		t.Errorf("the token was handed over %d times by standard input, want 9", received)
	}
}

// saidBook has hosts say the token, in clear and encoded, in a result, in a reason and in an error.
const saidBook = `
play "said" {
  hosts = ["localhost"]
  probe "shell" "said" {
    text = "cat %[1]s"
  }
  step "shell" "act" {
    when  = probe.said.stdout != ""
    text  = "cat; cat %[1]s; cat %[1]s >&2; exit 3"
    stdin = secret("env:DSPLAY_TEST_TOKEN")
  }
}
`

// kept is everything that a plan leaves of itself: what is said while it is made, shown and applied, and its file.
func (e *estate) kept(book string, ends int, flags ...string) string {
	e.t.Helper()
	p := e.planOf(book, exitOK, append([]string{"-vv"}, flags...)...)
	data, err := os.ReadFile(p.path)
	if err != nil {
		e.t.Fatal(err)
	}
	all := p.String() + string(data)
	for _, format := range show.Formats {
		o := process(e.t, "show", p.path, "--format", format)
		e.ended(o, exitOK)
		all += o.String()
	}
	secret := slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == "--var" || !strings.HasPrefix(f, "token=") })
	for _, v := range secret {
		e.ended(e.apply(p), exitUsage)
		secret = []string{"--var", v}
	}
	o := e.apply(p, append([]string{"--json", "-vv"}, secret...)...)
	e.ended(o, ends)
	return all + o.String()
}

// journals are the records of all runs in a state folder.
func journals(t *testing.T, state string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(state, "dsplay", "runs", "*", "events.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no journals in %s (%v)", state, err)
	}
	var all strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

// forms are a value as it may stand in a text: in clear, as JSON and URLs have it, hexadecimal, in base64 (what does not depend on
// its neighbours), and in base64 of UTF-16, as PowerShell takes commands.
func forms(value string) []string {
	quoted, _ := json.Marshal(value) // a string always marshals
	var wide []byte
	for _, u := range utf16.Encode([]rune(value)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	out := []string{value, string(quoted[1 : len(quoted)-1]), url.QueryEscape(value), url.PathEscape(value), hex.EncodeToString([]byte(value))}
	for _, raw := range [][]byte{[]byte(value), wide} {
		own := len(raw) * 8 / 6
		out = append(out, base64.RawStdEncoding.EncodeToString(raw)[:own], base64.RawURLEncoding.EncodeToString(raw)[:own])
	}
	return out
}
