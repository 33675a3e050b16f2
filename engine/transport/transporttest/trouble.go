package transporttest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// pool is a machine.Pool of one connection.
type pool struct{ shell engine.Shell }

func (p pool) Get(context.Context, *engine.Host) (engine.Conn, error) { return p.shell, nil }
func (p pool) Discard(*engine.Host, engine.Conn)                      {}

// sleeper is a command that lasts, and the processes that it consists of.
type sleeper struct {
	pids  []string
	ended chan error
}

// sleep starts one and waits until it has told its processes.
func (s *suite) sleep(ctx context.Context, t *testing.T, shell engine.Shell) sleeper {
	t.Helper()
	if s.c.Sleep == "" {
		t.Skip("this target has no command that lasts")
	}
	var stdout output
	ended := make(chan error, 1)
	go func() {
		_, err := shell.Exec(ctx, engine.Process{Line: s.c.Sleep, Stdout: &stdout})
		ended <- err
	}()
	if !eventually(t, func() bool { return stdout.words() != nil || len(ended) > 0 }) || stdout.words() == nil {
		t.Fatalf("the command that lasts says %q", stdout.String())
	}
	return sleeper{stdout.words(), ended}
}

func (l sleeper) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-l.ended:
		return err
	case <-time.After(patience):
		t.Fatal("Exec does not return after the end of its context")
		return nil
	}
}

// checkKilled asks the host, over another connection, whether what Exec said of the death is true.
func (s *suite) checkKilled(t *testing.T, e *engine.Error, pids []string) {
	t.Helper()
	if e.Orphan != s.Orphans {
		t.Errorf("Orphan is %v, want %v: %v", e.Orphan, s.Orphans, e)
	}
	if s.Orphans {
		s.reap(t, pids)
	}
	if s.Orphans || s.c.Alive == nil {
		return
	}
	shell := s.open(t)
	for _, pid := range pids {
		if !s.isDead(t, shell, pid) {
			t.Errorf("process %s lives on, although Exec says that it is dead", pid)
		}
	}
}

func (s *suite) isDead(t *testing.T, shell engine.Shell, pid string) bool {
	t.Helper()
	return eventually(t, func() bool {
		r := exec(t.Context(), shell, s.c.Alive(pid), "")
		return r.err == nil && r.code != 0
	})
}

func (s *suite) cancel(t *testing.T) {
	shell := s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := s.sleep(ctx, t, shell)
	cancel()
	err := l.wait(t)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error does not wrap context.Canceled: %v", err)
	}
	s.checkKilled(t, mustFail(t, err, engine.KindTimeout), l.pids)
	if !s.Orphans {
		s.must(t, shell, s.c.Exit(7), "", 7) // the connection is as good as before
	}
}

// cancelOne must not touch the neighbours.
func (s *suite) cancelOne(t *testing.T) {
	if s.Orphans {
		t.Skip("this host offers no way to kill")
	}
	shell := s.open(t)
	var ends []context.CancelFunc
	var sleepers []sleeper
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ends, sleepers = append(ends, cancel), append(sleepers, s.sleep(ctx, t, shell))
	}
	ends[1]()
	e := mustFail(t, sleepers[1].wait(t), engine.KindTimeout)
	s.checkKilled(t, e, sleepers[1].pids)
	for i, l := range sleepers {
		if i == 1 {
			continue
		}
		if len(l.ended) > 0 {
			t.Errorf("neighbour %d ended, too: %v", i, <-l.ended)
			continue
		}
		if s.c.Alive != nil {
			for _, pid := range l.pids {
				s.must(t, shell, s.c.Alive(pid), "", 0)
			}
		}
		ends[i]()
		s.checkKilled(t, mustFail(t, l.wait(t), engine.KindTimeout), l.pids)
	}
}

func (s *suite) deadline(t *testing.T) {
	shell := s.open(t)
	began := time.Now()
	s.must(t, shell, s.c.Exit(0), "", 0)
	enough := time.Second + 20*time.Since(began) // for the command to begin, on this host and now
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	l := s.sleep(ctx, t, shell)
	err := l.wait(t)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error does not wrap context.DeadlineExceeded: %v", err)
	}
	s.checkKilled(t, mustFail(t, err, engine.KindTimeout), l.pids)
}

func (s *suite) endedContext(t *testing.T) {
	shell := s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := exec(ctx, shell, s.c.Exit(0), "")
	if !errors.Is(r.err, context.Canceled) {
		t.Errorf("got %d, %v", r.code, r.err)
	}
	s.must(t, shell, s.c.Exit(0), "", 0)
}

// background: an init script's daemon that keeps stdout open must not keep Exec.
func (s *suite) background(t *testing.T) {
	if s.c.Background == "" {
		t.Skip("this target has no command for it")
	}
	begin := time.Now()
	r := s.must(t, s.open(t), s.c.Background, "", 0)
	if !strings.Contains(r.stdout, "started") {
		t.Errorf("stdout is %q", r.stdout)
	}
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("Exec waited %v for the one who held stdout", took)
	}
}

func (s *suite) cut(t *testing.T) {
	if s.Cut == nil {
		t.Skip("there is no wire")
	}
	shell := s.open(t)
	l := s.sleep(t.Context(), t, shell)
	s.Cut(t)
	if e := mustFail(t, l.wait(t), engine.KindLost); !e.Unreachable || !e.Orphan {
		t.Errorf("unreachable %v, orphan %v: %v", e.Unreachable, e.Orphan, e)
	}
	r := exec(t.Context(), shell, s.c.Exit(0), "")
	if e := mustFail(t, r.err, engine.KindLost); !errors.Is(e, engine.ErrNotRun) {
		t.Errorf("on a dead connection: %v; want it to say that nothing was run", e)
	}
	s.reap(t, l.pids)
}

func (s *suite) silence(t *testing.T) {
	if s.Silence == nil {
		t.Skip("there is no wire")
	}
	shell := s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lasting, stopped := s.sleep(t.Context(), t, shell), s.sleep(ctx, t, shell)
	undo := s.Silence(t)
	defer undo()
	cancel()
	err := stopped.wait(t)
	var e *engine.Error
	if !errors.As(err, &e) || !slices.Contains([]engine.ErrorKind{engine.KindTimeout, engine.KindLost}, e.Kind) {
		t.Errorf("cancelled while the host was silent: %v", err)
	} else if e.Kind == engine.KindTimeout && !e.Orphan {
		t.Error("a host that said nothing cannot have confirmed the death")
	}
	if e := mustFail(t, lasting.wait(t), engine.KindLost); !e.Orphan {
		t.Errorf("nobody was there who could say that it is dead: %v", e)
	}
	undo()
	s.reap(t, append(lasting.pids, stopped.pids...))
}

// reap ends what a broken connection has left on the host, where there is a kill.
func (s *suite) reap(t *testing.T, pids []string) {
	if s.Windows {
		return
	}
	shell := s.open(t)
	for _, pid := range pids {
		exec(t.Context(), shell, "kill -9 "+pid, "")
	}
}

// endless starts the command that talks for ever, and waits until it has said something.
func (s *suite) endless(ctx context.Context, t *testing.T, shell engine.Shell) (stdout *output, l sleeper) {
	t.Helper()
	if s.c.Endless == "" {
		t.Skip("this target has no command that talks for ever")
	}
	stdout, l.ended = &output{}, make(chan error, 1)
	go func() {
		_, err := shell.Exec(ctx, engine.Process{Line: s.c.Endless, Stdout: stdout})
		l.ended <- err
	}()
	if !eventually(t, func() bool { return stdout.len() > 50_000 || len(l.ended) > 0 }) || stdout.len() < 50_000 {
		t.Fatalf("the command that talks for ever says %.200q", stdout.String())
	}
	l.pids = stdout.words()
	return stdout, l
}

// checkPart: what came of the output is its beginning, without a gap; and nothing comes after Exec has returned.
func checkPart(t *testing.T, stdout *output, before int) {
	t.Helper()
	text := stdout.String()
	if len(text) < before {
		t.Errorf("of %d bytes %d are left", before, len(text))
	}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines[1 : len(lines)-1] {
		if want := "line " + strconv.Itoa(i); line != want {
			t.Fatalf("instead of %q comes %q", want, line)
		}
	}
	if engine.Wait(t.Context(), 20*time.Millisecond) == nil && stdout.len() != len(text) {
		t.Error("output comes after Exec has returned")
	}
}

// cutInOutput: the part that came is handed on, and the rest is not pretended to be missing on the host.
func (s *suite) cutInOutput(t *testing.T) {
	if s.Cut == nil {
		t.Skip("there is no wire")
	}
	stdout, l := s.endless(t.Context(), t, s.open(t))
	before := stdout.len()
	s.Cut(t)
	if e := mustFail(t, l.wait(t), engine.KindLost); !e.Unreachable || !e.Orphan || errors.Is(e, engine.ErrNotRun) {
		t.Errorf("unreachable %v, orphan %v, %v", e.Unreachable, e.Orphan, e)
	}
	checkPart(t, stdout, before)
	s.reap(t, l.pids)
}

// cancelInOutput: a command that is killed while it talks keeps what it had said.
func (s *suite) cancelInOutput(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout, l := s.endless(ctx, t, s.open(t))
	before := stdout.len()
	cancel()
	err := l.wait(t)
	checkPart(t, stdout, before)
	s.checkKilled(t, mustFail(t, err, engine.KindTimeout), l.pids)
}
