// Package transporttest is the suite that every transport with a shell must pass: what Exec promises, tried on a host.
package transporttest

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Target is a way to a host on which the suite may run harmless commands.
type Target struct {
	// Open makes a fresh connection; the suite closes it.
	Open func(t *testing.T) engine.Shell
	// Windows chooses the command lines of WindowsCommands and the rules of cmd.exe.
	Windows bool
	// Commands replace the platform's; a field that is zero keeps the platform's.
	Commands Commands
	// Codes are exit codes to try besides 0, 1 and 255, and what each arrives as: {300: 44, -1: 255} where they have 8 bits.
	// They must tell of 300 and of -1.
	Codes map[int]int
	// Orphans says that this host offers no way to kill: then Exec must admit it, and return all the same.
	Orphans bool
	// Cut resets every connection to the host; Silence keeps it from answering until its result is called.
	// nil: there is no wire that could break.
	Cut     func(t *testing.T)
	Silence func(t *testing.T) (undo func())
	// Lacks names tests that this host cannot pass, and why: a defect of the host, not of the way to it. They are not run.
	Lacks map[string]string
	// Flaky says why this host, and not the way to it, now and then cannot find a program that is there; "": it always does.
	// A command that ends like one that does not exist, and has printed nothing, is then run once more, and that is logged.
	Flaky string
	// Changes tells words that the shell of this host changes however they are written; nil: it changes none.
	Changes func(word string) bool
	// WholeInput says that a command gets its input only as a whole: one without an end is refused, and nothing is run.
	WholeInput bool
	// Slow says that a command costs so much here that nasty words are sent several at a time.
	Slow bool
	// Many is how many short commands one connection has to bear; 0: 1,000.
	Many int
	// Leaves are goroutines that the connections of this target may leave behind: of a server in the same process.
	Leaves int
}

// patience bounds everything that must happen "soon"; it is not a measure of speed.
const patience = 2 * time.Minute

// Run runs the suite.
func Run(t *testing.T, target Target) {
	s := &suite{Target: target, c: target.Commands.withDefaults(target.Windows)}
	before := runtime.NumGoroutine()
	type test struct {
		name string
		run  func(*testing.T)
	}
	tests := []test{
		{"exit codes", s.exitCodes}, {"unknown command", s.unknownCommand}, {"missing file", s.missingFile}, {"full disk", s.fullDisk},
		{"streams", s.streams}, {"flood", s.flood}, {"stdin", s.stdin}, {"large output", s.largeOutput}, {"large input", s.largeInput},
		{"large both ways", s.largeBothWays}, {"bytes", s.bytes}, {"endless stdin", s.endlessStdin}, {"stdin without end", s.stdinWithoutEnd},
		{"slow writer", s.slowWriter}, {"broken writer", s.brokenWriter}, {"closed early", s.closedEarly},
		{"long line", s.longLine}, {"NUL", s.nul},
		{"arguments", s.arguments}, {"environment", s.environment},
		{"directory", s.directory}, {"concurrency", s.concurrency}, {"many", s.many},
		{"cancel", s.cancel}, {"cancel one of several", s.cancelOne}, {"cancel in the output", s.cancelInOutput},
		{"deadline", s.deadline}, {"ended context", s.endedContext}, {"background", s.background},
		{"cut", s.cut}, {"cut in the output", s.cutInOutput}, {"silence", s.silence},
	}
	if target.Windows {
		tests = append(tests, test{"PowerShell", s.powerShell})
	} else {
		tests = append(tests, test{"quoting for sh", s.quotingForSh})
	}
	for _, test := range tests {
		if why := target.Lacks[test.name]; why != "" {
			t.Logf("%s: not tried: %s", test.name, why)
			continue
		}
		t.Run(test.name, test.run)
		settle(t, test.name, before+target.Leaves)
	}
}

type suite struct {
	Target
	c Commands
}

// settle waits until at most n goroutines are left.
func settle(t *testing.T, after string, n int) {
	t.Helper()
	if !eventually(t, func() bool { return runtime.NumGoroutine() <= n }) {
		stacks := make([]byte, 1<<20)
		t.Errorf("after %q %d goroutines are left, %d were there before:\n%s", after, runtime.NumGoroutine(), n, stacks[:runtime.Stack(stacks, true)])
	}
}

func eventually(t *testing.T, ok func() bool) bool {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !ok() {
		if engine.Wait(ctx, 5*time.Millisecond) != nil {
			return ok()
		}
	}
	return true
}

func (s *suite) open(t *testing.T) engine.Shell {
	t.Helper()
	shell := s.Open(t)
	t.Cleanup(func() { shell.Close() })
	return shell
}

// output is one stream that several goroutines may look at.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Len()
}

// words are the fields of the first line, once it is complete.
func (o *output) words() []string {
	line, _, complete := strings.Cut(o.String(), "\n")
	if !complete {
		return nil
	}
	return strings.Fields(line)
}

type result struct {
	code           int
	stdout, stderr string
	err            error
}

func exec(ctx context.Context, shell engine.Shell, line, stdin string) result {
	var stdout, stderr output
	p := engine.Process{Line: line, Stdout: &stdout, Stderr: &stderr}
	if stdin != "" {
		p.Stdin = strings.NewReader(stdin)
	}
	code, err := shell.Exec(ctx, p)
	return result{code, stdout.String(), stderr.String(), err}
}

// notFound tells whether a command is to be run once more because the host is Flaky.
func (s *suite) notFound(t *testing.T, command string, code int, stdout string) bool {
	t.Helper()
	if s.Flaky == "" || code != s.c.Unknown || stdout != "" {
		return false
	}
	t.Logf("once more, because %s: %.200s", s.Flaky, command)
	return true
}

// must runs a line that has to end with this code.
func (s *suite) must(t *testing.T, shell engine.Shell, line, stdin string, code int) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := exec(ctx, shell, line, stdin)
	if r.code != code && s.notFound(t, line, r.code, r.stdout) {
		r = exec(ctx, shell, line, stdin)
	}
	if r.err != nil || r.code != code {
		t.Fatalf("%.200s\ngave %d, %v, want %d\nstdout: %.300q\nstderr: %.300q", line, r.code, r.err, code, r.stdout, r.stderr)
	}
	return r
}

// mustFail checks the promises that every error of Exec keeps.
func mustFail(t *testing.T, err error, kind engine.ErrorKind) *engine.Error {
	t.Helper()
	var e *engine.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, no *engine.Error", err)
	}
	if e.Kind != kind || e.Host == "" || e.Op == "" {
		t.Errorf("kind %q, host %q, op %q; want the kind %q: %v", e.Kind, e.Host, e.Op, kind, err)
	}
	return e
}
