package machine_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// sudoer is sudo 1.9 with -S: it asks on stderr, reads a line, asks up to three times, and then runs cat.
type sudoer struct {
	password string // "": NOPASSWD
	lecture  string
	noise    string // on stderr of the command itself
	tries    []string
}

const prompt = "dsplay-sudo-password:"

func (s *sudoer) run(_ context.Context, p engine.Process) (int, error) {
	stdin := bufio.NewReader(p.Stdin)
	if s.password != "" && strings.Contains(p.Line, " -S ") && !s.authenticate(p.Stderr, stdin) {
		return 1, nil
	}
	if strings.Contains(p.Line, "echo dsplay-sudo-started") {
		_, _ = io.WriteString(p.Stderr, "dsplay-sudo-started\n")
	}
	_, _ = io.WriteString(p.Stderr, s.noise)
	_, _ = io.Copy(p.Stdout, stdin)
	return 0, nil
}

func (s *sudoer) authenticate(stderr io.Writer, stdin *bufio.Reader) bool {
	_, _ = io.WriteString(stderr, "sudo: unable to resolve host dsva1: Name or service not known\n"+s.lecture)
	for range 3 {
		for _, piece := range []string{prompt[:3], prompt[3:10], prompt[10:]} { // as the network likes it
			_, _ = io.WriteString(stderr, piece)
		}
		line, err := stdin.ReadString('\n')
		if err != nil {
			_, _ = io.WriteString(stderr, "\nsudo: no password was provided\n")
			return false
		}
		s.tries = append(s.tries, strings.TrimSuffix(line, "\n"))
		if line == s.password+"\n" {
			return true
		}
		_, _ = io.WriteString(stderr, "Sorry, try again.\n")
	}
	return false
}

func become(t *testing.T, s *sudoer, c engine.Command) (engine.Output, error) {
	t.Helper()
	m := on(&host{says: linux, run: s.run}, machine.Options{Sudo: &engine.Sudo{Password: engine.Plain("s3cret")}})
	return m.Run(t.Context(), c)
}

var cat = engine.Command{Argv: []string{"cat"}, Stdin: engine.Plain("own stdin")}

func TestPasswordFollowsThePrompt(t *testing.T) {
	s := &sudoer{password: "s3cret", lecture: "We trust you have received the usual lecture.\n"}
	out, err := become(t, s, cat)
	if err != nil || out.Stdout != "own stdin" || !slices.Equal(s.tries, []string{"s3cret"}) {
		t.Errorf("got %q, %v, tries %q", out.Stdout, err, s.tries)
	}
	if out.Stderr != s.lecture {
		t.Errorf("stderr has our noise: %q", out.Stderr)
	}
	out, err = become(t, s, engine.Command{Argv: []string{"cat"}})
	if err != nil || out.Stdout != "" {
		t.Errorf("without stdin: %q, %v", out.Stdout, err)
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	for _, c := range []engine.Command{cat, {Argv: []string{"cat"}, AnyOK: true}} {
		s := &sudoer{password: "another"}
		_, err := become(t, s, c)
		if engine.KindOf(err) != engine.KindAuth || !strings.Contains(err.Error(), "wrong") || engine.IsUnreachable(err) {
			t.Errorf("got %v", err)
		}
		if !slices.Equal(s.tries, []string{"s3cret"}) {
			t.Errorf("sudo has seen %q", s.tries)
		}
	}
}

func TestPasswordStaysHereWhenSudoDoesNotAsk(t *testing.T) {
	// A command that imitates the prompt gets nothing, either.
	s := &sudoer{noise: prompt}
	out, err := become(t, s, cat)
	if err != nil || out.Stdout != "own stdin" {
		t.Errorf("got %q, %v", out.Stdout, err)
	}
}

func TestComplaintsOfSudoHaveNames(t *testing.T) {
	for text, want := range map[string]string{
		"plain is not in the sudoers file.  This incident will be reported.\n":                            "may not use sudo",
		"plain is not in the sudoers file.\n":                                                             "may not use sudo",
		"Sorry, user ops is not allowed to execute '/bin/id' as root on dsva1.\n":                         "may not run this command",
		"sudo: sorry, you must have a tty to run sudo\n":                                                  "requiretty",
		"sudo: a password is required\n":                                                                  "wants a password",
		"sudo: a terminal is required to read the password; either use the -S option\n":                   "wants a password",
		"sudo: no tty present and no askpass program specified\n":                                         "wants a password",
		"sudo: unable to resolve host x: Name or service not known\nsudo: 1 incorrect password attempt\n": "password is wrong",
	} {
		h := &host{says: linux, run: func(_ context.Context, p engine.Process) (int, error) {
			_, err := io.WriteString(p.Stderr, text)
			return 1, err
		}}
		_, err := on(h, machine.Options{Sudo: &engine.Sudo{}}).Run(t.Context(), engine.Command{Argv: []string{"id"}, OK: []int{0, 1}})
		if engine.KindOf(err) != engine.KindAuth || !strings.Contains(err.Error(), want) || engine.HintOf(err) == "" {
			t.Errorf("%q: %v", text, err)
		}
		// Without sudo, it is what the command says.
		if _, err := on(h, machine.Options{}).Run(t.Context(), engine.Command{Argv: []string{"id"}, OK: []int{1}}); err != nil {
			t.Error(err)
		}
	}
}

func TestCommandThatSpeaksOfSudoIsNotSudo(t *testing.T) {
	h := &host{says: linux, run: func(_ context.Context, p engine.Process) (int, error) {
		_, err := io.WriteString(p.Stderr, "cannot mail the report that a password is required\n")
		return 1, err
	}}
	_, err := on(h, machine.Options{Sudo: &engine.Sudo{}}).Run(t.Context(), engine.Command{Argv: []string{"id"}})
	if engine.KindOf(err) != engine.KindExit {
		t.Errorf("got %v", err)
	}
}

func TestSurvivorsAreKilledAsRoot(t *testing.T) {
	for name, code := range map[string]int{"they die": 0, "they do not": 1} {
		h := &host{says: linux}
		h.run = func(_ context.Context, p engine.Process) (int, error) {
			if strings.Contains(p.Line, "kill") {
				return code, nil
			}
			cause := errors.Join(context.Canceled, engine.Survivors{4711, 4712})
			return 0, &engine.Error{Kind: engine.KindTimeout, Host: "dsva1", Orphan: true, Err: cause}
		}
		_, err := on(h, machine.Options{Sudo: &engine.Sudo{}}).Run(t.Context(), engine.Command{Argv: []string{"hang"}})
		var e *engine.Error
		if !errors.As(err, &e) || e.Orphan != (code != 0) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		last := h.lines[len(h.lines)-1]
		if !strings.HasPrefix(last, "sudo -n -- sh -c ") || !strings.Contains(last, "4711 4712") {
			t.Errorf("%s: the line is %s", name, last)
		}
	}
}
