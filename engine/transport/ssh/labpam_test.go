//go:build lab

package ssh_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

// tryUser begins the names of users and PAM services; another run of the tests on this machine has others.
var tryUser = fmt.Sprintf("dsplaytry%d", os.Getpid())

// service starts sshd with a PAM stack of its own: PAM knows it by the name of the program.
func service(t *testing.T, name, address, stack string, config ...string) *server {
	t.Helper()
	file := "/etc/pam.d/" + name
	write(t, file, stack)
	t.Cleanup(func() { os.Remove(file) })
	program := filepath.Join(t.TempDir(), name)
	if err := os.Symlink("/usr/sbin/sshd", program); err != nil {
		t.Fatal(err)
	}
	return startProgram(t, program, address, append([]string{"UsePAM yes"}, config...)...)
}

const account = "account required pam_unix.so\nsession required pam_permit.so\npassword required pam_unix.so\n"

func tryPAM(t *testing.T, all *tried) {
	addUser(t, tryUser, password, "/bin/bash")
	addUser(t, tryUser+"old", password, "/bin/bash")
	t.Run("as ESXi", func(t *testing.T) {
		const system = "as ESXi: only keyboard-interactive, by PAM"
		s := service(t, tryUser+"-esx", "127.0.22.7", "auth required pam_unix.so nodelay\n"+account, "PasswordAuthentication no", "KbdInteractiveAuthentication yes", "AllowTcpForwarding no")
		all.row(t, system, "the password", s.host(t, tryUser, "rsa", withPassword(password)), "by keyboard-interactive")
		all.row(t, system, "a wrong password", s.host(t, tryUser, "rsa", withPassword("s3cret")), "was refused")
		command(t, "chage", "-d", "0", tryUser+"old")
		all.row(t, system+"; the password has expired", "the password", s.host(t, tryUser+"old", "rsa", withPassword(password)), "has expired")
	})
	t.Run("two questions", tryTwoQuestions(all))
	t.Run("expired", func(t *testing.T) {
		s := service(t, tryUser+"-exp", "127.0.22.9", "auth required pam_unix.so nodelay\n"+account)
		key := s.authorize(t)
		command(t, "chage", "-d", "2020-01-01", "-E", "2020-01-02", tryUser+"old")
		all.row(t, "PAM; the account has expired", "a key", s.host(t, tryUser+"old", "rsa", withKey(key)), "Your account has expired")
		all.row(t, "PAM; the account has expired", "the password", s.host(t, tryUser+"old", "rsa", withPassword(password)), "Your account has expired")
	})
}

// tryTwoQuestions: pam_unix, then pam_google_authenticator with codes that are good once.
func tryTwoQuestions(all *tried) func(*testing.T) {
	return func(t *testing.T) {
		const system = "PAM asks twice: pam_unix, pam_google_authenticator"
		dir := t.TempDir()
		file := filepath.Join(dir, "codes")
		write(t, file, "ABCDEFGHIJKLMNOPABCDEFGHIJ\n\" TOTP_AUTH\n12345678\n23456789\n34567890\n")
		if err := os.Chmod(file, 0o400); err != nil {
			t.Fatal(err)
		}
		stack := "auth required pam_unix.so nodelay\nauth required pam_google_authenticator.so user=root secret=" + file + "\n" + account
		s := service(t, tryUser+"-otp", "127.0.22.8", stack, "PasswordAuthentication no", "KbdInteractiveAuthentication yes")
		with := func(pass string, answers map[string]engine.Secret) *engine.Host {
			return s.host(t, tryUser, "rsa", func(s *ssh.Settings) { s.Password, s.Answers = engine.Plain(pass), answers })
		}
		code := func(text string) map[string]engine.Secret {
			return map[string]engine.Secret{"Verification code": engine.Plain(text)}
		}
		all.row(t, system, "the password", with(password, nil), `the host asks "Verification code:", to which there is no answer`)
		all.row(t, system, "the password, `answers = { \"Verification code\" = … }`", with(password, code("12345678")), "by keyboard-interactive")
		all.row(t, system, "that again: the code is used up", with(password, code("12345678")), "were refused")
		all.row(t, system, "a wrong password, and a good code", with("s3cret", code("23456789")), "were refused")
		all.row(t, system, "both in `answers`, and no password", with("", map[string]engine.Secret{"password": engine.Plain(password), "VERIFICATION": engine.Plain("34567890")}), "by keyboard-interactive")

		s = service(t, tryUser+"-two", "127.0.22.10", stack, "AuthenticationMethods publickey,keyboard-interactive")
		key := s.authorize(t)
		all.row(t, "`AuthenticationMethods publickey,keyboard-interactive`", "a key and no password", s.host(t, tryUser, "rsa", withKey(key)), "and wants keyboard-interactive besides")
	}
}

// TestLabExpiredPasswordByTheMethodPassword: sshd lets such a user in, and then runs nothing; the manual says so.
func TestLabExpiredPasswordByTheMethodPassword(t *testing.T) {
	addUser(t, tryUser+"old", password, "/bin/bash")
	command(t, "chage", "-d", "0", tryUser+"old")
	s := service(t, tryUser+"-old", "127.0.22.11", "auth required pam_unix.so nodelay\n"+account, "KbdInteractiveAuthentication no")
	shell := open(t, s.host(t, tryUser+"old", "rsa", withPassword(password)))
	var says strings.Builder
	code, err := shell.Exec(t.Context(), engine.Process{Line: "exit 0", Stdout: &says, Stderr: &says})
	if code != 1 || err != nil || !strings.Contains(says.String(), "Password change required but no TTY available") {
		t.Errorf("code %d, %v: %s", code, err, says.String())
	}
}

// TestLabHostThatStartsIsAskedAgain: pam_nologin refuses everybody but root while a host starts or goes down, after it has
// taken the password. That is no wrong password, and must not end a run that waits for the host.
func TestLabHostThatStartsIsAskedAgain(t *testing.T) {
	addUser(t, tryUser, password, "/bin/bash")
	for i, config := range []string{"KbdInteractiveAuthentication no", "PasswordAuthentication no"} {
		nologin := filepath.Join(t.TempDir(), "nologin")
		write(t, nologin, "\"System is booting up. Unprivileged users are not permitted to log in yet. Please come back later.\"\n")
		s := service(t, tryUser+"-nologin", fmt.Sprintf("127.0.22.%d", 12+i), "auth required pam_unix.so nodelay\naccount required pam_nologin.so file="+nologin+"\n"+account, config)
		h, transport := s.host(t, tryUser, "rsa", withPassword(password)), ssh.New()
		for range 2 {
			_, err := transport.Open(t.Context(), h)
			if err == nil || !strings.Contains(err.Error(), "booting up") || strings.Contains(err.Error(), "earlier in this run") {
				t.Errorf("%s: %v", config, err)
			}
		}
		if err := os.Remove(nologin); err != nil {
			t.Fatal(err)
		}
		conn, err := transport.Open(t.Context(), h)
		if err != nil {
			t.Errorf("%s: %v", config, err)
			continue
		}
		conn.Close()
	}
}
