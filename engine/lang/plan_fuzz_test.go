package lang_test

import (
	"context"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/run"
)

// FuzzPlan: what loads can be planned and run, with modules that answer anything that their types allow: it ends, and
// nothing panics.
func FuzzPlan(f *testing.F) {
	for _, name := range files(f, "testdata/good/*.hcl") {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src), []byte{})
		f.Add(string(src), shuffled(uint64(len(src)), 100).rest)
	}
	path := filepath.Join(f.TempDir(), "fuzz.hcl")
	f.Fuzz(func(t *testing.T, src string, data []byte) {
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		o := options()
		program, _ := lang.Load(path, o)
		if program == nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		actors := &actors{Program: program, t: t, data: data}
		runner := run.New(run.Options{ID: "fuzz", Program: actors, Inventory: o.Inventory, Clock: &hurry{}, Journal: nowhere{},
			Transports: map[string]engine.Transport{"": nobody{}}})
		defer runner.Close()
		p, res, err := runner.Plan(ctx)
		if err == nil && res.Stop == nil {
			_, err = runner.Apply(ctx, p)
		}
		if ctx.Err() != nil {
			t.Fatalf("it does not end: %v", err)
		}
	})
}

// actors is a program whose modules answer anything.
type actors struct {
	engine.Program
	t    *testing.T
	data []byte
}

func (a *actors) Pass(inv *engine.Inventory, runVars cty.Value) engine.Pass {
	return actorsPass{a.Program.Pass(inv, runVars), a}
}

type actorsPass struct {
	engine.Pass
	*actors
}

func (p actorsPass) Begin(play *engine.Play) engine.PlayScope {
	return actorsPlay{p.Pass.Begin(play), p.actors}
}

type actorsPlay struct {
	engine.PlayScope
	*actors
}

func (p actorsPlay) Host(name string) engine.HostScope {
	return actorsHost{p.PlayScope.Host(name), p.actors, name}
}

type actorsHost struct {
	engine.HostScope
	*actors
	name string
}

func (h actorsHost) Each(e *engine.Entry) ([]engine.Each, []string, error) {
	items, waits, err := h.HostScope.Each(e)
	for i := range items {
		items[i].Scope = actorsHost{items[i].Scope, h.actors, h.name + items[i].Key}
	}
	return items, waits, err
}

func (h actorsHost) Args(e *engine.Entry) (engine.Args, error) {
	args, err := h.HostScope.Args(e)
	if err != nil || args.Module == nil {
		return args, err
	}
	sum := fnv.New64()
	_, _ = sum.Write([]byte(h.name + e.Address))
	args.Module = &actor{h.t, e, &choices{shuffled(sum.Sum64(), len(h.data)).mixed(h.data)}}
	return args, nil
}

// mixed are the choices, changed by others.
func (c *choices) mixed(data []byte) []byte {
	for i := range c.rest {
		c.rest[i] ^= data[i]
	}
	return c.rest
}

// actor is a module in one execution.
type actor struct {
	t     *testing.T
	entry *engine.Entry
	*choices
}

func (a *actor) Probe(context.Context, engine.Reader) (any, error) {
	r := a.result(a.t, a.entry)
	return r.Value, r.Err
}

func (a *actor) Check(context.Context, engine.Reader) (engine.Diff, error) {
	switch a.of(4) {
	case 0:
		return engine.Diff{Act: "done", Opaque: a.of(2) == 0}, nil
	case 1:
		return engine.Diff{}, errors.New("no answer")
	case 2:
		return engine.Diff{Changes: []engine.Change{{What: "x", Before: "a", After: "b"}}}, nil
	}
	return engine.Diff{}, nil
}

func (a *actor) Apply(context.Context, engine.Machine, engine.Diff) (any, error) {
	r := a.result(a.t, a.entry)
	if !r.Value.IsKnown() {
		return nil, nil //nolint:nilnil // a module without results
	}
	return r.Value, r.Err
}

// hurry is a clock whose time passes only while somebody waits, and then at once.
type hurry struct {
	mu  sync.Mutex
	now time.Time
}

func (c *hurry) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *hurry) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(0, d))
	over := make(chan time.Time, 1)
	over <- c.now
	return over
}

type nowhere struct{}

func (nowhere) Append(engine.Event) error { return nil }

// nobody connects to hosts of which vm2 does not answer.
type nobody struct{}

func (nobody) Settings() any { return nil }
func (nobody) Open(_ context.Context, h *engine.Host) (engine.Conn, error) {
	if h.Name == "vm2" {
		return nil, &engine.Error{Kind: engine.KindTimeout, Host: h.Name, Op: "connect", Unreachable: true}
	}
	return silent{}, nil
}

type silent struct{}

func (silent) Identity() string { return "none" }
func (silent) Close() error     { return nil }
