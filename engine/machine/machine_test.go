package machine_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
	"github.com/dsplay/dsplay/engine/transport/local"
)

// sh runs lines for real.
func sh(ctx context.Context, p engine.Process) (int, error) {
	conn, err := local.Transport{}.Open(ctx, &engine.Host{Name: "dsva1"})
	if err != nil {
		return 0, err
	}
	return conn.(engine.Shell).Exec(ctx, p)
}

func TestExitCodes(t *testing.T) {
	m := on(&host{says: linux, run: sh}, machine.Options{})
	fails := engine.Command{Shell: "echo out; echo first >&2; echo 'the cause' >&2; exit 3"}
	out, err := m.Run(t.Context(), fails)
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != engine.KindExit || e.Host != "dsva1" || e.Op != "run "+fails.Shell || e.Msg != "exit code 3: first / the cause" {
		t.Errorf("got %#v", err)
	}
	if out.Code != 3 || out.Stdout != "out\n" || out.Stderr != "first\nthe cause\n" {
		t.Errorf("got %+v", out)
	}
	for _, c := range []engine.Command{{Shell: "exit 3", OK: []int{0, 3}}, {Shell: "exit 3", AnyOK: true}} {
		if out, err := m.Run(t.Context(), c); err != nil || out.Code != 3 {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := m.Run(t.Context(), engine.Command{Shell: "exit 0", OK: []int{1}}); engine.KindOf(err) != engine.KindExit {
		t.Errorf("0 is not among them: %v", err)
	}
}

func TestEveryCommandHasADeadline(t *testing.T) {
	m := on(&host{says: linux, run: sh}, machine.Options{Timeout: 200 * time.Millisecond})
	if _, err := m.Run(t.Context(), engine.Command{Argv: []string{"sleep", "60"}}); engine.KindOf(err) != engine.KindTimeout {
		t.Errorf("got %v", err)
	}
}

func TestEndlessOutputIsStopped(t *testing.T) {
	m := on(&host{says: linux, run: sh}, machine.Options{})
	_, err := m.Run(t.Context(), engine.Command{Shell: "cat /dev/zero"})
	if engine.KindOf(err) != engine.KindModule || !strings.Contains(err.Error(), "more than 32768 KiB") {
		t.Errorf("got %v", err)
	}
}

func TestDoRunsOnlyWhatWasAnnounced(t *testing.T) {
	h := &host{says: linux}
	m := on(h, machine.Options{Sudo: &engine.Sudo{}})
	allowed := engine.Command{Argv: []string{"service", "ds_agent", "restart"}}
	line, err := m.Line(t.Context(), allowed)
	if err != nil {
		t.Fatal(err)
	}
	acting := m.Acting([]string{line})
	if _, err := acting.Do(t.Context(), allowed); err != nil {
		t.Error(err)
	}
	for _, c := range []engine.Command{{Argv: []string{"service", "ds_agent", "stop"}}, {Argv: allowed.Argv, NoSudo: true}} {
		_, err := acting.Do(t.Context(), c)
		if engine.KindOf(err) != engine.KindModule || !strings.Contains(err.Error(), "not in the plan's envelope") {
			t.Errorf("got %v", err)
		}
	}
	if len(h.lines) != 1 || h.lines[0] != line {
		t.Errorf("it ran %q", h.lines)
	}
	if _, err := acting.Run(t.Context(), engine.Command{Argv: []string{"uptime"}}); err != nil {
		t.Errorf("looking is not acting: %v", err)
	}
}

func TestBrokenConnectionIsReplaced(t *testing.T) {
	lost := func(cause error) error {
		return &engine.Error{Kind: engine.KindLost, Host: "dsva1", Unreachable: true, Err: cause}
	}
	for _, test := range []struct {
		name           string
		failures       []error
		want           error
		opened, ranFor int
	}{
		{"before it ran: once more", []error{lost(engine.ErrNotRun)}, nil, 2, 2},
		{"before it ran, twice", []error{lost(engine.ErrNotRun), lost(engine.ErrNotRun)}, engine.ErrNotRun, 2, 2},
		{"meanwhile: never repeated", []error{lost(io.EOF)}, io.EOF, 1, 1},
	} {
		h := &host{says: linux}
		failures := test.failures
		h.run = func(context.Context, engine.Process) (int, error) {
			if len(failures) == 0 {
				return 0, nil
			}
			err := failures[0]
			failures = failures[1:]
			return 0, err
		}
		m := on(h, machine.Options{})
		if _, err := m.Run(t.Context(), engine.Command{Argv: []string{"restart"}}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if h.opened != test.opened || len(h.lines) != test.ranFor || h.discard == 0 {
			t.Errorf("%s: opened %d times, ran %d, discarded %d", test.name, h.opened, len(h.lines), h.discard)
		}
		if _, err := m.Run(t.Context(), engine.Command{Argv: []string{"look"}}); err != nil {
			t.Errorf("%s: the next call: %v", test.name, err)
		}
		if h.asked != h.opened {
			t.Errorf("%s: %d connections, the platform was asked %d times", test.name, h.opened, h.asked)
		}
	}
}

func TestReadFile(t *testing.T) {
	m := on(&host{says: linux, run: sh}, machine.Options{})
	file := filepath.Join(t.TempDir(), "it's a $file")
	want := "bytes \xff\x00 and\nlines"
	if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := m.ReadFile(t.Context(), file); err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	for _, path := range []string{file + "x", "/nonexistent/below/it", file + "/below a file"} {
		if _, err := m.ReadFile(t.Context(), path); !errors.Is(err, fs.ErrNotExist) || engine.HostOf(err) != "dsva1" {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := m.ReadFile(t.Context(), t.TempDir()); engine.KindOf(err) != engine.KindExit || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := m.ReadFile(t.Context(), "relative"); err == nil {
		t.Error("a path that depends on where one stands")
	}
	if err := os.WriteFile(file, make([]byte, machine.MaxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.ReadFile(t.Context(), file); err == nil || !strings.Contains(err.Error(), "more than 1024 KiB") {
		t.Errorf("too large: %v", err)
	}
}

func TestReadFileOfWindowsTestsBeforeItTypes(t *testing.T) {
	h := &host{family: "windows", run: func(_ context.Context, p engine.Process) (int, error) { return 44, nil }}
	m := on(h, machine.Options{})
	if _, err := m.ReadFile(t.Context(), `C:\Program Files\x.log`); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if want := `if not exist "C:\Program Files\x.log" (exit 44) else type "C:\Program Files\x.log"`; h.lines[0] != want {
		t.Errorf("got %s", h.lines[0])
	}
	if _, err := m.ReadFile(t.Context(), `C:\%TEMP%\x`); engine.KindOf(err) != engine.KindModule {
		t.Errorf("a path that cmd.exe would change: %v", err)
	}
}

func TestOnceIsOnce(t *testing.T) {
	memo := machine.NewMemo()
	var calls atomic.Int32
	release := make(chan struct{})
	look := func(context.Context) (any, error) { calls.Add(1); <-release; return "all computers", nil }
	var wait sync.WaitGroup
	for range 20 { // each probe has its own Reader
		wait.Go(func() {
			got, err := on(&host{}, machine.Options{Memo: memo}).Once(t.Context(), "computers", look)
			if got != "all computers" || err != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	close(release)
	wait.Wait()
	if calls.Load() != 1 {
		t.Errorf("it was called %d times", calls.Load())
	}
	other := machine.New(&pool{host: &host{}}, &engine.Host{Name: "dsva2"}, machine.Options{Memo: memo})
	if _, err := other.Once(t.Context(), "computers", look); err != nil || calls.Load() != 2 {
		t.Errorf("another host has another answer: %v, %d calls", err, calls.Load())
	}
}

// TestRenewedKnowsTheConnections: what an entry asks anew is the state of the host, and not what its connection ends at.
func TestRenewedKnowsTheConnections(t *testing.T) {
	h := &host{says: linux}
	p, old := &pool{host: h}, machine.NewMemo()
	renewed := old.Renewed()
	for _, memo := range []*machine.Memo{old, renewed, old.Renewed()} {
		m := machine.New(p, &engine.Host{Name: "dsva1"}, machine.Options{Memo: memo})
		for range 2 {
			if _, err := m.Stat(t.Context(), "/etc/hosts"); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Once(t.Context(), "computers", func(context.Context) (any, error) { h.opened++; return nil, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	tools := 0
	for _, line := range h.lines {
		if strings.Contains(line, "command -v") {
			tools++
		}
	}
	if h.asked != 1 || tools != 1 || h.opened != 1+3 {
		t.Errorf("the platform was asked %d times, the tools %d times, the state %d times", h.asked, tools, h.opened-1)
	}
	h.run = func(context.Context, engine.Process) (int, error) {
		return 0, &engine.Error{Kind: engine.KindLost, Msg: "gone"}
	}
	m := machine.New(p, &engine.Host{Name: "dsva1"}, machine.Options{Memo: renewed})
	if _, err := m.Stat(t.Context(), "/etc/hosts"); engine.KindOf(err) != engine.KindLost {
		t.Fatal(err)
	}
	if _, err := m.Platform(t.Context()); err != nil || h.asked != 2 {
		t.Errorf("another connection is asked again: %v, %d times", err, h.asked)
	}
}

func TestOnceKeepsNoErrors(t *testing.T) {
	m := on(&host{}, machine.Options{})
	fails := true
	look := func(context.Context) (any, error) {
		if fails {
			return nil, io.ErrUnexpectedEOF
		}
		return 1, nil
	}
	if _, err := m.Once(t.Context(), "k", look); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	fails = false
	if got, err := m.Once(t.Context(), "k", look); got != 1 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestOnceOutlivesItsCaller: the one whose context ends takes nobody with him.
func TestOnceOutlivesItsCaller(t *testing.T) {
	m := on(&host{}, machine.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	first := make(chan error, 1)
	go func() {
		_, err := m.Once(ctx, "k", func(ctx context.Context) (any, error) { close(begun); <-ctx.Done(); return nil, ctx.Err() })
		first <- err
	}()
	<-begun
	second := make(chan any, 1)
	go func() {
		got, _ := m.Once(t.Context(), "k", func(context.Context) (any, error) { return "mine", nil })
		second <- got
	}()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := <-second; got != "mine" {
		t.Errorf("got %v", got)
	}
}

func TestAPIAndShellAreTold(t *testing.T) {
	if _, err := on(&host{says: linux}, machine.Options{}).API(t.Context()); engine.KindOf(err) != engine.KindModule || engine.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
	api := machine.New(onlyConn{}, &engine.Host{Name: "vc1"}, machine.Options{})
	if _, err := api.Run(t.Context(), engine.Command{Argv: []string{"id"}}); engine.KindOf(err) != engine.KindModule || engine.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}

// onlyConn is a pool of connections that can do nothing.
type onlyConn struct{}

func (onlyConn) Get(context.Context, *engine.Host) (engine.Conn, error) { return onlyConn{}, nil }
func (onlyConn) Discard(*engine.Host, engine.Conn)                      {}
func (onlyConn) Identity() string                                       { return "none" }
func (onlyConn) Close() error                                           { return nil }
