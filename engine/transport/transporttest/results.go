package transporttest

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// seed makes names that no other test of this process uses.
var seed atomic.Int32

func (s *suite) exitCodes(t *testing.T) {
	shell := s.open(t)
	for _, code := range []int{0, 1, 255} {
		s.must(t, shell, s.c.Exit(code), "", code)
	}
	for code, arrives := range s.Codes {
		s.must(t, shell, s.c.Exit(code), "", arrives)
	}
	for _, code := range []int{300, -1} {
		if _, told := s.Codes[code]; !told {
			t.Errorf("the target does not say as what %d arrives", code)
		}
	}
	if s.c.Killed != "" {
		s.must(t, shell, s.c.Killed, "", 128+9)
	}
}

func (s *suite) unknownCommand(t *testing.T) {
	r := s.must(t, s.open(t), "dsplay-no-such-command", "", s.c.Unknown)
	if !strings.Contains(r.stderr+r.stdout, "dsplay-no-such-command") {
		t.Errorf("the host's complaint does not arrive: %q", r.stderr)
	}
}

func (s *suite) concurrency(t *testing.T) {
	shell := s.open(t)
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			text := fmt.Sprintf("number %d\n", i)
			r := exec(t.Context(), shell, s.c.Cat, text)
			if r.err != nil || r.code != 0 || normal(r.stdout) != text {
				t.Errorf("command %d: %d, %v, %q", i, r.code, r.err, r.stdout)
			}
		})
	}
	wait.Wait()
}

// many are 1,000 short commands, or as many as the target says, on one connection, a few at once, each with a code of its own.
func (s *suite) many(t *testing.T) {
	shell := s.open(t)
	n := cmp.Or(s.Many, 1000)
	if testing.Short() {
		n = 100
	}
	var next atomic.Int32
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			for i := int(next.Add(1)); i <= n && !t.Failed(); i = int(next.Add(1)) {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				if r := exec(ctx, shell, s.c.Exit(i%200), ""); r.err != nil || r.code != i%200 {
					t.Errorf("command %d: %d, %v", i, r.code, r.err)
				}
				cancel()
			}
		})
	}
	wait.Wait()
}
