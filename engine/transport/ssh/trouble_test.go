package ssh_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
)

func soon(s *ssh.Settings) { s.ConnectTimeout = "300ms" }

func TestSilentServerIsATimeout(t *testing.T) {
	server := listen(t, nil)
	server.Freeze(true)
	e := mustNotOpen(t, host(t, server, soon), engine.KindTimeout)
	if !errors.Is(e, context.DeadlineExceeded) || !strings.Contains(e.Error(), "300ms") {
		t.Error(e)
	}
}

func TestStoppedWhileConnecting(t *testing.T) {
	server := listen(t, nil)
	server.Freeze(true)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := ssh.New().Open(ctx, host(t, server, nil)); !errors.Is(err, context.Canceled) || !engine.IsUnreachable(err) {
		t.Errorf("got %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	server := listen(t, nil)
	h := host(t, server, nil)
	server.Close()
	if e := mustNotOpen(t, h, engine.KindRefused); !errors.Is(e, syscall.ECONNREFUSED) {
		t.Error(e)
	}
}

func TestWhatListensIsNoSSH(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"+strings.Repeat("x", 1<<17))
			conn.Close()
		}
	}()
	h := host(t, listen(t, nil), func(s *ssh.Settings) { s.Port = listener.Addr().(*net.TCPAddr).Port; s.ConnectTimeout = "5s" })
	_ = mustNotOpen(t, h, engine.KindProtocol)
}

func TestBusyServerIsAskedAgain(t *testing.T) {
	t.Parallel() // it waits for all tries
	server := listen(t, nil)
	server.Drop(2)
	open(t, host(t, server, nil))
	const always = 1 << 20
	server.Drop(always)
	e := mustNotOpen(t, host(t, server, nil), engine.KindProtocol)
	if !strings.Contains(e.Hint, "MaxStartups") {
		t.Error(e.Hint)
	}
	if n := always - server.Dropping(); n != 6 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestFullServerIsWaitedFor(t *testing.T) {
	shell := open(t, host(t, listen(t, func(o *sshd.Options) { o.MaxSessions = 1 }), nil))
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if code, err := shell.Exec(t.Context(), engine.Process{Line: "exit 3"}); code != 3 || err != nil {
				t.Errorf("got %d, %v", code, err)
			}
		})
	}
	wait.Wait()
}

func TestDeathBySignalIsACode(t *testing.T) {
	shell := open(t, host(t, listen(t, nil), nil))
	if code, err := shell.Exec(t.Context(), engine.Process{Line: "kill -KILL $$"}); code != 128+9 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
}

// TestHangingSessionIsAdmitted: the host takes the command and never speaks of it again.
func TestHangingSessionIsAdmitted(t *testing.T) {
	server := listen(t, nil)
	shell := open(t, host(t, server, nil))
	server.Hang(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := shell.Exec(ctx, engine.Process{Line: "true"})
	if engine.KindOf(err) != engine.KindTimeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*ssh.Settings){
		"port":            func(s *ssh.Settings) { s.Port = 70000 },
		"host_keys":       func(s *ssh.Settings) { s.HostKeys = "yes" },
		"connect_timeout": func(s *ssh.Settings) { s.ConnectTimeout = "soon" },
		"keepalive":       func(s *ssh.Settings) { s.Keepalive = "-1s" },
	} {
		s := ssh.New().Settings().(*ssh.Settings)
		if err := s.Validate(); err != nil {
			t.Errorf("the defaults are refused: %v", err)
		}
		change(s)
		var bad engine.BadArg
		if !errors.As(s.Validate(), &bad) || bad.Arg != name {
			t.Errorf("%s: %v", name, s.Validate())
		}
	}
	for _, f := range engine.Fields(&ssh.Settings{}) {
		if f.Doc == "" {
			t.Errorf("%s has no doc", f.Name)
		}
	}
}
