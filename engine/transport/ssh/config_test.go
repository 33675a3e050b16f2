package ssh_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// join joins stdin and stdout to an address: the test's own binary is a ProxyCommand.
func join(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	go func() { _, _ = io.Copy(conn, os.Stdin) }()
	_, err = io.Copy(os.Stdout, conn)
	return err
}

// configured is a host about which only a configuration says something.
func configured(t *testing.T, transport *ssh.Transport, text string) *engine.Host {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	file := filepath.Join(home, "ssh_config")
	writeFile(t, file, text)
	transport.Config = "~/ssh_config"
	return &engine.Host{Name: "db", Address: "db1", Connection: engine.Connection{Type: "ssh", Settings: transport.Settings()}}
}

// reach is a configuration that leads to server by key, and the file of the key.
func reach(t *testing.T, server *sshd.Server) string {
	t.Helper()
	file, _, _ := keyFile(t, "")
	hosts := known(t, knownhosts.Line([]string{"alias1"}, server.HostKey()))
	return fmt.Sprintf("HostName 127.0.0.1\nPort %d\nUser ops\nHostKeyAlias alias1\nIdentityFile %s\nIdentityFile /nonexistent\nIdentityAgent none\nUserKnownHostsFile %s\nGlobalKnownHostsFile none\n",
		server.Addr().(*net.TCPAddr).Port, filepath.ToSlash(file), filepath.ToSlash(hosts))
}

func anyKey(o *sshd.Options) {
	o.Password, o.PublicKey = nil, func(user string, _ xssh.PublicKey) bool { return user == "ops" }
}

func TestConfigurationSaysWhatTheBlockDoesNot(t *testing.T) {
	server := listen(t, anyKey)
	transport := ssh.New()
	h := configured(t, transport, "Host db1\n"+reach(t, server)+"ControlMaster auto\nCiphers aes256-ctr,nosuch-cipher\n")
	conn, err := transport.Open(t.Context(), h)
	if err != nil {
		t.Fatalf("%v %s", err, engine.HintOf(err))
	}
	defer conn.Close()
	for _, want := range []string{"~/ssh_config: HostName 127.0.0.1 (line 2)", "User ops (line 4)", "ControlMaster has no effect (line 11)", "Ciphers has no effect (line 12)"} {
		if via := h.Via(); !strings.Contains(via, want) {
			t.Errorf("the plan would show %q, without %q", via, want)
		}
	}
}

func TestBlockOverrulesTheConfiguration(t *testing.T) {
	server := listen(t, anyKey)
	transport := ssh.New()
	h := configured(t, transport, "Host db1\nUser root\n"+strings.ReplaceAll(reach(t, server), "Port ", "Port 1\n#")+"ProxyJump nowhere\n")
	s := h.Connection.Settings.(*ssh.Settings)
	s.User, s.Port, s.Jump = "ops", server.Addr().(*net.TCPAddr).Port, []string{}
	conn, err := transport.Open(t.Context(), h)
	if err != nil {
		t.Fatalf("%v %s", err, engine.HintOf(err))
	}
	conn.Close()
	if via := h.Via(); strings.Contains(via, "User root") || strings.Contains(via, "Port") || strings.Contains(via, "ProxyJump") {
		t.Errorf("via %q", via)
	}
	s.Config = "none"
	if _, err := transport.Open(t.Context(), h); engine.KindOf(err) != engine.KindDNS && engine.KindOf(err) != engine.KindTimeout {
		t.Errorf("without a configuration: %v", err)
	}
}

func TestConfigurationDoesNotWeaken(t *testing.T) {
	server := listen(t, anyKey)
	for _, text := range []string{"StrictHostKeyChecking no\n", "StrictHostKeyChecking accept-new\n"} {
		transport := ssh.New()
		all := strings.Split("Host db1\n"+reach(t, server), "\n")
		for i, line := range all {
			if strings.HasPrefix(line, "UserKnownHostsFile") {
				all[i] = "UserKnownHostsFile /dev/null"
			}
		}
		h := configured(t, transport, strings.Join(all, "\n")+text)
		if _, err := transport.Open(t.Context(), h); engine.KindOf(err) != engine.KindHostKey {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMistakesInTheConfigurationAreFoundWhenItIsLoaded(t *testing.T) {
	transport := ssh.New()
	s := configured(t, transport, "User \"x\n").Connection.Settings.(*ssh.Settings)
	var bad engine.BadArg
	if err := s.Validate(); !errors.As(err, &bad) || bad.Arg != "config" || !strings.Contains(bad.Problem, "ssh_config:1") {
		t.Errorf("got %v", err)
	}
	s.Config = "/nonexistent/config"
	if err := s.Validate(); !errors.As(err, &bad) || bad.Arg != "config" {
		t.Errorf("got %v", err)
	}
	h := configured(t, transport, "Frobnicate yes\n")
	_, err := transport.Open(t.Context(), h)
	if engine.KindOf(err) != engine.KindModule || !strings.Contains(err.Error(), "unknown directive") {
		t.Errorf("got %v", err)
	}
}

func TestWhoDoesNotAskTheFileIsTold(t *testing.T) {
	transport := ssh.New()
	h := configured(t, transport, "")
	h.Connection.Settings.(*ssh.Settings).Config, h.Address = "", "db1.invalid"
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	_, err = transport.Open(t.Context(), h)
	if strings.Contains(engine.HintOf(err), "~/.ssh/config") {
		t.Error(engine.HintOf(err))
	}
	writeFile(t, filepath.Join(home, ".ssh", "config"), "\nHost db1.*\n HostName 127.0.0.1\n")
	other := ssh.New()
	h.Connection.Settings = other.Settings()
	if _, err = other.Open(t.Context(), h); !strings.Contains(engine.HintOf(err), "~/.ssh/config:3 has HostName for it") {
		t.Error(engine.HintOf(err))
	}
}

func TestProxyJumpOfTheConfiguration(t *testing.T) {
	one, two := startBastion(t, nil), startBastion(t, nil)
	server := listen(t, anyKey)
	transport := ssh.New()
	config := "Host db*\n ProxyJump one,adm@two\n" + reach(t, server)
	for name, gate := range map[string]*bastion{"one": one, "two": two} {
		port := strconv.Itoa(gate.Addr().(*net.TCPAddr).Port)
		config = strings.ReplaceAll(config, "adm@two", "ops@two:"+strconv.Itoa(two.Addr().(*net.TCPAddr).Port))
		text := "Host " + name + "\n" + strings.ReplaceAll(reach(t, gate.Server), "alias1", name)
		for _, line := range strings.Split(text, "\n") {
			if file, ok := strings.CutPrefix(line, "UserKnownHostsFile "); ok {
				writeFile(t, file, knownhosts.Line([]string{name}, gate.HostKey())+"\n")
			}
		}
		if name == "two" {
			text = strings.ReplaceAll(strings.ReplaceAll(text, "Port "+port, ""), "User ops", "")
		}
		config += text
	}
	h := configured(t, transport, config)
	first, err := transport.Open(t.Context(), h)
	if err != nil {
		t.Fatalf("%v %s", err, engine.HintOf(err))
	}
	second, err := transport.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	says(t, first.(engine.Shell), "echo x", "x\n")
	first.Close()
	says(t, second.(engine.Shell), "echo x", "x\n")
	if one.Logins() != 1 || two.Logins() != 1 || one.connections.Load() != 1 || two.connections.Load() != 2 {
		t.Errorf("one: %d logins, %d led on; two: %d, %d", one.Logins(), one.connections.Load(), two.Logins(), two.connections.Load())
	}
	if via := h.Via(); !strings.HasPrefix(via, "jump hosts one, ops@two:") {
		t.Errorf("via %q", via)
	}
	second.Close()
	gone(t, one.Server)
	gone(t, two.Server)
}

func TestProxyCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		return
	}
	server := listen(t, anyKey)
	transport := ssh.New()
	pids := filepath.Join(t.TempDir(), "pids")
	h := configured(t, transport, fmt.Sprintf("Host db1\n%sProxyCommand sh -c 'echo $$ >> %s; exec \"$0\" join %%h:%%p' %s\n", reach(t, server), pids, os.Args[0]))
	conn, err := transport.Open(t.Context(), h)
	if err != nil {
		t.Fatalf("%v %s", err, engine.HintOf(err))
	}
	says(t, conn.(engine.Shell), "echo x", "x\n")
	if via := h.Via(); !strings.HasPrefix(via, "a ProxyCommand; ") {
		t.Errorf("via %q", via)
	}
	conn.Close()
	gone(t, server)
	noProcess(t, pids)
}

func TestProxyCommandThatFails(t *testing.T) {
	if runtime.GOOS == "windows" {
		return
	}
	transport := ssh.New()
	for command, want := range map[string]string{
		"sh -c 'echo no way >&2; exit 7'": "the ProxyCommand ended: exit status 7: no way",
		"/nonexistent/nc":                 "the ProxyCommand ended: exit status 127",
		"cat":                             "", // it says what we say
	} {
		h := configured(t, transport, "ProxyCommand "+command+"\nUser ops\nConnectTimeout 5\n")
		transport = ssh.New()
		transport.Config = "~/ssh_config"
		h.Connection.Settings = transport.Settings()
		begun := time.Now()
		_, err := transport.Open(t.Context(), h)
		if err == nil || !strings.Contains(err.Error(), want) || !engine.IsUnreachable(err) || time.Since(begun) > 60*time.Second {
			t.Errorf("%s: %v (%s)", command, err, engine.HintOf(err))
		}
	}
}

func TestProxyCommandThatHangsIsKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		return
	}
	transport := ssh.New()
	pids := filepath.Join(t.TempDir(), "pids")
	h := configured(t, transport, "ProxyCommand sh -c 'echo $$ >> "+pids+"; sleep 300 & sleep 300'\n")
	h.Connection.Settings.(*ssh.Settings).ConnectTimeout = "500ms"
	_, err := transport.Open(t.Context(), h)
	if engine.KindOf(err) != engine.KindTimeout || !strings.Contains(err.Error(), "500ms") {
		t.Errorf("got %v", err)
	}
	noProcess(t, pids)
}

// noProcess waits until no process of the list lives.
func noProcess(t *testing.T, list string) {
	t.Helper()
	text, err := os.ReadFile(list)
	if err != nil || len(strings.Fields(string(text))) == 0 {
		t.Fatalf("it was not started: %v", err)
	}
	for _, pid := range strings.Fields(string(text)) {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat("/proc/" + pid); err != nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("process %s lives", pid)
			}
		}
	}
}

// TestPlanIsBoundToTheConfiguration: another user or way binds; that lines move, or what a command decides, does not.
func TestPlanIsBoundToTheConfiguration(t *testing.T) {
	said := func(text string) string {
		transport := ssh.New()
		h := configured(t, transport, text)
		all := ""
		for _, o := range h.Connection.Settings.(*ssh.Settings).Explain(h.Address) {
			all += o.Arg + " " + o.Value.GoString() + "\n"
		}
		return all
	}
	was := said("Host db1\nUser a\nHost other\nUser x\n")
	if was == "" || was != said("# moved\n\nHost db1\nUser a\n") {
		t.Errorf("%q is not the same when lines move", was)
	}
	for _, other := range []string{"Host db1\nUser b\n", "Host db1\nUser a\nProxyJump c\n", "Match exec true\nUser a\n"} {
		if said(other) == was {
			t.Errorf("%q is the same", other)
		}
	}
	if strings.Contains(said("Match exec true\nUser a\n"), "User") {
		t.Error("what a command decides was asked")
	}
}
