package guest_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/guestops/localguest"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

// standIn is sudo 1.9 as far as -k -S -p -u and -- go: it asks on stderr, reads a line of its input up to three times, and
// runs the rest with what follows of that input. It notes every try.
const standIn = `#!/bin/sh
while :; do case $1 in -k|-S|-n) shift;; -p) prompt=$2; shift 2;; -u) SUDO_FOR=$2; shift 2;; --) shift; break;; *) exit 9;; esac; done
for try in 1 2 3; do
	printf %%s "$prompt" >&2
	IFS= read -r word || { echo 'sudo: no password was provided' >&2; exit 1; }
	echo "$word" >>%[1]s/tries
	[ "$word" = 'pa$$ "word"' ] && { export SUDO_FOR; exec "$@"; }
	echo 'Sorry, try again.' >&2
done
echo 'sudo: 3 incorrect password attempts' >&2
exit 1
`

// sudoGuest is a Linux whose PATH begins with the stand-in.
func sudoGuest(t *testing.T, password string) (h *machine.Host, system *localguest.System, tries func() string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sudo"), fmt.Appendf(nil, standIn, engine.QuoteSh(dir)), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	system = &localguest.System{Dir: t.TempDir()}
	e := newEstate(t, system, "rhel8_64Guest", nil)
	h = e.machineOf(t, machine.Options{Sudo: &engine.Sudo{User: "oracle", Password: engine.Plain(password)}, Ran: func(line string) {
		if strings.Contains(line, "word") && !strings.Contains(line, "dsplay-sudo-password") {
			t.Errorf("the password is on the line %q", line)
		}
	}})
	return h, system, func() string {
		text, err := os.ReadFile(filepath.Join(dir, "tries"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		_ = os.Remove(filepath.Join(dir, "tries"))
		return string(text)
	}
}

// sudo asks, gets the password once, and the command gets its own input after it: all through files of the guest.
func TestSudo(t *testing.T) {
	h, system, tries := sudoGuest(t, `pa$$ "word"`)
	for name, test := range map[string]struct {
		c    engine.Command
		want string
	}{
		"no input":  {engine.Command{Shell: `echo "I am $SUDO_FOR"`}, "I am oracle\n"},
		"own input": {engine.Command{Argv: []string{"cat"}, Stdin: engine.Plain("own\ninput")}, "own\ninput"},
		"more":      {engine.Command{Argv: []string{"wc", "-c"}, Stdin: engine.Plain(strings.Repeat("x", 3<<20))}, "3145728\n"},
	} {
		out, err := h.Run(t.Context(), test.c)
		if err != nil || strings.TrimLeft(out.Stdout, " ") != test.want || out.Stderr != "" {
			t.Errorf("%s: %q, %q, %v", name, out.Stdout, out.Stderr, err)
		}
		if got := tries(); got != "pa$$ \"word\"\n" {
			t.Errorf("%s: sudo has read %q", name, got)
		}
	}
	_ = filepath.WalkDir(system.Dir, func(path string, d os.DirEntry, _ error) error { // what the connection still has there
		if text, _ := os.ReadFile(path); !d.IsDir() && bytes.Contains(text, []byte("pa$$")) {
			t.Errorf("the password is in %s", path)
		}
		return nil
	})
}

// A wrong password is an error at once, and sent once.
func TestSudoRefusesThePassword(t *testing.T) {
	h, _, tries := sudoGuest(t, "another word")
	_, err := h.Run(t.Context(), engine.Command{Argv: []string{"cat"}, Stdin: engine.Plain("own"), AnyOK: true})
	if engine.KindOf(err) != engine.KindAuth || engine.IsUnreachable(err) || strings.Contains(err.Error(), "another word") {
		t.Errorf("%v", err)
	}
	if got := tries(); got != "another word\n" {
		t.Errorf("sudo has read %q", got)
	}
}

// A file that another user writes goes through his command, not beside it.
func TestCopyBySudo(t *testing.T) {
	h, _, _ := sudoGuest(t, `pa$$ "word"`)
	_, data, content := transporttest.RandomFile(t, 3<<20)
	u := engine.Upload{Path: filepath.Join(t.TempDir(), "x"), Content: content, Mode: "0644"}
	lines, err := put(t.Context(), h, u)
	if err != nil || strings.Contains(strings.Join(lines, "\n"), "guest operations:") {
		t.Fatalf("%q, %v", lines, err)
	}
	if there, err := os.ReadFile(u.Path); err != nil || !bytes.Equal(there, data) {
		t.Errorf("%d bytes arrived, %v", len(there), err)
	}
	var back bytes.Buffer
	if _, err := h.Get(t.Context(), u.Path, &back); err != nil || !bytes.Equal(back.Bytes(), data) {
		t.Errorf("%d bytes came back, %v", back.Len(), err)
	}
}

// Scripts of every length arrive: in the line as long as guest operations take it, which is less than cmd.exe does, and
// else as the input.
func TestPowerShell(t *testing.T) {
	_, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	var inLine, byInput int
	h := e.machineOf(t, machine.Options{Ran: func(line string) {
		if len(line) > 3000 {
			inLine++
		} else {
			byInput++
		}
	}})
	for _, n := range []int{900, 1500, 1900, 2000, 2050, 2100, 2150, 2200, 2250, 2300, 2350, 2400, 2500, 2600, 2700, 2800, 3000, 5000, 300_000} {
		c := engine.Command{PowerShell: "# " + strings.Repeat("x", n) + "\n'done ü日'", Dir: `C:\Program Files`, Env: map[string]string{"A": `100% & "more" ^|`}}
		if out, err := h.Run(t.Context(), c); err != nil || out.Stdout != "done ü日\r\n" {
			t.Errorf("%d: %q, %v", n, out.Stdout, err)
		}
	}
	if inLine < 3 || byInput < 3 {
		t.Errorf("%d scripts in the line, %d by the input", inLine, byInput)
	}
	out, err := h.Run(t.Context(), engine.Command{PowerShell: "param($Name)\n$name;$input;\"$env:A\";exit 300", OK: []int{300}, Stdin: engine.Plain("in put"),
		Params: map[string]engine.Secret{"Name": engine.Plain(`é "1" & 'x'`)}, Env: map[string]string{"A": "1 & 2"}})
	if err != nil || out.Code != 300 || out.Stdout != "é \"1\" & 'x'\r\nin put\r\n1 & 2\r\n" {
		t.Errorf("%d, %q, %v", out.Code, out.Stdout, err)
	}
	if _, err := h.Run(t.Context(), engine.Command{PowerShell: "throw 'no'"}); engine.KindOf(err) != engine.KindExit || !strings.Contains(err.Error(), "no") {
		t.Errorf("%v", err)
	}
}
