package ssh_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
	"golang.org/x/crypto/ssh/knownhosts"
)

// sh is a host whose commands /bin/sh really runs.
func sh(ctx context.Context, s *sshd.Session) int {
	cmd := exec.Command("/bin/sh", "-c", s.Line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s.Stdout, s.Stderr, 100*time.Millisecond
	stdin, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return 255
	}
	go func() {
		_, _ = io.Copy(stdin, s.Stdin)
		_ = stdin.Close()
	}()
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	_ = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return -int(status.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

func listen(t testing.TB, change func(*sshd.Options)) *sshd.Server {
	t.Helper()
	o := sshd.Options{Handle: sh, Password: func(user, password string) bool { return user == "ops" && password == "correct-horse" }}
	if change != nil {
		change(&o)
	}
	server, err := sshd.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// host is one whose key is known.
func host(t testing.TB, server *sshd.Server, change func(*ssh.Settings)) *engine.Host {
	t.Helper()
	address := server.Addr().(*net.TCPAddr)
	settings := ssh.New().Settings().(*ssh.Settings)
	settings.User, settings.Password, settings.Port = "ops", engine.Plain("correct-horse"), address.Port
	settings.KnownHosts = known(t, knownhosts.Line([]string{address.String()}, server.HostKey()))
	settings.Keepalive, settings.Agent = "2s", false
	if change != nil {
		change(settings)
	}
	return &engine.Host{Name: "dsva1", Address: address.IP.String(), Connection: engine.Connection{Type: "ssh", Settings: settings}}
}

func known(t testing.TB, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	var text string
	for _, line := range lines {
		text += line + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func open(t testing.TB, h *engine.Host) engine.Shell {
	t.Helper()
	conn, err := ssh.New().Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(engine.Shell)
}

func mustNotOpen(t *testing.T, h *engine.Host, kind engine.ErrorKind) *engine.Error {
	t.Helper()
	conn, err := ssh.New().Open(t.Context(), h)
	if err == nil {
		conn.Close()
		t.Fatal("it opened")
	}
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != kind || !e.Unreachable || e.Host != h.Name || e.Op == "" || e.Hint == "" {
		t.Fatalf("got %#v, want the kind %q, with host, op and hint", err, kind)
	}
	if text := e.Error() + e.Hint; strings.Contains(text, "correct-horse") || strings.Contains(text, "s3cret") {
		t.Errorf("the password is in %q", text)
	}
	return e
}

// atMinusOne is what the /bin/sh here makes of exit -1: dash and ash refuse it, bash takes 8 bits.
func atMinusOne(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "exit -1")
	_ = cmd.Run() // the code says it
	return cmd.ProcessState.ExitCode()
}

func TestTransport(t *testing.T) {
	server := listen(t, func(o *sshd.Options) { o.MaxSessions = 10 })
	transporttest.Run(t, transporttest.Target{
		Open:  func(t *testing.T) engine.Shell { return open(t, host(t, server, nil)) },
		Codes: map[int]int{300: 44, -1: atMinusOne(t)},
		Cut:   func(*testing.T) { server.Cut() },
		Silence: func(*testing.T) func() {
			server.Freeze(true)
			return func() { server.Freeze(false) }
		},
	})
}
