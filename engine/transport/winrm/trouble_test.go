package winrm_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

func count(server *wsman.Server, action string) (n int) {
	for _, r := range server.Requests() {
		if r.Action == action {
			n++
		}
	}
	return n
}

// until waits for a condition of a simulated system; the test's own deadline bounds it.
func until(t testing.TB, what string, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ready(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		if err := engine.Wait(t.Context(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

// bounded fails when f takes longer than any of the limits could explain.
func bounded(t testing.TB, f func()) {
	t.Helper()
	begin := time.Now()
	f()
	if took := time.Since(begin); took > 9*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server, h, s := host(t, wsman.Options{NTLM: true})
	s.ConnectTimeout = "500ms"
	server.Fail(wsman.Fault{Mode: wsman.Silent, On: "accept"})
	bounded(t, func() { _ = openError(t, h, engine.KindTimeout) })
	server.Heal()
	server.Fail(wsman.Fault{Mode: wsman.Silent, Times: 1})
	bounded(t, func() { _ = openError(t, h, engine.KindTimeout) })
	server.Fail(wsman.Fault{Mode: wsman.Silent, On: "Create", Times: 1})
	bounded(t, func() { _ = openError(t, h, engine.KindTimeout) })
	server.Fail(wsman.Fault{Mode: wsman.Cut, Times: 1})
	_ = openError(t, h, engine.KindRefused)
	server.Fail(wsman.Fault{Mode: wsman.Unavailable, Times: 1})
	if e := openError(t, h, engine.KindRefused); !strings.Contains(e.Error(), "503") {
		t.Error(e)
	}
	server.Fail(wsman.Fault{Mode: wsman.EmptyBody, On: "Create", Times: 1})
	_ = openError(t, h, engine.KindProtocol)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := winrm.New().Open(ctx, h); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	open(t, h) // it is a host after all
	server.Close()
	_ = openError(t, h, engine.KindRefused)
}

func TestQuota(t *testing.T) {
	_, h, _ := host(t, wsman.Options{NTLM: true, ShellQuota: 1})
	open(t, h)
	_, err := winrm.New().Open(t.Context(), h)
	if e := want(t, err, engine.KindProtocol); !strings.Contains(e.Error(), "concurrent shells") || e.Hint == "" || !e.Unreachable {
		t.Errorf("%+v", e)
	}
}

// What goes wrong while a command runs: it is never taken for a result, never asked again in a hot loop, and the
// command does not stay behind.
func TestTroubleWhileRunning(t *testing.T) {
	for _, way := range []string{"ntlm http", "basic https"} {
		for name, test := range map[string]struct {
			fault       wsman.Fault
			unreachable bool
		}{
			"fault":       {wsman.Fault{Mode: wsman.SOAPFault, On: "Receive", Code: 2150858999}, false},
			"empty":       {wsman.Fault{Mode: wsman.EmptyBody, On: "Receive"}, false},
			"unavailable": {wsman.Fault{Mode: wsman.Unavailable, On: "Receive"}, true},
			"lost reply":  {wsman.Fault{Mode: wsman.LoseReply, On: "Receive"}, true},
			"cut":         {wsman.Fault{Mode: wsman.Cut, On: "Receive"}, true},
			"silent":      {wsman.Fault{Mode: wsman.Silent, On: "Receive"}, true},
			"start lost":  {wsman.Fault{Mode: wsman.LoseReply, On: "Command", Times: 1}, true},
			"start empty": {wsman.Fault{Mode: wsman.EmptyBody, On: "Command", Times: 1}, false},
		} {
			t.Run(way+" "+name, func(t *testing.T) {
				t.Parallel()
				server, h := start(t, way)
				c := open(t, h)
				server.Fail(test.fault)
				_, err := exec(t.Context(), c, "wait", "")
				if e := want(t, err, engine.KindLost); e.Unreachable != test.unreachable || e.Orphan || errors.Is(err, engine.ErrNotRun) {
					t.Errorf("%+v", e)
				}
				if n := count(server, "Receive"); n > 1 {
					t.Errorf("asked %d times", n)
				}
				server.Heal()
				if got, err := exec(t.Context(), c, "say again", ""); got != "again||0" || err != nil {
					t.Errorf("afterwards: %s, %v", got, err)
				}
				if err := c.Close(); err != nil || server.Shells() != 0 {
					t.Errorf("close: %v, %d shells", err, server.Shells())
				}
			})
		}
	}
}

// A fault instead of a start is certain: nothing ran.
func TestNotStarted(t *testing.T) {
	server, h := start(t, "ntlm http")
	c := open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.SOAPFault, On: "Command", Code: 5, Times: 1})
	_, err := exec(t.Context(), c, "say x", "")
	if e := want(t, err, engine.KindAuth); e.Hint == "" {
		t.Error(e)
	}
	server.Fail(wsman.Fault{Mode: wsman.Unavailable, On: "Command", Times: 1})
	_, err = exec(t.Context(), c, "say x", "")
	notRun(t, err)
	for _, line := range []string{"say a\x00b", "say \xff", "say " + strings.Repeat("x", 8200)} {
		_, err := exec(t.Context(), c, line, "")
		_ = want(t, err, engine.KindModule)
	}
	if n := count(server, "Command"); n != 2 {
		t.Errorf("%d commands", n)
	}
}

// The shell vanishes with a reboot. The next command gets a new one, the one that ran is lost.
func TestReboot(t *testing.T) {
	server, h, _ := host(t, wsman.Options{NTLM: true})
	c := open(t, h)
	server.Reset()
	if got, err := exec(t.Context(), c, "say back", ""); got != "back||0" || err != nil {
		t.Fatalf("%s, %v", got, err)
	}
	errs := make(chan error)
	go func() {
		_, err := exec(t.Context(), c, "wait", "")
		errs <- err
	}()
	until(t, "it runs", func() bool { return count(server, "Receive") == 2 })
	server.Reset()
	if e := want(t, <-errs, engine.KindLost); e.Orphan || !strings.Contains(e.Hint, "restarted") && !strings.Contains(e.Error(), "aborted") {
		t.Errorf("%+v", e)
	}
	if got, err := exec(t.Context(), c, "say back", ""); got != "back||0" || err != nil {
		t.Fatalf("%s, %v", got, err)
	}

	addr := server.Addr()
	server.Close()                                                         // and the connections with it
	if err := engine.Wait(t.Context(), 150*time.Millisecond); err != nil { // right now the next command could be lost, and only later be refused
		t.Fatal(err)
	}
	_, err := exec(t.Context(), c, "say x", "")
	notRun(t, err)
	again, err := wsman.Listen(wsman.Options{Addr: addr, NTLM: true, Users: map[string]string{"ops": "s3cret"}, Handle: cmd})
	if err != nil {
		t.Skip("somebody else got the port:", err)
	}
	defer again.Close()
	if got, err := exec(t.Context(), c, "say back", ""); got != "back||0" || err != nil {
		t.Fatalf("%s, %v", got, err)
	}
}

func TestPowerFailure(t *testing.T) {
	server, h := start(t, "ntlm http")
	c := open(t, h)
	errs := make(chan error)
	go func() {
		_, err := exec(t.Context(), c, "wait", "")
		errs <- err
	}()
	until(t, "it runs", func() bool { return count(server, "Receive") > 0 })
	server.Close()
	if e := want(t, <-errs, engine.KindLost); !e.Unreachable || !e.Orphan {
		t.Errorf("%+v", e)
	}
	bounded(t, func() { _ = c.Close() })
}

// The caller's time is over: the command is dead on the host, too, or the error says that nobody knows.
func TestKill(t *testing.T) {
	t.Parallel()
	dead := make(chan struct{}, 10)
	server, h, _ := host(t, wsman.Options{NTLM: true, Handle: func(ctx context.Context, s *wsman.Session) uint32 {
		<-ctx.Done()
		dead <- struct{}{}
		return 1
	}})
	c := open(t, h)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := exec(ctx, c, "anything", "")
	if e := want(t, err, engine.KindTimeout); e.Orphan || e.Unreachable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v", e)
	}
	<-dead

	ctx, stop := context.WithCancelCause(t.Context())
	before := count(server, "Receive")
	go func() {
		until(t, "it runs", func() bool { return count(server, "Receive") > before })
		stop(io.ErrNoProgress) // whatever the owner's reason is
	}()
	if _, err = exec(ctx, c, "anything", ""); !errors.Is(err, context.Canceled) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v", err)
	}
	<-dead

	server.Fail(wsman.Fault{Mode: wsman.Silent, On: "Signal"})
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	bounded(t, func() { _, err = exec(ctx, c, "anything", "") })
	if e := want(t, err, engine.KindTimeout); !e.Orphan || !strings.Contains(e.Error(), "may still run") {
		t.Errorf("%+v", e)
	}
	bounded(t, func() { _ = c.Close() })
	<-dead // the shell's end has killed it
}

// A cancelled call does not wait for a host that hangs.
func TestCancelWhileSilent(t *testing.T) {
	for _, action := range []string{"Create", "Command", "Receive", "Send"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			server, h, s := host(t, wsman.Options{NTLM: true})
			s.OperationTimeout = "1h"
			c := open(t, h)
			if action == "Create" {
				server.Reset()
			}
			server.Fail(wsman.Fault{Mode: wsman.Silent, On: action})
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			bounded(t, func() {
				_, err := exec(ctx, c, "cat", "input")
				_ = want(t, err, engine.KindTimeout)
			})
		})
	}
}

func TestStdin(t *testing.T) {
	server, h := start(t, "ntlm http")
	c := open(t, h)
	// Lost input is an error, whatever the command makes of it.
	for _, mode := range []wsman.Fault{{Mode: wsman.SOAPFault, Code: 2150858999}, {Mode: wsman.EmptyBody}, {Mode: wsman.Unavailable}, {Mode: wsman.Cut}} {
		mode.On, mode.Times = "Send", 1
		server.Fail(mode)
		_, err := exec(t.Context(), c, "cat", "input")
		if e := want(t, err, engine.KindLost); e.Orphan {
			t.Errorf("%+v", e)
		}
	}
	// Where only the receipt is lost, the command may have ended with all of it.
	server.Fail(wsman.Fault{Mode: wsman.LoseReply, On: "Send", Times: 1})
	if got, err := exec(t.Context(), c, "cat", "input"); err == nil && got != "input||0" || err != nil && engine.KindOf(err) != engine.KindLost {
		t.Errorf("%s, %v", got, err)
	}
	// A reader that fails is an error, too.
	_, err := c.Exec(t.Context(), engine.Process{Line: "cat", Stdin: io.MultiReader(strings.NewReader("a"), broken{})})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	// A reader that never ends does not keep an ended command.
	in, out := io.Pipe()
	defer out.Close()
	if code, err := c.Exec(t.Context(), engine.Process{Line: "exit 7", Stdin: in}); code != 7 || err != nil {
		t.Error(code, err)
	}
	// A writer that fails ends the command.
	_, err = c.Exec(t.Context(), engine.Process{Line: "flood 10000000", Stdout: full{}})
	if !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// A command that talks back and forth gets its input as it comes.
func TestConversation(t *testing.T) {
	_, h := start(t, "ntlm http")
	c := open(t, h)
	in, inW := io.Pipe()
	outR, out := io.Pipe()
	codes := make(chan int)
	go func() {
		code, err := c.Exec(t.Context(), engine.Process{Line: "cat", Stdin: in, Stdout: out})
		if err != nil {
			t.Error(err)
		}
		codes <- code
	}()
	for _, text := range []string{"one", "two", "three"} {
		_, _ = io.WriteString(inW, text)
		got := make([]byte, len(text))
		if _, err := io.ReadFull(outR, got); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	_ = inW.Close()
	if code := <-codes; code != 0 {
		t.Error(code)
	}
}

// Close ends what runs and leaves nothing behind, here or there, even when the host hangs.
func TestClose(t *testing.T) {
	server, h := start(t, "ntlm http")
	base := runtime.NumGoroutine()
	c := open(t, h)
	errs := make(chan error)
	for range 7 { // more than run at once
		go func() {
			_, err := exec(t.Context(), c, "wait", "")
			errs <- err
		}()
	}
	until(t, "five run", func() bool { return count(server, "Receive") >= 5 })
	if n := count(server, "Command"); n != 5 {
		t.Errorf("%d commands at once", n)
	}
	bounded(t, func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	for range 7 {
		if err := <-errs; err == nil {
			t.Error("ended well")
		}
	}
	if n := server.Shells(); n != 0 {
		t.Errorf("%d shells left", n)
	}
	until(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= base })

	c = open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.Silent})
	bounded(t, func() {
		if err := c.Close(); err == nil {
			t.Error("the shell is said to be deleted")
		}
	})
	server.Heal()
	server.Close()
	until(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= base })
}

// Where nobody knows whether a command was started, its shell is ended, and with it whatever ran.
func TestStartLost(t *testing.T) {
	dead := make(chan struct{}, 1)
	server, h, _ := host(t, wsman.Options{NTLM: true, Handle: func(ctx context.Context, s *wsman.Session) uint32 {
		<-ctx.Done()
		dead <- struct{}{}
		return 1
	}})
	c := open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.LoseReply, On: "Command", Times: 1})
	_, err := exec(t.Context(), c, "anything", "")
	if e := want(t, err, engine.KindLost); e.Orphan || server.Shells() != 0 {
		t.Errorf("%+v, %d shells", e, server.Shells())
	}
	<-dead

	// Not while another command runs in it; then the error says what may be left.
	errs := make(chan error)
	go func() {
		_, err := exec(t.Context(), c, "another", "")
		errs <- err
	}()
	until(t, "it runs", func() bool { return count(server, "Receive") == 1 })
	server.Fail(wsman.Fault{Mode: wsman.LoseReply, On: "Command", Times: 1})
	_, err = exec(t.Context(), c, "anything", "")
	if e := want(t, err, engine.KindLost); !e.Orphan {
		t.Errorf("%+v", e)
	}
	if err := c.Close(); err != nil || server.Shells() != 0 {
		t.Errorf("%v, %d shells", err, server.Shells())
	}
	if <-errs == nil {
		t.Error("ended well")
	}
	<-dead
	<-dead
}

// A host that answers at once that there is no news is not asked a thousand times in a second.
func TestPace(t *testing.T) {
	server, h := start(t, "ntlm http")
	c := open(t, h)
	server.Fail(wsman.Fault{Mode: wsman.SOAPFault, On: "Receive", Code: 2150858793})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := exec(ctx, c, "wait", "")
	_ = want(t, err, engine.KindTimeout)
	if n := count(server, "Receive"); n < 2 || n > 6 {
		t.Errorf("asked %d times in half a second", n)
	}
}

// One login for each TCP connection, and three requests for each command.
func TestRequests(t *testing.T) {
	for _, way := range ways {
		server, h := start(t, way)
		c := open(t, h)
		before := len(server.Requests())
		const commands = 20
		for range commands {
			if got, err := exec(t.Context(), c, "say x", ""); got != "x||0" || err != nil {
				t.Fatalf("%s, %v", got, err)
			}
		}
		if n := len(server.Requests()) - before; n != 3*commands {
			t.Errorf("%s: %d requests for %d commands", way, n, commands)
		}
	}
}
