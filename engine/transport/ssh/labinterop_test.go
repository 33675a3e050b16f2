//go:build lab

package ssh_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

// TestLabTriedWith tries real servers, each set in its own way, and keeps the table "Tried with" of the manual true.
// It needs Debian's openssh-server, openssh-client and libpam-google-authenticator.
func TestLabTriedWith(t *testing.T) {
	t.Setenv("HOME", t.TempDir()) // no keys of whoever runs this
	t.Setenv("SSH_AUTH_SOCK", "")
	all := &tried{}
	for _, part := range []struct {
		name string
		run  func(*testing.T, *tried)
	}{
		{"default", tryDefault}, {"hardened", tryHardened}, {"algorithms", tryAlgorithms}, {"agent", tryAgent},
		{"user certificates", tryUserCertificates}, {"host certificates", tryHostCertificates}, {"PAM", tryPAM},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(t, all) }) {
			return // a table with holes is none
		}
	}
	all.publish(t)
}

// userKey makes a pair of key files in dir, and lets s accept it when s is not nil.
func userKey(t *testing.T, s *server, dir, name, kind string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	keygen(t, kind, file)
	if s == nil {
		return file
	}
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	list, _ := os.ReadFile(s.dir + "/authorized_keys")
	write(t, s.dir+"/authorized_keys", string(list)+string(public))
	return file
}

func withKey(file string) func(*ssh.Settings) { return func(s *ssh.Settings) { s.Key = file } }

func withPassword(text string) func(*ssh.Settings) {
	return func(s *ssh.Settings) { s.Password = engine.Plain(text) }
}

func tryDefault(t *testing.T, all *tried) {
	s := startSSHD(t, "127.0.22.1", "UsePAM no")
	s.authorize(t)
	addUser(t, tryUser, password, "/bin/bash")
	dir := t.TempDir()
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		all.row(t, "default", "a key ("+kind+")", s.host(t, "root", "ed25519", withKey(userKey(t, s, dir, "id_"+kind, kind))), "logs in as root by publickey")
	}
	all.row(t, "default", "a key that the host does not know", s.host(t, "root", "ed25519", withKey(userKey(t, nil, dir, "other", "ed25519"))), "it accepts only publickey, password")
	all.row(t, "default", "the password", s.host(t, tryUser, "ed25519", withPassword(password)), "by password")
	all.row(t, "default", "a wrong password", s.host(t, tryUser, "ed25519", withPassword("s3cret")), "was refused")
	command(t, "passwd", "-q", "-l", tryUser)
	all.row(t, "default, the account is locked (`passwd -l`)", "the password", s.host(t, tryUser, "ed25519", withPassword(password)), "was refused")
	all.row(t, "default, there is no such user", "a password", s.host(t, tryUser+"nobody", "ed25519", withPassword(password)), "was refused")
	all.row(t, "default; `known_hosts` has its RSA key only", "a key", s.host(t, "root", "rsa", withKey(filepath.Join(dir, "id_ed25519"))), "rsa-sha2-512")
}

var hardened = []string{
	"UsePAM no", "HostKeyAlgorithms ssh-ed25519", "KexAlgorithms curve25519-sha256", "Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com",
	"MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com", "PubkeyAcceptedAlgorithms ssh-ed25519,ssh-ed25519-cert-v01@openssh.com",
	"PasswordAuthentication no", "KbdInteractiveAuthentication no", "MaxAuthTries 2", "MaxSessions 2", "MaxStartups 2:30:4", "LoginGraceTime 20",
}

func tryHardened(t *testing.T, all *tried) {
	const system = "hardened: only Ed25519, Curve25519, AEAD; no passwords, MaxAuthTries 2, MaxSessions 2, MaxStartups 2:30:4"
	s := startSSHD(t, "127.0.22.2", hardened...)
	s.authorize(t)
	dir := t.TempDir()
	key := userKey(t, s, dir, "id_ed25519", "ed25519")
	all.row(t, system, "a key (ed25519)", s.host(t, "root", "ed25519", withKey(key)), "logs in")
	all.row(t, system, "a key (rsa)", s.host(t, "root", "ed25519", withKey(userKey(t, s, dir, "id_rsa", "rsa"))), "refused")
	all.row(t, system, "a password", s.host(t, "root", "ed25519", withPassword(password)), "accepts no password")

	h := s.host(t, "root", "ed25519", withKey(key))
	transport := ssh.New()
	var wait sync.WaitGroup
	for range 8 { // at once, with as many commands each
		wait.Go(func() {
			conn, err := transport.Open(t.Context(), h)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			var commands sync.WaitGroup
			for range 8 {
				commands.Go(func() {
					if code, err := conn.(engine.Shell).Exec(t.Context(), engine.Process{Line: "exit 3"}); code != 3 || err != nil {
						t.Error(code, err)
					}
				})
			}
			commands.Wait()
		})
	}
	wait.Wait()
	if !t.Failed() {
		all.rows = append(all.rows, "| | 8 logins at once, 8 commands at once on each | all of them, in time |")
	}
}

// tryAlgorithms is the table of targets.md 5: what servers of their time have.
func tryAlgorithms(t *testing.T, all *tried) {
	for i, test := range []struct {
		system, kind, config string
		plain, legacy        string // part of the outcome
	}{
		{"as ESXi 5.5 and 6.0 (a guess)", "rsa", "KexAlgorithms diffie-hellman-group14-sha1; HostKeyAlgorithms ssh-rsa; Ciphers aes128-ctr,aes128-cbc; MACs hmac-sha1; PubkeyAcceptedAlgorithms +ssh-rsa", "logs in", ""},
		{"only gex-sha256, ssh-rsa, aes256-ctr, hmac-sha1-96", "rsa", "KexAlgorithms diffie-hellman-group-exchange-sha256; HostKeyAlgorithms ssh-rsa; Ciphers aes256-ctr; MACs hmac-sha1-96", "logs in", ""},
		{"only gex-sha256", "rsa", "KexAlgorithms diffie-hellman-group-exchange-sha256", "logs in", ""},
		{"only group16-sha512", "rsa", "KexAlgorithms diffie-hellman-group16-sha512", "logs in", ""},
		{"only gex-sha1", "rsa", "KexAlgorithms diffie-hellman-group-exchange-sha1", "legacy_algorithms", "logs in"},
		{"only group1-sha1", "rsa", "KexAlgorithms diffie-hellman-group1-sha1", "legacy_algorithms", "logs in"},
		{"only aes128-cbc", "rsa", "Ciphers aes128-cbc", "legacy_algorithms", "logs in"},
		{"only 3des-cbc", "rsa", "Ciphers 3des-cbc", "legacy_algorithms", "logs in"},
		{"only an ssh-dss host key", "dsa", "HostKeyAlgorithms ssh-dss", "legacy_algorithms", "logs in"},
		{"only aes256-cbc", "rsa", "Ciphers aes256-cbc", "no common algorithm", "no common algorithm"},
		{"only hmac-md5", "rsa", "Ciphers aes128-ctr; MACs hmac-md5", "no common algorithm", "no common algorithm"},
		{"only sntrup761", "rsa", "KexAlgorithms sntrup761x25519-sha512@openssh.com", "no common algorithm", "no common algorithm"},
		{"`PubkeyAcceptedAlgorithms +ssh-rsa`", "ed25519", "PubkeyAcceptedAlgorithms +ssh-rsa", "logs in", ""},
		{"takes only ssh-rsa signatures of users", "ed25519", "PubkeyAcceptedAlgorithms ssh-rsa", "legacy_algorithms", "logs in"},
		{"takes only rsa-sha2-256 signatures of users", "ed25519", "PubkeyAcceptedAlgorithms rsa-sha2-256", "legacy_algorithms", "logs in"},
	} {
		t.Run(test.system, func(t *testing.T) {
			config := append([]string{"UsePAM no"}, strings.Split(test.config, "; ")...)
			dir := t.TempDir()
			if test.kind == "dsa" {
				keygen(t, "dsa", dir+"/dsa")
				config = append(config, "HostKey "+dir+"/dsa")
			}
			s := startSSHD(t, fmt.Sprintf("127.0.22.%d", 30+i), config...)
			s.authorize(t)
			if test.kind == "dsa" {
				command(t, "cp", dir+"/dsa.pub", s.dir+"/dsa.pub")
			}
			key := userKey(t, s, dir, "id_rsa", "rsa")
			all.row(t, test.system, "a key (rsa)", s.host(t, "root", test.kind, withKey(key)), test.plain)
			if test.legacy != "" {
				all.row(t, test.system, "that, and `legacy_algorithms`", s.host(t, "root", test.kind, func(s *ssh.Settings) { s.Key, s.Legacy = key, true }), test.legacy)
			}
		})
	}
}

// realAgent is an ssh-agent with these keys.
func realAgent(t *testing.T, keys ...string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := dir + "/s"
	cmd := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := cmd.Start(); err != nil {
		t.Fatal("the lab needs openssh-client: ", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("ssh-agent does not start")
		}
	}
	t.Setenv("SSH_AUTH_SOCK", socket)
	for _, key := range keys {
		command(t, "ssh-add", "-q", key)
	}
}

func tryAgent(t *testing.T, all *tried) {
	const system = "MaxAuthTries 2"
	s := startSSHD(t, "127.0.22.3", "UsePAM no", system)
	s.authorize(t)
	dir := t.TempDir()
	var keys []string
	for i := range 6 {
		keys = append(keys, userKey(t, nil, dir, fmt.Sprintf("k%d", i+1), "ed25519"))
	}
	keys = append(keys, userKey(t, s, dir, "k7_rsa", "rsa"), userKey(t, s, dir, "k8", "ed25519"))
	realAgent(t, keys...)
	agent := func(key string) *engine.Host {
		return s.host(t, "root", "ed25519", func(s *ssh.Settings) { s.Agent, s.Key = true, key })
	}
	all.row(t, system, "an agent with 8 keys, the right one is the last", agent(""), "MaxAuthTries")
	all.row(t, system, "that, and `key = \"k8.pub\"`", agent(keys[7]+".pub"), "logs in")
	if err := os.Remove(keys[7]); err != nil {
		t.Fatal(err)
	}
	all.row(t, system, "that, and `key = \"k8\"`, of which there is only `k8.pub`", agent(keys[7]), "logs in")
	all.row(t, system, "that, and `key = \"k7_rsa.pub\"`", agent(keys[6]+".pub"), "logs in")
	t.Setenv("SSH_AUTH_SOCK", "")
	all.row(t, system, "`key = \"k8.pub\"` without an agent", agent(keys[7]+".pub"), "there is no agent")
}
