package transporttest

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

func (s *suite) stdin(t *testing.T) {
	shell := s.open(t)
	text := "first\nsecond with 'quotes' and \"more\"\n"
	if r := s.must(t, shell, s.c.Cat, text, 0); normal(r.stdout) != text {
		t.Errorf("stdin came back as %q", r.stdout)
	}
	// Without stdin a command reads an end of file, and not for ever.
	if !s.Windows {
		if r := s.must(t, shell, s.c.Cat, "", 0); r.stdout != "" {
			t.Errorf("no stdin came back as %q", r.stdout)
		}
	}
	// A command that reads none of it is no failure.
	s.must(t, shell, s.c.Exit(0), strings.Repeat("unread\n", 50_000), 0)
}

func (s *suite) largeInput(t *testing.T) {
	line := strings.Repeat("y", 999) + "\n"
	want := "10000000"
	if s.Windows {
		want = "10000" // find counts lines
	}
	r := s.must(t, s.open(t), s.c.Count, strings.Repeat(line, big/len(line)), 0)
	if strings.TrimSpace(r.stdout) != want {
		t.Errorf("the host counts %q, want %s", r.stdout, want)
	}
}

// largeBothWays: a command that answers while it is still being fed. Who first sends everything, and then reads, hangs.
func (s *suite) largeBothWays(t *testing.T) {
	if s.c.Raw == "" {
		t.Skip("this protocol carries text")
	}
	data := make([]byte, big) // more than windows and pipes on the way hold
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(data) // never fails
	if r := s.must(t, s.open(t), s.c.Cat, string(data), 0); r.stdout != string(data) {
		t.Errorf("%d bytes come back of %d, or other ones", len(r.stdout), len(data))
	}
}

// zeros never end, and count how often they are read.
type zeros struct{ reads atomic.Int64 }

func (z *zeros) Read(b []byte) (int, error) {
	z.reads.Add(1)
	clear(b)
	return len(b), nil
}

// endlessStdin: the command ends although its input does not; and then nobody reads on.
func (s *suite) endlessStdin(t *testing.T) {
	shell := s.open(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	z := &zeros{}
	code, err := shell.Exec(ctx, engine.Process{Line: s.c.Exit(7), Stdin: z})
	s.fed(t, code, err)
	last := int64(-1)
	if !eventually(t, func() bool {
		now := z.reads.Load()
		same := now == last
		last = now
		return same && engine.Wait(t.Context(), 50*time.Millisecond) == nil && z.reads.Load() == now
	}) {
		t.Error("stdin is read on after the command has ended")
	}
}

// fed wants the 7 of a command whose input has no end, or the refusal to run it.
func (s *suite) fed(t *testing.T, code int, err error) {
	t.Helper()
	if s.WholeInput {
		if e := mustFail(t, err, engine.KindModule); e.Unreachable {
			t.Errorf("Unreachable is set: %v", e)
		}
		return
	}
	if code != 7 || err != nil {
		t.Fatalf("%d, %v", code, err)
	}
}

// stdinWithoutEnd: nothing comes, and no end either.
func (s *suite) stdinWithoutEnd(t *testing.T) {
	shell := s.open(t)
	in, w := io.Pipe()
	defer w.Close() // ends the Read, which nothing else can
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code, err := shell.Exec(ctx, engine.Process{Line: s.c.Exit(7), Stdin: in})
	s.fed(t, code, err)
	s.must(t, shell, s.c.Exit(0), "", 0)
}

// longLine: the longest line arrives whole; a longer one is refused before anything is sent, and the connection is as good as before.
func (s *suite) longLine(t *testing.T) {
	shell := s.open(t)
	if s.c.Args != nil {
		line, err := s.machine(t).Line(t.Context(), engine.Command{Argv: append(slices.Clone(s.c.Args), "x")})
		if err != nil {
			t.Fatal(err)
		}
		more := s.c.Longest - len(line)
		r := s.must(t, shell, line+strings.Repeat("x", more), "", 0)
		if got := s.parseArgs(r.stdout); len(got) != 1 || len(got[0]) != more+1 {
			t.Errorf("of a word of %d bytes %d arrive", more+1, len(r.stdout))
		}
	}
	for _, n := range []int{s.c.Longest + 1, 200_000, 300_000, 5_000_000} {
		line := s.c.Exit(7) + strings.Repeat(" ", n-len(s.c.Exit(7)))
		r := exec(t.Context(), shell, line, "")
		if e := mustFail(t, r.err, engine.KindModule); e.Unreachable || len(e.Error()) > 1000 {
			t.Errorf("%d bytes: unreachable %v, an error of %d bytes", n, e.Unreachable, len(e.Error()))
		}
	}
	s.must(t, shell, s.c.Exit(7), "", 7)
}

// nul: no shell can be given one; what stands before it must not run either.
func (s *suite) nul(t *testing.T) {
	shell := s.open(t)
	var out bytes.Buffer
	code, err := shell.Exec(t.Context(), engine.Process{Line: "echo half\x00 of it", Stdout: &out})
	_ = mustFail(t, err, engine.KindModule)
	if out.Len() > 0 {
		t.Errorf("a part of the line ran: %d, %q", code, &out)
	}
	s.must(t, shell, s.c.Exit(7), "", 7)
}
