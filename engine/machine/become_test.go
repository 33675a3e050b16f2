package machine_test

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// changer is su and its like: it asks in its own language, on either stream, refuses in its own words, or runs cat.
type changer struct {
	question, refusal string
	onStdout, trusts  bool
	password          string
	got               []string
}

func (s *changer) run(_ context.Context, p engine.Process) (int, error) {
	stdin := bufio.NewReader(p.Stdin)
	to := p.Stderr
	if s.onStdout {
		to = p.Stdout
	}
	_, _ = io.WriteString(to, "Notice: everything is logged\nand watched.\n")
	if !s.trusts {
		for _, r := range s.question { // as the network likes it
			_, _ = io.WriteString(to, string(r))
		}
		line, _ := stdin.ReadString('\n')
		s.got = append(s.got, line)
		if line != s.password+"\n" {
			_, _ = io.WriteString(p.Stderr, "\n"+s.refusal+"\n")
			return 1, nil
		}
	}
	_, _ = io.WriteString(p.Stdout, "dsplay-sudo-sta")
	_, _ = io.WriteString(p.Stdout, "rted\n")
	for line := ""; strings.Contains(p.Line, "dsplay-sudo-input") && line != "dsplay-sudo-input\n"; { // the loop of the line
		var err error
		if line, err = stdin.ReadString('\n'); err != nil {
			return 99, nil
		}
	}
	_, _ = io.WriteString(p.Stdout, "says: ")
	_, _ = io.Copy(p.Stdout, stdin)
	return 3, nil
}

func TestBecomeByOtherPrograms(t *testing.T) {
	japanese := changer{question: "パスワード: ", refusal: "su: 認証失敗", password: "s3cret"}
	busybox := changer{question: "Password: ", refusal: "su: incorrect password", password: "s3cret", onStdout: true}
	trusting := changer{trusts: true}
	right, wrong := engine.Plain("s3cret"), engine.Plain("wr0ng")
	for _, test := range []struct {
		name     string
		program  changer
		password engine.Secret
		want     string // stdout
		fails    string
	}{
		{"asked", japanese, right, "says: own stdin", ""},
		{"asked on stdout", busybox, right, "says: own stdin", ""},
		{"not asked", trusting, right, "says: own stdin", ""},
		{"not asked, no password", trusting, engine.Secret{}, "says: own stdin", ""},
		{"wrong", japanese, wrong, "", "su refused the password: "},
		{"none", japanese, engine.Secret{}, "", "none is given"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.program
			m := on(&host{says: linux, run: s.run}, machine.Options{Sudo: &engine.Sudo{Method: "su", Password: test.password}})
			out, err := m.Run(t.Context(), engine.Command{Argv: []string{"cat"}, Stdin: engine.Plain("own stdin"), OK: []int{0, 1, 3}})
			if test.fails != "" {
				if engine.KindOf(err) != engine.KindAuth || !strings.Contains(err.Error(), test.fails) || engine.HintOf(err) == "" {
					t.Errorf("got %v", err)
				}
				if len(s.got) != 1 || strings.Contains(s.got[0], "own") {
					t.Errorf("su read %q", s.got)
				}
				return
			}
			if err != nil || out.Stdout != test.want || out.Code != 3 || strings.Contains(out.Stderr, "Notice") {
				t.Errorf("%q, %q, %v", out.Stdout, out.Stderr, err)
			}
		})
	}
}

func TestLinesOfOtherPrograms(t *testing.T) {
	secret := engine.Plain("s3cret")
	c := engine.Command{Argv: []string{"/bin/echo", "it's"}, Dir: "/tmp"}
	for want, sudo := range map[string]engine.Sudo{
		`su -s /bin/sh root -c 'echo dsplay-sudo-started; exec sh -c `: {Method: "su", Password: secret},
		`doas -u trend sh -c `:   {Method: "doas", User: "trend", Password: secret},
		`doas -n -u root sh -c `: {Method: "doas"},
		`pbrun -u 'a b' sh -c `:  {Method: "pbrun -u {user} {command}", User: "a b"},
		`sudo -k -p dsplay-sudo-password: -u root -- sh -c 'echo dsplay-sudo-started;`: {TTY: true, Password: secret},
		`sudo -n -u root -- sh -c `: {TTY: true},
	} {
		line, err := on(&host{says: linux}, machine.Options{Sudo: &sudo}).Line(t.Context(), c)
		if err != nil || !strings.HasPrefix(line, want) || strings.Contains(line, "s3cret") {
			t.Errorf("%s, %v\nwant %s", line, err, want)
		}
	}
	for _, sudo := range []engine.Sudo{{Method: "ksu"}, {Method: "pbrun {user}"}, {Method: "x {command} {command}"}} {
		if _, err := on(&host{says: linux}, machine.Options{Sudo: &sudo}).Line(t.Context(), c); err == nil || !strings.Contains(err.Error(), "method") {
			t.Errorf("%+v: %v", sudo, err)
		}
	}
	m := on(&host{says: linux}, machine.Options{Sudo: &engine.Sudo{TTY: true}})
	if _, err := m.Run(t.Context(), engine.Command{Argv: []string{"cat"}, Stdin: engine.Plain("x")}); err == nil || !strings.Contains(err.Error(), "input of its own") {
		t.Errorf("a terminal and an input: %v", err)
	}
	if _, err := m.Run(t.Context(), engine.Command{Argv: []string{"id"}}); err == nil || !strings.Contains(err.Error(), "no terminals") {
		t.Errorf("a terminal that nobody has: %v", err)
	}
}
