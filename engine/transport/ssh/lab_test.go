//go:build lab

// The tests with the tag lab need root and Debian's openssh-server, sudo and busybox-static; they add users, and
// remove them.

package ssh_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

const password = "Lab-Pass.word1"

// target has a login shell that makes minusOne of exit -1: bash takes 8 bits, dash and BusyBox refuse the number.
func (s *server) target(t *testing.T, user string, minusOne int, change func(*ssh.Settings)) transporttest.Target {
	return transporttest.Target{
		Open:  func(t *testing.T) engine.Shell { return open(t, s.host(t, user, "ed25519", change)) },
		Codes: map[int]int{300: 44, -1: minusOne},
		Cut:   func(t *testing.T) { s.signal(t, syscall.SIGKILL) },
		Silence: func(t *testing.T) func() {
			stopped := s.connections()
			s.signal(t, syscall.SIGSTOP)
			return func() {
				for _, pid := range stopped {
					_ = syscall.Kill(pid, syscall.SIGCONT)
				}
			}
		},
	}
}

func TestLabOpenSSH(t *testing.T) {
	s := startSSHD(t, "127.0.21.1", "UsePAM no", "PasswordAuthentication yes")
	key := s.authorize(t)
	addUser(t, "dsplaybash", password, "/bin/bash")
	addUser(t, "dsplaydash", password, "/bin/dash")
	// A root without the root of this machine's .bashrc, which sshd has bash run before each command.
	addUser(t, "dsplayroot", password, "/bin/bash", "-o", "-u", "0", "-M", "-d", "/")
	for user, minusOne := range map[string]int{"dsplayroot": 255, "dsplaybash": 255, "dsplaydash": 2} {
		t.Run(user, func(t *testing.T) {
			transporttest.Run(t, s.target(t, user, minusOne, func(s *ssh.Settings) { s.Key = key }))
		})
	}
	t.Run("password", func(t *testing.T) {
		shell := open(t, s.host(t, "dsplaybash", "ed25519", func(s *ssh.Settings) { s.Password = engine.Plain(password) }))
		if code, err := shell.Exec(t.Context(), engine.Process{Line: "exit 5"}); code != 5 || err != nil {
			t.Errorf("got %d, %v", code, err)
		}
		_ = mustNotOpen(t, s.host(t, "dsplaybash", "ed25519", func(s *ssh.Settings) { s.Password = engine.Plain("s3cret") }), engine.KindAuth)
	})
	t.Run("each kind of host key alone", func(t *testing.T) {
		for _, kind := range strings.Fields(keyKinds) {
			got := open(t, s.host(t, "root", kind, func(s *ssh.Settings) { s.Key = key })).Identity()
			if !strings.Contains(got, kind) {
				t.Errorf("known_hosts has %s, the host proved to be %s", kind, got)
			}
		}
	})
}

// TestLabMaxStartups: with its defaults sshd turns away a third of so many.
func TestLabMaxStartups(t *testing.T) {
	s := startSSHD(t, "127.0.21.2", "UsePAM no")
	key := s.authorize(t)
	h := s.host(t, "root", "ed25519", func(s *ssh.Settings) { s.Key = key })
	transport := ssh.New()
	var wait sync.WaitGroup
	for range 25 {
		wait.Go(func() {
			conn, err := transport.Open(t.Context(), h)
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		})
	}
	wait.Wait()
}

func TestLabOldAlgorithms(t *testing.T) {
	for _, test := range []struct {
		name   string
		needs  bool // legacy_algorithms
		config []string
	}{
		{"as ESXi 6.0", false, []string{"KexAlgorithms diffie-hellman-group14-sha1", "HostKeyAlgorithms ssh-rsa", "Ciphers aes128-ctr", "MACs hmac-sha1"}},
		{"gex-sha256", false, []string{"KexAlgorithms diffie-hellman-group-exchange-sha256"}},
		{"group16", false, []string{"KexAlgorithms diffie-hellman-group16-sha512"}},
		{"group1 and CBC", true, []string{"KexAlgorithms diffie-hellman-group1-sha1", "Ciphers aes128-cbc"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startSSHD(t, "127.0.21.3", append(test.config, "UsePAM no")...)
			key := s.authorize(t)
			h := func(legacy bool) *engine.Host {
				return s.host(t, "root", "rsa", func(s *ssh.Settings) { s.Key, s.Legacy = key, legacy })
			}
			if test.needs {
				if e := mustNotOpen(t, h(false), engine.KindProtocol); !strings.Contains(e.Hint, "legacy_algorithms") {
					t.Error(e.Hint)
				}
			}
			open(t, h(test.needs))
		})
	}
}

// TestLabESXi: a root that has BusyBox and nothing else, keyboard-interactive by PAM, a user who is root.
func TestLabESXi(t *testing.T) {
	root := busyboxRoot(t)
	addUser(t, "dsplayesx", password, "/bin/sh", "-o", "-u", "0", "-M", "-d", "/dsplayesx") // there is none outside
	s := startSSHD(t, "127.0.21.4", "UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes",
		"AllowTcpForwarding no", "Match User dsplayesx", "ChrootDirectory "+root)
	settings := func(s *ssh.Settings) { s.Password = engine.Plain(password) }
	t.Run("transport", func(t *testing.T) {
		target := s.target(t, "dsplayesx", 2, settings)
		target.Orphans = true // no /proc, and OpenSSH passes no signal on for root
		transporttest.Run(t, target)
	})
	t.Run("machine", func(t *testing.T) {
		shell := open(t, s.host(t, "dsplayesx", "rsa", settings))
		host := machine.New(&redialer{conn: shell}, &engine.Host{Name: "esx1"}, machine.Options{Sudo: &engine.Sudo{}})
		if platform, err := host.Platform(t.Context()); platform != engine.ESXi || err != nil {
			t.Fatalf("the platform is %q, %v", platform, err)
		}
		mux := engine.Command{Argv: []string{"/etc/init.d/vShield-Endpoint-Mux", "restart"}}
		if line, _ := host.Line(t.Context(), mux); line != "/etc/init.d/vShield-Endpoint-Mux restart" {
			t.Errorf("the line is %q; ESXi has no sudo", line)
		}
		out, err := host.Acting([]string{"/etc/init.d/vShield-Endpoint-Mux restart"}).Do(t.Context(), mux)
		if err != nil || !strings.Contains(out.Stdout, "started") {
			t.Errorf("got %q, %v", out.Stdout, err)
		}
		checkFiles(t, host)
	})
	t.Run("wrong password", func(t *testing.T) {
		_ = mustNotOpen(t, s.host(t, "dsplayesx", "rsa", func(s *ssh.Settings) { s.Password = engine.Plain("s3cret") }), engine.KindAuth)
	})
}

// busyboxRoot is what an ESXi host looks like from its shell. sshd wants that nobody but root can change it or a
// directory above it.
func busyboxRoot(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("/var/lib", "dsplay-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	for _, dir := range []string{"", "bin", "dev", "dsplayesx", "etc/init.d", "tmp", "var/run"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("the lab needs busybox-static: ", err)
	}
	command(t, "cp", busybox, root+"/bin/busybox")
	for applet := range strings.FieldsSeq("sh ash cat echo grep head kill ls mkdir printf ps rm sed sleep tr uname wc id test [ true false") {
		if err := os.Symlink("busybox", filepath.Join(root, "bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
	command(t, "mknod", root+"/dev/null", "c", "1", "3")
	command(t, "mknod", root+"/dev/zero", "c", "1", "5")
	command(t, "mknod", root+"/dev/full", "c", "1", "7")
	script := func(name, text string) {
		write(t, filepath.Join(root, name), "#!/bin/sh\n"+text)
		if err := os.Chmod(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script("bin/vmware", "echo 'VMware ESXi 7.0.3 build-19193900'\n")
	script("bin/esxcli", "exit 1\n")
	script("etc/init.d/vShield-Endpoint-Mux", "echo 'vShield-Endpoint-Mux stopped'; echo 'vShield-Endpoint-Mux started'\n")
	return root
}
