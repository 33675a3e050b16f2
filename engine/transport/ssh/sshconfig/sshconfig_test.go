package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// load makes a configuration of files in a home of its own. "config" is the one that is asked; $H stands for the home.
func load(t *testing.T, files map[string]string) (*File, error) {
	t.Helper()
	home := t.TempDir()
	for name, text := range files {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "$H", home)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(home, "~/config")
}

func resolve(t *testing.T, config string, q Query) (Options, []Notice) {
	t.Helper()
	f, err := load(t, map[string]string{"config": config})
	if err != nil {
		t.Fatal(err)
	}
	o, notices, err := f.Resolve(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return o, notices
}

func TestWhatHoldsAndWhereItIsSaid(t *testing.T) {
	o, notices := resolve(t, `
Host bastion
  User gate
Match originalhost db* !user root
  HostName %h.corp.example
  ProxyJump gate@bastion,[2001:db8::1]:2222
  IdentityFile ~/.ssh/%r@%n
Host *
  User ops
  Port 2222
  ConnectTimeout 1m10
`, Query{Host: "db1", User: "adm"})
	if o.HostName != "db1.corp.example" || o.User != "adm" || o.Port != 2222 || o.ConnectTimeout != 70 || len(notices) != 0 {
		t.Errorf("%+v %v", o, notices)
	}
	if want := []Hop{{"gate", "bastion", 0}, {"", "2001:db8::1", 2222}}; !slices.Equal(o.Jump, want) {
		t.Errorf("jump %v", o.Jump)
	}
	if len(o.IdentityFiles) != 1 || !strings.HasSuffix(filepath.ToSlash(o.IdentityFiles[0]), "/.ssh/adm@db1") {
		t.Errorf("keys %v", o.IdentityFiles)
	}
	var taken []string
	for _, said := range o.Taken {
		taken = append(taken, fmt.Sprintf("%s:%d %s=%s", filepath.Base(said.File), said.Line, said.Directive, said.Value))
	}
	want := []string{"config:5 HostName=db1.corp.example", "config:10 Port=2222", "config:7 IdentityFile=~/.ssh/%r@%n",
		"config:11 ConnectTimeout=1m10", "config:6 ProxyJump=gate@bastion,[2001:db8::1]:2222"}
	if !slices.Equal(taken, want) {
		t.Errorf("taken %q", taken)
	}
}

func TestWhatHasNoEffectIsSaid(t *testing.T) {
	config := "ControlMaster auto\nControlMaster no\nForwardAgent no\nCompression yes\nRequestTTY force\nStrictHostKeyChecking off\n" +
		"ServerAliveInterval 0\nHost other\nLocalForward 1 x:2\nMatch final\nGSSAPIAuthentication yes\n"
	_, notices := resolve(t, config, Query{Host: "db1"})
	var lines []string
	for _, n := range notices {
		lines = append(lines, fmt.Sprintf("%d %s", n.Line, n.Directive))
		if !strings.HasSuffix(n.File, "config") || n.Text == "" {
			t.Errorf("%+v", n)
		}
	}
	want := []string{"1 ControlMaster", "5 RequestTTY", "6 StrictHostKeyChecking", "7 ServerAliveInterval", "11 GSSAPIAuthentication"}
	if !slices.Equal(lines, want) {
		t.Errorf("notices of %q", lines)
	}
}

func TestMistakesNameTheLine(t *testing.T) {
	for config, want := range map[string]string{
		"\nFrobnicate yes":                   `config:2: unknown directive "frobnicate"`,
		"IdentityFile \"x":                   "config:1: a quote is not closed",
		"User":                               "config:1: no argument",
		"Port 0":                             `config:1: Port: "0" is not a port`,
		"HostName %q":                        "config:1: HostName: %q is not known here",
		"UserKnownHostsFile ${DSPLAY_NONE}":  "config:1: the environment has no DSPLAY_NONE",
		"Match frob x":                       `config:1: unknown condition "frob"`,
		"Match all host db1":                 "config:1: Match all stands alone",
		"ProxyCommand x\nProxyUseFdpass yes": "config:2: ProxyUseFdpass cannot be honoured",
		"RefuseConnection by order":          "config:1: RefuseConnection forbids",
		"Include $H/config":                  "config:1: files include each other more than 16 deep",
		"Include $H/[":                       "config:1: bad pattern",
		"ProxyCommand nc %d":                 "config:1: ProxyCommand: %d is not known here",
		"ProxyJump a,,b":                     `config:1: ProxyJump: "" is not`,
		"Match localnetwork 10.0.0.0/33\n":   "config:1: netip.ParsePrefix",
		"Match exec \"kill -9 $$\"\nPort 22": `config:1: match exec "kill -9 $$": signal: killed`,
	} {
		f, err := load(t, map[string]string{"config": config})
		if err == nil {
			_, _, err = f.Resolve(t.Context(), Query{Host: "db1"})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", config, err, want)
		}
	}
	if _, err := Load(t.TempDir(), "/nonexistent/config"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if f, err := Load(t.TempDir(), "~/.ssh/config"); err != nil || len(f.roots) != 2 {
		t.Errorf("the usual file need not be there: %v", err)
	}
}

func TestNamesThatAShellWouldTakeApartAreRefused(t *testing.T) {
	f, err := load(t, map[string]string{"config": "ProxyCommand nc %h %p"})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []Query{{Host: "a;b"}, {Host: "$(x)"}, {Host: "-oProxyCommand=x"}, {Host: "a b"}, {Host: ""}, {Host: "a\nb"}, {Host: "a", User: "x|y"}, {Host: "a", User: "-x"},
		{Host: "a", User: "x\n$(y)"}, {Host: "a", User: "x\t-y"}, {Host: "a", User: "x\u00a0-y"}, {Host: "a", User: "x\x00"}} {
		if o, _, err := f.Resolve(t.Context(), q); err == nil {
			t.Errorf("%+v gave %q", q, o.ProxyCommand)
		}
	}
}

func TestIncludedFilesMustBeOurs(t *testing.T) {
	if runtime.GOOS == "windows" {
		return
	}
	f, err := load(t, map[string]string{"config": "Include $H/inc", "inc": "User a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(f.home, "inc"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Resolve(t.Context(), Query{Host: "db1"}); err == nil || !strings.Contains(err.Error(), "others may write it") {
		t.Error(err)
	}
}

func TestMatchExecEndsWithItsContext(t *testing.T) {
	f, err := load(t, map[string]string{"config": "Match exec \"sleep 60 & sleep 60\"\nPort 23\n"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, _, err = f.Resolve(ctx, Query{Host: "db1"})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 20*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}

func TestEveryDirectiveIsExplained(t *testing.T) {
	for _, d := range Directives {
		if explained := d.Note != ""; explained != (d.Use == Said || d.Use == Refused || d.when != "") {
			t.Errorf("%s: use %d, note %q", d.Name, d.Use, d.Note)
		}
	}
	if len(directives) < 100 {
		t.Errorf("%d names", len(directives))
	}
}

func TestReadingTwiceGivesTheSame(t *testing.T) {
	f, err := load(t, map[string]string{"config": "Host db1\nUser a\nControlMaster yes\n"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(f.home, "config")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if o, n, err := f.Resolve(t.Context(), Query{Host: "db1"}); err != nil || o.User != "a" || len(n) != 1 {
			t.Error(o, n, err)
		}
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("Host a*\n User x\nMatch final host \"a\" exec \"test %h\"\nPort 5\n", "abc")
	f.Add("ProxyJump u@[::1]:2,b\nIdentityFile ~/%h\\ \"x y\"\nConnectTimeout 1h2m\n", "::1")
	f.Add("Match host=a user = b !localuser c\nUserKnownHostsFile ${HOME}/%k none\nIgnoreUnknown x*\nxyz", "a")
	f.Fuzz(func(t *testing.T, config, host string) {
		parsed, err := split("config", config)
		if err != nil || strings.Contains(strings.ToLower(config), "include") {
			return
		}
		file := &File{home: "/home/x", roots: []root{{"config", true}}, read: map[string]*text{"config": parsed}, globs: map[string][]string{},
			exec: func(_ context.Context, line string) (bool, error) { return len(line)%2 == 0, nil }}
		o, _, err := file.Resolve(t.Context(), Query{Host: host})
		if err == nil && (o.HostName == "" || o.Port < 0 || o.Port > 65535) {
			t.Errorf("%+v", o)
		}
		for _, h := range o.Jump {
			if again, err := ParseHop(h.String()); err != nil || again != h {
				t.Errorf("%+v is written as %q, which is %+v, %v", h, h, again, err)
			}
		}
	})
}
