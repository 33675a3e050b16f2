package moduletest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// reporter is what is needed of a *testing.T.
type reporter interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// host is an engine.Machine that knows nothing but the answers of a case. What the case did not foresee fails the test.
type host struct {
	t       reporter
	c       *testCase
	mu      sync.Mutex // of state and of the counts of answers
	state   string
	allowed []string   // command lines that Do may execute
	done    []string   // those that it executed
	once    sync.Mutex // of memo, while it is filled
	memo    map[string]any
	api     *api // of a host that is none with a shell
}

func newHost(t reporter, c *testCase) *host {
	h := &host{t: t, c: c, state: "start", memo: map[string]any{}}
	if c.login != "" {
		h.api = &api{h: h, login: c.login, sessions: map[string]*session{}}
	}
	return h
}

func (h *host) Name() string { return "host1" }

func (h *host) Platform(context.Context) (engine.Platform, error) { return h.c.host, nil }

func (h *host) Run(ctx context.Context, c engine.Command) (engine.Output, error) {
	return h.answer(ctx, c)
}

func (h *host) Do(ctx context.Context, c engine.Command) (engine.Output, error) {
	h.t.Helper()
	line := lineOf(h.c.host, c)
	if !slices.Contains(h.allowed, line) {
		h.t.Errorf("Apply executes what Check did not announce: %s", line)
	}
	h.done = append(h.done, line)
	if h.change(c) {
		return engine.Output{}, nil
	}
	return h.answer(ctx, c)
}

func (h *host) Line(_ context.Context, c engine.Command) (string, error) {
	return lineOf(h.c.host, c), nil
}

func (h *host) ReadFile(_ context.Context, path string) ([]byte, error) {
	if f := h.c.files[path]; f != nil && !f.Missing {
		return []byte(f.Content), nil
	}
	h.t.Errorf("the case did not foresee that %s is read", path)
	return nil, &engine.Error{Kind: engine.KindModule, Msg: "unforeseen"}
}

func (h *host) Once(ctx context.Context, key string, f func(context.Context) (any, error)) (any, error) {
	h.once.Lock()
	defer h.once.Unlock()
	if v, ok := h.memo[key]; ok {
		return v, nil
	}
	v, err := f(ctx)
	h.memo[key] = v
	return v, err
}

func (h *host) API(context.Context) (engine.API, error) {
	if h.api != nil {
		return h.api, nil
	}
	return nil, &engine.Error{Kind: engine.KindModule, Host: h.Name(), Msg: "this host is no API"}
}

// answer gives what the case says for the command in the host's present state.
func (h *host) answer(ctx context.Context, c engine.Command) (engine.Output, error) {
	h.t.Helper()
	line := lineOf(h.c.host, c)
	a := h.take(line)
	if a == nil {
		return engine.Output{}, &engine.Error{Kind: engine.KindModule, Msg: "unforeseen: " + line}
	}
	if got := stdinOf(c); got != a.stdin {
		h.t.Errorf("%s: standard input is %q, want %q", line, got, a.stdin)
	}
	if err := engine.Wait(ctx, a.takes); err != nil {
		return engine.Output{}, &engine.Error{Kind: engine.KindTimeout, Host: h.Name(), Op: "run " + line, Err: err}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = cmp.Or(a.then, h.state)
	return a.give(h.Name(), line, c)
}

// take finds the answer for a line, and counts it. The lock is not held while a command takes its time: a module may run several.
func (h *host) take(line string) *answer {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.c.answers, func(a *answer) bool {
		return a.line == line && (a.in == "" || a.in == h.state) && (a.times == 0 || a.used < a.times)
	})
	if i < 0 {
		h.t.Errorf("in state %q the case did not foresee: %s", h.state, line)
		return nil
	}
	h.c.answers[i].used++
	return h.c.answers[i]
}

func (a *answer) give(host, line string, c engine.Command) (engine.Output, error) {
	switch {
	case a.err != "":
		return engine.Output{}, &engine.Error{Kind: a.err, Host: host, Op: "run " + line, Unreachable: a.err != engine.KindModule}
	case c.AnyOK || a.out.Code == 0 && c.OK == nil || slices.Contains(c.OK, a.out.Code):
		return a.out, nil
	}
	return a.out, &engine.Error{Kind: engine.KindExit, Host: host, Op: "run " + line,
		Msg: fmt.Sprintf("exit code %d: %s", a.out.Code, strings.TrimSpace(a.out.Stderr+a.out.Stdout))}
}

// stdinOf is what a command gets over standard input, the parameters of a script before its input.
func stdinOf(c engine.Command) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		b.WriteString(name + "=" + c.Params[name].Reveal() + " ")
	}
	return b.String() + c.Stdin.Reveal()
}

// unused lists the answers that were not asked for as often as the case says.
func (h *host) unused() []string {
	var left []string
	for _, a := range h.c.answers {
		if a.used == 0 || a.times > 0 && a.used != a.times {
			left = append(left, fmt.Sprintf("%s (in state %q, asked %d times)", a.line, a.in, a.used))
		}
	}
	return left
}

// lineOf shows a command the way a case file writes it. It is readable rather than what goes over a wire:
// quoting for a real host is engine/machine's, and tested there.
func lineOf(p engine.Platform, c engine.Command) string {
	line := c.Shell
	if c.PowerShell != "" {
		line = "powershell " + strings.ReplaceAll(strings.TrimSpace(c.PowerShell), "\n", "; ")
		for _, name := range slices.Sorted(maps.Keys(c.Params)) {
			line += " -" + name // its value goes over stdin
		}
	}
	if c.Argv != nil {
		words := make([]string, len(c.Argv))
		for i, w := range c.Argv {
			words[i] = quote(p, w)
		}
		line = strings.Join(words, " ")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		line = name + "=" + quote(p, c.Env[name]) + " " + line
	}
	if c.Dir != "" {
		line = "cd " + quote(p, c.Dir) + " && " + line
	}
	return line
}

func quote(p engine.Platform, w string) string {
	switch {
	case p != engine.Windows:
		return engine.QuoteSh(w)
	case w != "" && !strings.ContainsFunc(w, isSpecial):
		return w
	}
	return `"` + strings.ReplaceAll(w, `"`, `\"`) + `"`
}

func isSpecial(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(`_-./:\+@$=`, r)
}

// deadline is longer than any wait of a module; simulated time makes it cheap.
const deadline = 24 * time.Hour
