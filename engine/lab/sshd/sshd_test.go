package sshd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/sshd"
	"golang.org/x/crypto/ssh"
)

// echo is a system of four commands.
func echo(ctx context.Context, s *sshd.Session) int {
	switch s.Line {
	case "cat":
		_, _ = io.Copy(s.Stdout, s.Stdin)
	case "die":
		return -9
	case "sleep":
		<-ctx.Done()
		return -15
	default:
		fmt.Fprintln(s.Stdout, s.User+": "+s.Line)
		fmt.Fprintln(s.Stderr, "noise")
		return 3
	}
	return 0
}

func listen(t *testing.T, change func(*sshd.Options)) *sshd.Server {
	t.Helper()
	o := sshd.Options{Handle: echo, Password: func(user, password string) bool { return password == "right" }}
	if change != nil {
		change(&o)
	}
	s, err := sshd.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func dial(s *sshd.Server, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	if auth == nil {
		auth = []ssh.AuthMethod{ssh.Password("right")}
	}
	return ssh.Dial("tcp", s.Addr().String(), &ssh.ClientConfig{
		User: "root", Auth: auth, HostKeyCallback: ssh.FixedHostKey(s.HostKey()), Timeout: 5 * time.Second,
	})
}

func connect(t *testing.T, s *sshd.Server) *ssh.Client {
	t.Helper()
	client, err := dial(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func session(t *testing.T, c *ssh.Client) *ssh.Session {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSessionCarriesStreamsAndExitCode(t *testing.T) {
	c := connect(t, listen(t, nil))
	var out, errs bytes.Buffer
	s := session(t, c)
	s.Stdout, s.Stderr = &out, &errs
	var exit *ssh.ExitError
	if err := s.Run("hello"); !errors.As(err, &exit) || exit.ExitStatus() != 3 {
		t.Fatalf("got %v, want exit status 3", err)
	}
	if out.String() != "root: hello\n" || errs.String() != "noise\n" {
		t.Errorf("stdout %q, stderr %q", out.String(), errs.String())
	}
	s = session(t, c)
	big := strings.Repeat("0123456789abcdef", 1<<16)
	s.Stdin = strings.NewReader(big)
	if got, err := s.Output("cat"); err != nil || string(got) != big {
		t.Errorf("cat gave %d bytes back, %v", len(got), err)
	}
	if err := session(t, c).Run("die"); !errors.As(err, &exit) || exit.Signal() != "KILL" {
		t.Errorf("got %v, want the signal KILL", err)
	}
}

func TestSignalEndsTheHandler(t *testing.T) {
	s := session(t, connect(t, listen(t, nil)))
	if err := s.Start("sleep"); err != nil {
		t.Fatal(err)
	}
	if err := s.Signal(ssh.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *ssh.ExitError
	if err := s.Wait(); !errors.As(err, &exit) || exit.Signal() != "TERM" {
		t.Errorf("got %v, want the signal TERM", err)
	}
}

func TestClosingTheChannelEndsTheHandler(t *testing.T) {
	ended := make(chan struct{})
	server := listen(t, func(o *sshd.Options) {
		o.Handle = func(ctx context.Context, s *sshd.Session) int { <-ctx.Done(); close(ended); return 0 }
	})
	s := session(t, connect(t, server))
	if err := s.Start("sleep"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	<-ended
}

func TestKeyboardInteractiveIsOfferedInsteadOfPassword(t *testing.T) {
	server := listen(t, func(o *sshd.Options) { o.KeyboardInteractive = true })
	if _, err := dial(server); err == nil || !strings.Contains(err.Error(), "no supported methods remain") {
		t.Errorf("password alone: %v", err)
	}
	asked := 0
	client, err := dial(server, ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		asked++
		answers := make([]string, len(questions))
		for i := range answers {
			answers[i] = "right"
		}
		return answers, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	for deadline := time.Now().Add(5 * time.Second); server.Logins() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // the server counts after it has told the client
	}
	if asked != 2 || server.Logins() != 1 {
		t.Errorf("asked %d times, %d logins; OpenSSH with PAM asks twice", asked, server.Logins())
	}
}

func TestMaxSessionsRefusesAsOpenSSH(t *testing.T) {
	c := connect(t, listen(t, func(o *sshd.Options) { o.MaxSessions = 1 }))
	first := session(t, c)
	if err := first.Start("sleep"); err != nil {
		t.Fatal(err)
	}
	_, err := c.NewSession()
	var refused *ssh.OpenChannelError
	if !errors.As(err, &refused) || refused.Reason != ssh.ConnectionFailed || refused.Message != "open failed" {
		t.Errorf("got %v", err)
	}
	_ = first.Signal(ssh.SIGTERM)
	_ = first.Wait()
	for range 100 { // the slot is free a moment after the client knows of the end, as in OpenSSH
		if _, err = c.NewSession(); err == nil {
			return
		}
	}
	t.Errorf("after the end of the first: %v", err)
}

func TestFaults(t *testing.T) {
	server := listen(t, nil)
	server.Drop(1)
	if _, err := dial(server); err == nil {
		t.Error("a dropped connection worked")
	}
	c := connect(t, server)
	s := session(t, c)
	if err := s.Start("sleep"); err != nil {
		t.Fatal(err)
	}
	server.Cut()
	var missing *ssh.ExitMissingError
	if err := s.Wait(); !errors.As(err, &missing) {
		t.Errorf("after a cut: %v", err)
	}

	old := server.HostKey()
	other, err := sshd.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	server.SetHostKey(other)
	if bytes.Equal(old.Marshal(), server.HostKey().Marshal()) {
		t.Error("the host key did not change")
	}

	c = connect(t, server)
	server.Freeze(true)
	answered := make(chan error, 1)
	go func() {
		_, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("a frozen server answered: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	server.Freeze(false)
	if err := <-answered; err != nil {
		t.Errorf("after the thaw: %v", err)
	}
	server.Close()
	if _, err := dial(server); err == nil {
		t.Error("a closed server accepted a connection")
	}
}
