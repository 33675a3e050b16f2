package machine_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// These lines are what goes over the wire, and what people approve.
func TestLinesOfPOSIX(t *testing.T) {
	password := &engine.Sudo{Password: engine.Plain("s3cret")}
	restart := engine.Command{Argv: []string{"/usr/sbin/service", "ds_agent", "restart"}}
	for _, test := range []struct {
		says string
		sudo *engine.Sudo
		c    engine.Command
		want string
	}{
		{linux, nil, restart, "/usr/sbin/service ds_agent restart"},
		{linux, &engine.Sudo{}, restart, "sudo -n -- /usr/sbin/service ds_agent restart"},
		{linux, &engine.Sudo{User: "trend"}, restart, "sudo -n -u trend -- /usr/sbin/service ds_agent restart"},
		{linux, password, restart, "sudo -k -S -p dsplay-sudo-password: -- /usr/sbin/service ds_agent restart"},
		{linux, password, engine.Command{Argv: restart.Argv, NoSudo: true}, "/usr/sbin/service ds_agent restart"},
		{esxi, password, restart, "/usr/sbin/service ds_agent restart"},
		{root, password, restart, "/usr/sbin/service ds_agent restart"},
		{root, &engine.Sudo{User: "trend"}, restart, "sudo -n -u trend -- /usr/sbin/service ds_agent restart"},
		{linux, nil, engine.Command{Argv: []string{"echo", "it's", "$HOME", ""}}, `echo 'it'\''s' '$HOME' ''`},
		{linux, nil, engine.Command{Argv: []string{"if", "if"}}, "'if' if"},
		{linux, nil, engine.Command{Shell: "a && b | c"}, "a && b | c"},
		{linux, &engine.Sudo{}, engine.Command{Shell: "a && b"}, "sudo -n -- sh -c 'a && b'"},
		{linux, nil, engine.Command{Argv: []string{"make"}, Dir: "/a b"}, "cd '/a b' && make"},
		{linux, &engine.Sudo{}, engine.Command{Argv: []string{"make"}, Dir: "/a"}, "sudo -n -- sh -c 'cd /a && make'"},
		{linux, nil, engine.Command{Argv: []string{"make"}, Env: map[string]string{"B": "2 3", "A": ""}}, "env A='' B='2 3' make"},
		{linux, &engine.Sudo{}, engine.Command{Argv: []string{"make"}, Env: map[string]string{"A": "1"}}, "sudo -n -- env A=1 make"},
		{linux, nil, engine.Command{Shell: "a; b", Env: map[string]string{"A": "1"}, Dir: "/d"}, "cd /d && env A=1 sh -c 'a; b'"},
	} {
		if got := lineOf(t, &host{says: test.says, run: nil}, test.sudo, test.c); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestLineWithStdinUnderSudoSaysWhenItStarts(t *testing.T) {
	h := &host{says: linux}
	c := engine.Command{Argv: []string{"chpasswd"}, Stdin: engine.Plain("root:x")}
	line, err := on(h, machine.Options{Sudo: &engine.Sudo{Password: engine.Plain("s3cret")}}).Line(t.Context(), c)
	want := `sudo -k -S -p dsplay-sudo-password: -- sh -c 'echo dsplay-sudo-started >&2; exec "$@"' sh chpasswd`
	if err != nil || line != want {
		t.Errorf("got  %s, %v\nwant %s", line, err, want)
	}
}

func TestLinesOfWindows(t *testing.T) {
	for _, test := range []struct {
		c    engine.Command
		want string
	}{
		{engine.Command{Argv: []string{"sc.exe", "query", "vsepflt"}}, `sc.exe query vsepflt`},
		{engine.Command{Argv: []string{"reg.exe", "query", `HKLM\SOFTWARE\VMware, Inc.\VMware Tools`}}, `reg.exe query "HKLM\SOFTWARE\VMware, Inc.\VMware Tools"`},
		{engine.Command{Argv: []string{`C:\Program Files\VMware\VMware Tools\VMwareToolboxCmd.exe`, "-v"}}, `@"C:\Program Files\VMware\VMware Tools\VMwareToolboxCmd.exe" -v`},
		{engine.Command{Argv: []string{"x.exe", `a & b`, `100%`, `say "hi"`, `dir\ `, ""}}, `x.exe ^"a ^& b^" ^"100^%^" ^"say \^"hi\^"^" "dir\ " ""`},
		{engine.Command{Argv: []string{"msiexec.exe", "/i", "tools.msi", "ADDLOCAL=VMCI,FileIntrospection"}}, `msiexec.exe /i tools.msi "ADDLOCAL=VMCI,FileIntrospection"`},
		{engine.Command{Shell: `ver & echo "%PATH%"`}, `ver & echo "%PATH%"`},
		{engine.Command{Argv: []string{"x.exe"}, Dir: `C:\a b`, Env: map[string]string{"A": "1&2", "B": ""}}, `cd /d "C:\a b"||exit 1&set A=1^&2&set B=&x.exe`},
	} {
		if got := lineOf(t, &host{family: "windows"}, nil, test.c); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestWhatCannotBeSaidIsRefused(t *testing.T) {
	windows, posix := &host{family: "windows"}, &host{says: linux}
	for name, test := range map[string]struct {
		h    *host
		sudo *engine.Sudo
		c    engine.Command
	}{
		"nothing":               {posix, nil, engine.Command{}},
		"both":                  {posix, nil, engine.Command{Argv: []string{"a"}, Shell: "a"}},
		"NUL":                   {posix, nil, engine.Command{Argv: []string{"a\x00b"}}},
		"assignment":            {posix, nil, engine.Command{Argv: []string{"A=1"}}},
		"name of a variable":    {posix, nil, engine.Command{Argv: []string{"a"}, Env: map[string]string{"A;rm": "1"}}},
		"method":                {posix, &engine.Sudo{Method: "ksu"}, engine.Command{Argv: []string{"a"}}},
		"sudo on Windows":       {windows, &engine.Sudo{}, engine.Command{Argv: []string{"a"}}},
		"line end on Windows":   {windows, nil, engine.Command{Argv: []string{"a", "b\nc"}}},
		"% in a program's name": {windows, nil, engine.Command{Argv: []string{`C:\100%\a.exe`}}},
		"too long for cmd.exe":  {windows, nil, engine.Command{Argv: []string{"a", strings.Repeat("x", 9000)}}},
	} {
		_, err := on(test.h, machine.Options{Sudo: test.sudo}).Run(t.Context(), test.c)
		var e *engine.Error
		if !errors.As(err, &e) || e.Kind != engine.KindModule || e.Host != "dsva1" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(windows.lines)+len(posix.lines) > 0 {
		t.Errorf("something was run: %q %q", windows.lines, posix.lines)
	}
}

func TestPlatforms(t *testing.T) {
	for says, want := range map[string]engine.Platform{
		linux: engine.POSIX, root: engine.POSIX, esxi: engine.ESXi,
		"dsplay:Linux:0:/bin/esxcli:":                             engine.ESXi, // the lab's BusyBox
		"dsplay:Linux:0::VMware ESXi 6.7.0 build-1":               engine.ESXi,
		"dsplay:Linux:0:/usr/bin/esxcli:":                         engine.POSIX, // vCLI
		"dsplay:Linux:0::VMware Workstation 17.0.0":               engine.POSIX,
		`"dsplay:$(uname -s):$(id -u):$(command -v esxcli):$(v)"`: engine.Windows,
	} {
		h := &host{says: says}
		m := on(h, machine.Options{})
		for range 2 {
			if got, err := m.Platform(t.Context()); got != want || err != nil {
				t.Errorf("%s: got %q, %v, want %q", says, got, err, want)
			}
		}
		if h.asked != 1 {
			t.Errorf("%s: it was asked %d times", says, h.asked)
		}
	}
	if _, err := on(&host{says: "Cisco: % Invalid input"}, machine.Options{}).Platform(t.Context()); engine.KindOf(err) != engine.KindProtocol {
		t.Errorf("something else: %v", err)
	}
}

// TestExpiredPassword: OpenSSH takes it, says so in session.c, and ends every command with 1.
func TestExpiredPassword(t *testing.T) {
	sshd := &shell{exec: func(_ context.Context, _, _ string, _ io.Reader, _, stderr io.Writer) int {
		_, _ = io.WriteString(stderr, "WARNING: Your password has expired.\nPassword change required but no TTY available.\n")
		return 1
	}}
	_, err := inLab(sshd, nil).Run(t.Context(), engine.Command{Argv: []string{"true"}})
	if engine.KindOf(err) != engine.KindAuth || !strings.Contains(err.Error(), "the password of this user has expired") {
		t.Error(err)
	}
}
