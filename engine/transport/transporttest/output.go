package transporttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
)

func (s *suite) streams(t *testing.T) {
	r := s.must(t, s.open(t), s.c.Both, "", 0)
	for name, got := range map[string]string{"out": r.stdout, "err": r.stderr} {
		var want strings.Builder
		for i := range 2000 {
			fmt.Fprintf(&want, "%s %d\n", name, i+1)
		}
		if normal(got) != want.String() {
			t.Errorf("std%s has %d bytes instead of %d, and begins with %.200q", name, len(got), want.Len(), got)
		}
	}
}

// normal takes Windows' line ends for ours.
func normal(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

// flood: who reads the streams one after the other hangs, or loses one.
func (s *suite) flood(t *testing.T) {
	if s.c.Flood == "" {
		t.Skip("this target has no command for it")
	}
	r := s.must(t, s.open(t), s.c.Flood, "", 0)
	for letter, got := range map[string]string{"o": r.stdout, "e": r.stderr} {
		if len(got) != 5_000_000 || strings.Trim(got, letter) != "" {
			t.Errorf("of 5,000,000 %s %d bytes arrive; others are among them: %v", letter, len(got), strings.Trim(got, letter) != "")
		}
	}
}

func (s *suite) largeOutput(t *testing.T) {
	if s.c.Big == "" {
		t.Skip("this platform has no command for it")
	}
	r := s.must(t, s.open(t), s.c.Big, "", 0)
	if len(r.stdout) != big || strings.Trim(r.stdout, "x") != "" {
		t.Errorf("%d bytes arrived, want %d", len(r.stdout), big)
	}
}

func (s *suite) bytes(t *testing.T) {
	if s.c.Raw == "" {
		t.Skip("this protocol carries text")
	}
	if r := s.must(t, s.open(t), s.c.Raw, "", 0); r.stdout != "\xff\xfe\x00\x80\n" {
		t.Errorf("the bytes arrive as % x", r.stdout)
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if r := s.must(t, s.open(t), s.c.Cat, string(all), 0); r.stdout != string(all) {
		t.Errorf("256 bytes come back as % x", r.stdout)
	}
}

// held is a writer that takes nothing until it is released.
type held struct {
	output
	reached chan struct{} // closed at the first Write
	release chan struct{}
}

func (h *held) Write(b []byte) (int, error) {
	select {
	case <-h.reached:
	default:
		close(h.reached)
	}
	<-h.release
	return h.output.Write(b)
}

// slowWriter: who does not take his output makes his own command wait, and nobody else's; and loses nothing.
func (s *suite) slowWriter(t *testing.T) {
	if s.c.Big == "" {
		t.Skip("this platform has no command for it")
	}
	shell := s.open(t)
	h := &held{reached: make(chan struct{}), release: make(chan struct{})}
	type end struct {
		code int
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		code, err := shell.Exec(t.Context(), engine.Process{Line: s.c.Big, Stdout: h})
		ended <- end{code, err}
	}()
	<-h.reached
	for range 5 {
		s.must(t, shell, s.c.Exit(7), "", 7)
	}
	if r := s.must(t, shell, s.c.Cat, "neighbour\n", 0); normal(r.stdout) != "neighbour\n" {
		t.Errorf("a neighbour gets %q", r.stdout)
	}
	close(h.release)
	if got := <-ended; got != (end{0, nil}) || len(h.String()) != big {
		t.Errorf("%d bytes of %d, code %d, %v", len(h.String()), big, got.code, got.err)
	}
}

var errNoPlace = errors.New("no place for it here")

// broken is a writer that takes a little and then fails.
type broken struct{ left int }

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errNoPlace
	}
	return len(p), nil
}

// brokenWriter: output that cannot be kept is an error, never a success with a part of it; the connection stays good.
func (s *suite) brokenWriter(t *testing.T) {
	if s.c.Big == "" {
		t.Skip("this platform has no command for it")
	}
	shell := s.open(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code, err := shell.Exec(ctx, engine.Process{Line: s.c.Big, Stdout: &broken{left: 1000}})
	var e *engine.Error
	if !errors.Is(err, errNoPlace) || !errors.As(err, &e) || e.Host == "" || e.Unreachable {
		t.Errorf("%d, %v (%+v)", code, err, e)
	}
	s.must(t, shell, s.c.Exit(7), "", 7)
}

func (s *suite) closedEarly(t *testing.T) {
	if s.c.CloseEarly == "" {
		t.Skip("commands of this target cannot close their streams")
	}
	if r := s.must(t, s.open(t), s.c.CloseEarly, "", 7); r.stdout != "first\n" {
		t.Errorf("stdout is %q", r.stdout)
	}
}
