//go:build unix

package machine_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// TestLesserUserDoesNotGetThePassword: what a command as another user says, when sudo asked for nothing, is no prompt.
func TestLesserUserDoesNotGetThePassword(t *testing.T) {
	for _, c := range []engine.Command{{Argv: []string{"cat"}}, {Shell: "cat"}, cat} {
		s := &sudoer{noise: prompt}
		m := on(&host{says: linux, run: s.run}, machine.Options{Sudo: &engine.Sudo{User: "app", Password: engine.Plain("s3cret")}})
		out, err := m.Run(t.Context(), c)
		if err != nil || strings.Contains(out.Stdout, "s3cret") || out.Stdout != c.Stdin.Reveal() {
			t.Errorf("%+v: the command read %q, %v", c, out.Stdout, err)
		}
	}
	s := &sudoer{password: "s3cret"} // and where sudo asks, it gets it
	m := on(&host{says: linux, run: s.run}, machine.Options{Sudo: &engine.Sudo{User: "app", Password: engine.Plain("s3cret")}})
	if out, err := m.Run(t.Context(), engine.Command{Argv: []string{"cat"}}); err != nil || out.Stdout != "" || len(s.tries) != 1 {
		t.Errorf("%q, %v, %q", out.Stdout, err, s.tries)
	}
}

// TestUnreadPasswordIsNoInput: a program that only seemed to ask leaves the password where the command would read it.
func TestUnreadPasswordIsNoInput(t *testing.T) {
	script := filepath.Join(t.TempDir(), "becomes")
	if err := os.WriteFile(script, []byte("printf 'Note for all:' >&2; sleep 1; echo >&2; sh -c \"$1\""), 0o600); err != nil {
		t.Fatal(err)
	}
	h := onThisMachine(t, machine.Options{Sudo: &engine.Sudo{User: "another", Method: "sh " + script + " {line}", Password: engine.Plain("s3cret")}})
	for _, stdin := range []engine.Secret{{}, engine.Plain("one\n  \\two \ndsplay-sudo-input\nthree")} {
		out, err := h.Run(t.Context(), engine.Command{Argv: []string{"cat"}, Stdin: stdin})
		if err != nil || out.Stdout != stdin.Reveal() {
			t.Errorf("cat got %q instead of %q, %v", out.Stdout, stdin.Reveal(), err)
		}
	}
}

// TestTalkWithoutEndBeforeTheCommand: a host that never lets the command begin takes no memory by it.
func TestTalkWithoutEndBeforeTheCommand(t *testing.T) {
	const sent = 64 << 20
	var kept uint64
	run := func(_ context.Context, p engine.Process) (int, error) {
		part := strings.Repeat("no line end ", 4<<10)
		for n := 0; n < sent; n += len(part) {
			_, _ = io.WriteString(p.Stderr, part)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		kept = m.HeapAlloc
		_, _ = io.WriteString(p.Stderr, "and then no: it is the end\n")
		return 1, nil
	}
	_, err := on(&host{says: linux, run: run}, machine.Options{Sudo: &engine.Sudo{Method: "su"}}).Run(t.Context(), engine.Command{Argv: []string{"id"}})
	if engine.KindOf(err) != engine.KindAuth || !strings.Contains(err.Error(), "it is the end") || kept > sent/2 {
		t.Errorf("%d MB are kept: %.200v", kept>>20, err)
	}
}

// TestCLIXMLThatNeverEnds: each of many documents without an end could be read to the end of the text.
func TestCLIXMLThatNeverEnds(t *testing.T) {
	bomb := strings.Repeat("#< CLIXML\n<Objs><![CDATA[", 40_000)
	if out, _ := says(t, "", bomb, len(bomb)); out.Stderr != bomb {
		t.Errorf("%d bytes became %d", len(bomb), len(out.Stderr))
	}
	deep := "#< CLIXML\n<Objs>" + strings.Repeat("<a>", 1<<18)
	if out, _ := says(t, "", deep, len(deep)); out.Stderr != deep {
		t.Errorf("%d bytes became %d", len(deep), len(out.Stderr))
	}
}

// endless writes until nobody takes it any more, or it is clearly too much, and says how much that was.
func endless(w io.Writer, part string) (n int, err error) {
	for n < 200<<20 && err == nil {
		_, err = io.WriteString(w, part)
		n += len(part)
	}
	return n, err
}

// TestFileWithoutEnd: a host that says that a file has ten bytes, and sends it for ever.
func TestFileWithoutEnd(t *testing.T) {
	for name, h := range map[string]*host{"posix": {says: linux}, "windows": {family: "windows"}} {
		var sent int
		h.run = func(_ context.Context, p engine.Process) (int, error) {
			switch {
			case strings.Contains(p.Line, "dsplay:numbers"):
				_, _ = io.WriteString(p.Stdout, "dsplay:numbers:-rw-r--r-- 1 0 0 10 Jan  1 00:00 /x\n")
			case strings.Contains(p.Line, "dsplay:attributes"):
				_, _ = io.WriteString(p.Stdout, "dsplay:attributes:32\r\ndsplay:size:10\r\n")
			case strings.HasPrefix(p.Line, "cat"), strings.Contains(p.Line, "ToBase64String"):
				var err error
				if sent, err = endless(p.Stdout, strings.Repeat("A", 64<<10)); err != nil {
					return 0, &engine.Error{Kind: engine.KindLost, Host: "dsva1", Err: err}
				}
			}
			return 0, nil
		}
		path := map[string]string{"posix": "/x", "windows": `C:\x`}[name]
		var kept strings.Builder
		_, err := on(h, machine.Options{}).Get(t.Context(), path, &kept)
		if err == nil || sent > 8<<20 || kept.Len() > 8<<20 {
			t.Errorf("%s: %d bytes were taken, %d kept, %v", name, sent, kept.Len(), err)
		}
	}
}

// between puts a program of this name before those of the system: it does script, and then what the real one does.
func between(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\nPATH=${PATH#*:}\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestFolderThatIsSwapped: who may write to the folder of the target puts another in the place of the temporary one, with a
// link to a file that is none of its business. That file stays as it is.
func TestFolderThatIsSwapped(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	between(t, "wc", `T=$(echo `+dir+`/.dsplay-*); mv "$T" "$T.away"; mkdir "$T"; ln -s `+victim+` "$T/a.conf"; exec wc "$@"`)
	if _, err := put(t, onThisMachine(t, machine.Options{}), upload(filepath.Join(dir, "a.conf"), "new")); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Lstat(filepath.Join(dir, "a.conf"))
	text, err := os.ReadFile(filepath.Join(dir, "a.conf"))
	if err != nil || string(text) != "new" || !info.Mode().IsRegular() {
		t.Errorf("the file is %q, %v, %v", text, info.Mode(), err)
	}
	text, err = os.ReadFile(victim)
	if info, _ = os.Stat(victim); err != nil || string(text) != "secret" || info.Mode().Perm() != 0o600 {
		t.Errorf("the other one became %q, %v, %v", text, info.Mode(), err)
	}
}

// TestFolderOfSomebodyElse: one that is not ours is not gone into.
func TestFolderOfSomebodyElse(t *testing.T) {
	dir := t.TempDir()
	swap := `mkdir "$@"; for last; do :; done; `
	if os.Getuid() == 0 {
		swap += `chown 65534 "$last"`
	} else {
		swap += `rmdir "$last"; ln -s /etc "$last"`
	}
	between(t, "mkdir", swap)
	_, err := put(t, onThisMachine(t, machine.Options{}), upload(filepath.Join(dir, "a.conf"), "new"))
	if err == nil || !strings.Contains(err.Error(), "does not belong to who made it") || engine.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
	clean(t, dir)
}

// TestErrorsHoldNoHalfSecrets: half of one is known to no redaction.
func TestErrorsHoldNoHalfSecrets(t *testing.T) {
	secret := "Correct-Horse-Battery-Staple-0123456789"
	for room := range 60 {
		h := &host{says: linux, run: func(_ context.Context, p engine.Process) (int, error) {
			_, _ = io.WriteString(p.Stderr, "the password "+secret+" is wrong"+strings.Repeat(" x", 170+room)+"\n")
			return 1, nil
		}}
		_, err := on(h, machine.Options{}).Run(t.Context(), engine.Command{Argv: []string{"id"}})
		var e *engine.Error
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		if rest := strings.ReplaceAll(e.Msg, secret, ""); strings.Contains(rest, "456789") || strings.Contains(rest, "Correct") {
			t.Fatalf("%s", e.Msg)
		}
	}
}
