//go:build lab

package ssh_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

// redialer is a pool of one connection, which it opens anew after a Discard.
type redialer struct {
	open func() engine.Shell
	conn engine.Shell
}

func (p *redialer) Get(context.Context, *engine.Host) (engine.Conn, error) {
	if p.conn == nil {
		p.conn = p.open()
	}
	return p.conn, nil
}

func (p *redialer) Discard(_ *engine.Host, c engine.Conn) {
	c.Close()
	p.conn = nil
}

// appliance is a host with users of every kind of sudo.
func appliance(t *testing.T) func(user string, sudo *engine.Sudo) *machine.Host {
	t.Helper()
	s := startSSHD(t, "127.0.21.5", "UsePAM no")
	key := s.authorize(t)
	rules := map[string]string{
		"dsplaysudo": "ALL=(ALL) ALL", "dsplaynopw": "ALL=(ALL) NOPASSWD: ALL", "dsplayone": "ALL=(root) /usr/bin/id -u",
		"dsplaytty": "ALL=(ALL) NOPASSWD: ALL\nDefaults:dsplaytty requiretty", "dsplayplain": "",
	}
	var sudoers strings.Builder
	for user, rule := range rules {
		addUser(t, user, password, "/bin/bash")
		if rule != "" {
			sudoers.WriteString(user + " " + rule + "\n")
		}
	}
	const file = "/etc/sudoers.d/dsplay-lab"
	write(t, file, sudoers.String())
	t.Cleanup(func() { os.Remove(file) })
	command(t, "chmod", "0440", file)
	command(t, "visudo", "-c", "-q", "-f", file)
	return func(user string, sudo *engine.Sudo) *machine.Host {
		h := s.host(t, user, "ed25519", func(s *ssh.Settings) { s.Key = key })
		return machine.New(&redialer{open: func() engine.Shell { return open(t, h) }}, &engine.Host{Name: "dsva1"}, machine.Options{Sudo: sudo})
	}
}

func TestLabSudo(t *testing.T) {
	connect := appliance(t)
	right, wrong := &engine.Sudo{Password: engine.Plain(password)}, &engine.Sudo{Password: engine.Plain("s3cret")}
	id := engine.Command{Argv: []string{"id", "-u"}}
	secret := engine.Command{Argv: []string{"cat"}, Stdin: engine.Plain("of the command\n")}
	for _, test := range []struct {
		name, user string
		sudo       *engine.Sudo
		command    engine.Command
		want       string // stdout
		fails      string // in the error, of KindAuth
	}{
		{name: "password", user: "dsplaysudo", sudo: right, command: id, want: "0\n"},
		{name: "password and stdin", user: "dsplaysudo", sudo: right, command: secret, want: "of the command\n"},
		{name: "password and shell", user: "dsplaysudo", sudo: right, command: engine.Command{Shell: `echo "$((1+1))" | cat; id -u`}, want: "2\n0\n"},
		{name: "password, env and dir", user: "dsplaysudo", sudo: right, command: engine.Command{Argv: []string{"sh", "-c", `echo "$A in $PWD"`}, Env: map[string]string{"A": "x y"}, Dir: "/etc"}, want: "x y in /etc\n"},
		{name: "another user", user: "dsplaysudo", sudo: &engine.Sudo{User: "dsplayplain", Password: engine.Plain(password)}, command: engine.Command{Argv: []string{"id", "-un"}}, want: "dsplayplain\n"},
		{name: "not wanted", user: "dsplaysudo", sudo: right, command: engine.Command{Argv: []string{"id", "-un"}, NoSudo: true}, want: "dsplaysudo\n"},
		{name: "no password needed", user: "dsplaynopw", sudo: &engine.Sudo{}, command: id, want: "0\n"},
		{name: "no password needed, stdin", user: "dsplaynopw", sudo: &engine.Sudo{}, command: secret, want: "of the command\n"},
		{name: "password not asked for", user: "dsplaynopw", sudo: right, command: id, want: "0\n"},
		{name: "password not asked for, stdin", user: "dsplaynopw", sudo: right, command: secret, want: "of the command\n"},
		{name: "one command only", user: "dsplayone", sudo: right, command: engine.Command{Argv: []string{"/usr/bin/id", "-u"}}, want: "0\n"},
		{name: "another command", user: "dsplayone", sudo: right, command: engine.Command{Argv: []string{"/usr/bin/whoami"}, AnyOK: true}, fails: "may not run this command"},
		{name: "wrong password", user: "dsplaysudo", sudo: wrong, command: engine.Command{Argv: []string{"id"}, OK: []int{0, 1}}, fails: "password is wrong"},
		{name: "wrong password, stdin", user: "dsplaysudo", sudo: wrong, command: secret, fails: "password is wrong"},
		{name: "password missing", user: "dsplaysudo", sudo: &engine.Sudo{}, command: id, fails: "wants a password"},
		{name: "no sudoer", user: "dsplayplain", sudo: right, command: id, fails: "may not use sudo"},
		{name: "no sudoer, no password", user: "dsplayplain", sudo: &engine.Sudo{}, command: id, fails: "wants a password"},
		{name: "requiretty", user: "dsplaytty", sudo: &engine.Sudo{}, command: id, fails: "requiretty"},
		{name: "unknown user", user: "dsplaynopw", sudo: &engine.Sudo{User: "nobody-there"}, command: id, fails: "does not exist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := connect(test.user, test.sudo).Run(t.Context(), test.command)
			if test.fails == "" {
				if err != nil || out.Stdout != test.want || out.Stderr != "" {
					t.Errorf("got %q, %q, %v; want %q", out.Stdout, out.Stderr, err, test.want)
				}
				return
			}
			var e *engine.Error
			if !errors.As(err, &e) || e.Kind != engine.KindAuth || e.Hint == "" || !strings.Contains(e.Error(), test.fails) {
				t.Errorf("got %v, %q %q; want %q", err, out.Stdout, out.Stderr, test.fails)
			}
			if strings.Contains(err.Error()+out.Stderr, "s3cret") {
				t.Error("the password is in the error")
			}
		})
	}
}

// TestLabSudoIsKilled: what sudo runs belongs to root, so that the login's user cannot kill it.
func TestLabSudoIsKilled(t *testing.T) {
	connect := appliance(t)
	for user, sudo := range map[string]*engine.Sudo{"dsplaysudo": {Password: engine.Plain(password)}, "dsplaynopw": {}} {
		for name, c := range map[string]engine.Command{
			"argv": {Argv: []string{"sleep", "31731"}}, "shell": {Shell: "sleep 31731; echo x"},
		} {
			t.Run(user+" "+name, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(time.Second, cancel)
				_, err := connect(user, sudo).Run(ctx, c)
				var e *engine.Error
				if !errors.As(err, &e) || e.Orphan || !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				out, _ := exec.Command("pgrep", "-f", "^sleep 31731$").Output()
				for _, pid := range strings.Fields(string(out)) {
					t.Errorf("%s lives", pid)
					_ = exec.Command("kill", "-KILL", pid).Run()
				}
			})
		}
	}
}

func TestLabFiles(t *testing.T) {
	connect := appliance(t)
	host := connect("dsplaysudo", nil)
	if platform, err := host.Platform(t.Context()); platform != engine.POSIX || err != nil {
		t.Errorf("the platform is %q, %v", platform, err)
	}
	checkFiles(t, host)
	if _, err := host.ReadFile(t.Context(), "/etc/shadow"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that may not be read: %v", err)
	}
	if _, err := host.ReadFile(t.Context(), "/root/there/is/none"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("below a directory that may not be searched nobody knows what is missing: %v", err)
	}
	text, err := connect("dsplaysudo", &engine.Sudo{Password: engine.Plain(password)}).ReadFile(t.Context(), "/etc/shadow")
	if err != nil || !strings.Contains(string(text), "dsplaysudo:") {
		t.Errorf("with sudo: %v", err)
	}
}

// checkFiles reads what every system has.
func checkFiles(t *testing.T, host *machine.Host) {
	t.Helper()
	for _, missing := range []string{"/nonexistent", "/bin/sh/below/a/file", "/tmp/dsplay no 'such' $file"} {
		if _, err := host.ReadFile(t.Context(), missing); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want fs.ErrNotExist", missing, err)
		}
	}
	if text, err := host.ReadFile(t.Context(), "/dev/null"); err != nil || len(text) > 0 {
		t.Errorf("an empty file: %q, %v", text, err)
	}
	if _, err := host.ReadFile(t.Context(), "/dev/zero"); err == nil || !strings.Contains(err.Error(), "1024 KiB") {
		t.Errorf("a file without an end: %v", err)
	}
}

// TestLabBecome: su and doas of Debian, BusyBox' su, a wrapper, and a terminal for those that insist on one.
func TestLabBecome(t *testing.T) {
	if _, err := exec.LookPath("doas"); err != nil {
		t.Fatal("this test needs Debian's opendoas: ", err)
	}
	connect := appliance(t)
	addUser(t, "dsplaysu", "Another-Pass.word2", "/bin/dash")
	const file = "/etc/doas.conf"
	if _, err := os.Stat(file); err == nil {
		t.Fatal(file + " exists")
	}
	write(t, file, "permit dsplaysudo\npermit nopass dsplaynopw\n")
	t.Cleanup(func() { os.Remove(file) })
	command(t, "chmod", "0400", file)
	own, other, wrong := engine.Plain(password), engine.Plain("Another-Pass.word2"), engine.Plain("s3cret")
	id := engine.Command{Argv: []string{"id", "-un"}}
	secret := engine.Command{Argv: []string{"cat"}, Stdin: engine.Plain("of the command\n")}
	for _, test := range []struct {
		name, user string
		sudo       engine.Sudo
		command    engine.Command
		want       string // stdout
		fails      string // in the error, of KindAuth
	}{
		{"su", "dsplayplain", engine.Sudo{Method: "su", User: "dsplaysu", Password: other}, id, "dsplaysu\n", ""},
		{"su and stdin", "dsplayplain", engine.Sudo{Method: "su", User: "dsplaysu", Password: other}, secret, "of the command\n", ""},
		{"su and shell", "dsplayplain", engine.Sudo{Method: "su", User: "dsplaysu", Password: other}, engine.Command{Shell: `echo "it's $HOME"; exit 0`}, "it's /home/dsplaysu\n", ""},
		{"su, env and dir", "dsplayplain", engine.Sudo{Method: "su", User: "dsplaysu", Password: other}, engine.Command{Argv: []string{"sh", "-c", `echo "$A in $PWD"`}, Env: map[string]string{"A": "x y"}, Dir: "/etc"}, "x y in /etc\n", ""},
		{"su, wrong", "dsplayplain", engine.Sudo{Method: "su", User: "dsplaysu", Password: wrong}, id, "", "su refused the password"},
		{"su, none", "dsplayplain", engine.Sudo{Method: "su", User: "dsplaysu"}, secret, "", "none is given"},
		{"su, unknown user", "dsplayplain", engine.Sudo{Method: "su", User: "nobody-there", Password: other}, id, "", "su did not run the command"},
		{"su at a terminal", "dsplayplain", engine.Sudo{Method: "su", User: "dsplaysu", Password: other, TTY: true}, id, "dsplaysu\n", ""},
		{"su at a terminal, wrong", "dsplayplain", engine.Sudo{Method: "su", User: "dsplaysu", Password: wrong, TTY: true}, id, "", "su refused the password"},
		{"doas", "dsplaynopw", engine.Sudo{Method: "doas"}, id, "root\n", ""},
		{"doas and stdin", "dsplaynopw", engine.Sudo{Method: "doas"}, secret, "of the command\n", ""},
		{"doas, not allowed", "dsplayplain", engine.Sudo{Method: "doas"}, id, "", "doas did not run the command"},
		{"doas, password without a terminal", "dsplaysudo", engine.Sudo{Method: "doas", Password: own}, id, "", "doas did not run the command"},
		{"doas, password at a terminal", "dsplaysudo", engine.Sudo{Method: "doas", Password: own, TTY: true}, id, "root\n", ""},
		{"doas, wrong password at a terminal", "dsplaysudo", engine.Sudo{Method: "doas", Password: wrong, TTY: true}, id, "", "doas refused the password"},
		{"requiretty", "dsplaytty", engine.Sudo{TTY: true}, id, "root\n", ""},
		{"sudo at a terminal", "dsplaysudo", engine.Sudo{TTY: true, Password: own}, engine.Command{Shell: "id -u; tty -s <&2 && echo terminal; printf 'a\\nb\\n'"}, "0\nterminal\na\nb\n", ""},
		{"sudo at a terminal, wrong", "dsplaysudo", engine.Sudo{TTY: true, Password: wrong}, id, "", "sudo refused the password"},
		{"a wrapper", "dsplaynopw", engine.Sudo{Method: "sudo -n -u {user} -- {command}", User: "dsplaysu"}, secret, "of the command\n", ""},
		{"a wrapper of one word", "dsplaynopw", engine.Sudo{Method: "sudo -n -u {user} -- sh -c {line}", User: "dsplaysu"}, id, "dsplaysu\n", ""},
		{"a wrapper that is not there", "dsplaynopw", engine.Sudo{Method: "pbrun -u {user} {command}"}, id, "", "there is no pbrun on this host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := connect(test.user, &test.sudo).Run(t.Context(), test.command)
			if test.fails == "" {
				if err != nil || out.Stdout != test.want || out.Stderr != "" {
					t.Errorf("got %q, %q, %v; want %q", out.Stdout, out.Stderr, err, test.want)
				}
				return
			}
			var e *engine.Error
			if !errors.As(err, &e) || e.Kind != engine.KindAuth || e.Hint == "" || !strings.Contains(e.Error(), test.fails) {
				t.Errorf("got %v, %q %q; want %q", err, out.Stdout, out.Stderr, test.fails)
			}
			if strings.Contains(err.Error()+out.Stderr, "s3cret") {
				t.Error("the password is in the error")
			}
		})
	}
}
