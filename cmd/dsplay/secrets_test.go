package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
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
	all.WriteString(e.dsplay("inventory", "explain", "dsva1").String())
	all.WriteString(e.dsplay("inventory", "explain", "vc1").String())
	for name, value := range secrets {
		if i := strings.Index(all.String(), value); i >= 0 {
			text := all.String()
			t.Errorf("the secret %s is shown: …%s…", name, text[max(0, i-80):i])
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
	if received != 6 {
		t.Errorf("the token was handed over %d times by standard input, want 6", received)
	}
}
