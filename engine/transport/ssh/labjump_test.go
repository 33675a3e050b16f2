//go:build lab

package ssh_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

// real is a host of this name behind a real sshd, with a key that it lets in.
func (s *server) real(t *testing.T, name, key string, change func(*ssh.Settings)) *engine.Host {
	t.Helper()
	h := s.host(t, "root", "ed25519", func(settings *ssh.Settings) {
		settings.Key = key
		if change != nil {
			change(settings)
		}
	})
	h.Name = name
	return h
}

// shareKey makes s let in the key of another server.
func (s *server) shareKey(t *testing.T, key string) {
	t.Helper()
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.dir, "authorized_keys"), string(public))
	for dir := s.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLabJumpOverTwoHosts(t *testing.T) {
	outer, inner, target := startSSHD(t, "127.0.3.1"), startSSHD(t, "127.0.3.2"), startSSHD(t, "127.0.3.3")
	key := outer.authorize(t)
	inner.shareKey(t, key)
	target.shareKey(t, key)
	all := known(t, lineOf(t, outer), lineOf(t, inner), lineOf(t, target))
	addresses := func(s *ssh.Settings) {
		s.Jump, s.KnownHosts = []string{fmt.Sprintf("root@127.0.3.1:%d", outer.port), fmt.Sprintf("root@127.0.3.2:%d", inner.port)}, all
	}
	e := newEstate(t, outer.real(t, "outer", key, nil), inner.real(t, "inner", key, via("outer")),
		target.real(t, "named", key, via("outer", "inner")), target.real(t, "addressed", key, addresses))
	for _, name := range []string{"named", "addressed"} {
		says(t, e.get(t, name), `echo $SSH_CONNECTION | cut -d" " -f1,3`, "127.0.0.1 127.0.3.3\n")
		big := strings.Repeat("0123456789abcdef", 1<<16)
		var out strings.Builder
		if code, err := e.get(t, name).Exec(t.Context(), engine.Process{Line: "cat", Stdin: strings.NewReader(big), Stdout: &out}); err != nil || code != 0 || out.String() != big {
			t.Errorf("%s: %d bytes came back, %d, %v", name, out.Len(), code, err)
		}
	}
	if n := len(outer.connections()); n != 2 {
		t.Errorf("outer has %d connections: one of the inventory, and one of the addresses", n)
	}
	_ = e.pool.Close()
	for end := time.Now().Add(10 * time.Second); len(outer.connections())+len(inner.connections())+len(target.connections()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("left: %v %v %v", outer.connections(), inner.connections(), target.connections())
		}
	}
}

func lineOf(t *testing.T, s *server) string {
	t.Helper()
	public, err := os.ReadFile(filepath.Join(s.dir, "ed25519.pub"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("[%s]:%d %s", s.address, s.port, strings.TrimSpace(string(public)))
}

// TestLabConfiguredWay: ProxyJump over two hosts and ProxyCommand of the real ssh, as ~/.ssh/config has them.
func TestLabConfiguredWay(t *testing.T) {
	outer, inner, target := startSSHD(t, "127.0.3.4"), startSSHD(t, "127.0.3.5"), startSSHD(t, "127.0.3.6")
	key := outer.authorize(t)
	inner.shareKey(t, key)
	target.shareKey(t, key)
	all := known(t, lineOf(t, outer), lineOf(t, inner), lineOf(t, target))
	config := filepath.Join(t.TempDir(), "config")
	text := "Host *\n User root\n IdentityFile " + key + "\n UserKnownHostsFile " + all + "\n IdentitiesOnly yes\n BatchMode yes\n" +
		fmt.Sprintf("Host outer\n HostName 127.0.3.4\n Port %d\nHost inner\n HostName 127.0.3.5\n Port %d\n ProxyJump outer\n", outer.port, inner.port) +
		fmt.Sprintf("Host target* \n HostName 127.0.3.6\n Port %d\nHost target1\n ProxyJump outer,inner\nHost target2\n ProxyJump inner\n", target.port) +
		"Host target3\n ProxyCommand ssh -F " + config + " -W %h:%p inner\n"
	write(t, config, text)
	for _, name := range []string{"target1", "target2", "target3"} {
		transport := ssh.New()
		transport.Config = config
		h := &engine.Host{Name: name, Address: name, Connection: engine.Connection{Type: "ssh", Settings: transport.Settings()}}
		command(t, "ssh", "-F", config, name, "true") // the real one takes the same way
		conn, err := transport.Open(t.Context(), h)
		if err != nil {
			t.Errorf("%s: %v (%s)", name, err, engine.HintOf(err))
			continue
		}
		says(t, conn.(engine.Shell), `echo $SSH_CONNECTION | cut -d" " -f1,3`, "127.0.0.1 127.0.3.6\n")
		t.Log(h.Via())
		conn.Close()
	}
}

func TestLabJumpHostForbidsForwarding(t *testing.T) {
	gate, target := startSSHD(t, "127.0.3.7", "AllowTcpForwarding no"), startSSHD(t, "127.0.3.8")
	key := gate.authorize(t)
	target.shareKey(t, key)
	open := startSSHD(t, "127.0.3.9", "PermitOpen 127.0.0.1:1")
	open.shareKey(t, key)
	e := newEstate(t, gate.real(t, "gate", key, nil), open.real(t, "open", key, nil), target.real(t, "a", key, via("gate")), target.real(t, "b", key, via("open")))
	_ = e.mustNot(t, "a", engine.KindProtocol, "the jump host gate lets no connections through", "administratively prohibited")
	_ = e.mustNot(t, "b", engine.KindProtocol, "the jump host open lets no connections through", "PermitOpen")
}

func TestLabJumpHostDoesNotReachTheHost(t *testing.T) {
	gate := startSSHD(t, "127.0.3.10")
	key := gate.authorize(t)
	nobody, unknown := gate.real(t, "nobody", key, via("gate")), gate.real(t, "unknown", key, via("gate"))
	nobody.Connection.Settings.(*ssh.Settings).Port = freePort(t, "127.0.3.10")
	unknown.Address = "nosuchhost.invalid"
	e := newEstate(t, gate.real(t, "gate", key, nil), nobody, unknown)
	_ = e.mustNot(t, "nobody", engine.KindRefused, "the jump host gate does not reach it", "Connection refused")
	_ = e.mustNot(t, "unknown", engine.KindDNS, "the jump host gate does not reach it")
}

// TestLabFiftyHostsBehindOneJumpHost: with MaxStartups 3 and MaxSessions 1 at the jump host, and MaxStartups 2:100:2 at
// the one sshd that all fifty are.
func TestLabFiftyHostsBehindOneJumpHost(t *testing.T) {
	gate, target := startSSHD(t, "127.0.3.11", "MaxStartups 3:100:3", "MaxSessions 1"), startSSHD(t, "127.0.3.12", "MaxStartups 4:100:4")
	key := gate.authorize(t)
	target.shareKey(t, key)
	hosts := []*engine.Host{gate.real(t, "gate", key, nil)}
	for i := range 50 {
		hosts = append(hosts, target.real(t, fmt.Sprint("h", i), key, func(s *ssh.Settings) { s.Jump, s.ConnectTimeout = []string{"gate"}, "120s" }))
	}
	e := newEstate(t, hosts...)
	var wait sync.WaitGroup
	begun := time.Now()
	for _, h := range hosts[1:] {
		wait.Go(func() {
			c, err := e.pool.Get(t.Context(), h)
			if err != nil {
				t.Errorf("%s: %v (%s)", h.Name, err, engine.HintOf(err))
				return
			}
			says(t, c.(engine.Shell), "echo x", "x\n")
		})
	}
	wait.Wait()
	t.Logf("50 hosts in %s", time.Since(begun).Round(10*time.Millisecond))
	if n := len(gate.connections()); n != 1 {
		t.Errorf("the jump host has %d connections", n)
	}
}

// TestLabJumpHostIsKilled: what leads through it is lost at once, and found again through its successor.
func TestLabJumpHostIsKilled(t *testing.T) {
	gate, target := startSSHD(t, "127.0.3.13"), startSSHD(t, "127.0.3.14")
	key := gate.authorize(t)
	target.shareKey(t, key)
	e := newEstate(t, gate.real(t, "gate", key, nil), target.real(t, "a", key, via("gate")), target.real(t, "b", key, via("gate")))
	shell := e.get(t, "a")
	ended := make(chan error, 1)
	go func() {
		_, err := shell.Exec(t.Context(), engine.Process{Line: "sleep 60"})
		ended <- err
	}()
	time.Sleep(300 * time.Millisecond)
	for _, pid := range gate.connections() {
		process, err := os.FindProcess(pid)
		if err == nil {
			err = process.Kill()
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
	}
	if err := <-ended; engine.KindOf(err) != engine.KindLost || !strings.Contains(err.Error(), "the jump host gate broke") {
		t.Errorf("got %v", err)
	}
	says(t, e.get(t, "b"), "echo x", "x\n")
}
