package run_test

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/run"
)

// listing is a probe of a list that is fetched once for all hosts.
type listing struct {
	mu      sync.Mutex
	fetched int
	w       *world
}

func (l *listing) Probe(ctx context.Context, h engine.Reader) (any, error) {
	list, err := h.Once(ctx, "list", func(context.Context) (any, error) {
		l.mu.Lock()
		l.fetched++
		l.mu.Unlock()
		l.w.mu.Lock()
		defer l.w.mu.Unlock()
		all := map[string]bool{}
		for host, on := range l.w.on {
			all[host] = on
		}
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	all := list.(map[string]bool)
	return seen{On: all["a"]}, nil
}

// What was asked before a step acted is no answer after it: neither on the same host, nor in a later play. Hosts that
// wait for nothing share one answer, whatever others verify meanwhile.
func TestAnswersFromBeforeAStepDoNotCountAfterIt(t *testing.T) {
	hosts := []string{"a", "b", "c", "d"}
	before, after := probe("before"), probe("after")
	b := newBench(hosts, before, step("set"), after)
	l := &listing{w: b.world}
	inner := b.args
	b.args = func(e *engine.Entry, host string) any {
		if e.Kind == engine.EntryProbe {
			return l
		}
		return inner(e, host)
	}
	b.settings = func(e *engine.Entry, host string) engine.Settings {
		if e.Kind == engine.EntryProbe {
			return engine.Settings{On: "a"}
		}
		return engine.Settings{On: host}
	}
	later := probe("later")
	later.Address = "q/probe.later"
	b.items = append(b.items, engine.Item{Play: &engine.Play{Name: "q", Entries: []*engine.Entry{later}}})
	b.targets["q"] = engine.Target{Hosts: hosts}
	b.opts.Parallel = 1
	r := run.New(b.opts)
	p, _, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.fetched = 0
	if _, err := r.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, e := range b.log.events {
		if e.Pass == "apply" && e.Kind == engine.EventEntryEnd && e.Entry != before.Address && e.Module == "thing" && e.Status == "ok" && e.Values != `{"as_of":null,"on":true}` {
			t.Errorf("%s on %s saw %s", e.Entry, e.Host, e.Values)
		}
	}
	// "before" of all, "after" of each, "later" of all.
	if l.fetched != 1+len(hosts)+1 {
		t.Errorf("the list was fetched %d times, want %d", l.fetched, 1+len(hosts)+1)
	}
}

// asking is a step that asks for the platform before everything else, as most modules do.
type asking struct{ turnOn }

func (m *asking) Check(ctx context.Context, h engine.Reader) (engine.Diff, error) {
	if _, err := h.Platform(ctx); err != nil {
		return engine.Diff{}, err
	}
	return m.turnOn.Check(ctx, h)
}

// linux is a transport whose connections run one command: the question what they end at.
type linux struct {
	dialer
	asked atomic.Int32
}

type prompt struct {
	dialed
	*linux
}

func (p prompt) Settings() any  { return nil }
func (p prompt) Family() string { return "" }
func (p prompt) Close() error   { return nil }
func (p prompt) Exec(_ context.Context, x engine.Process) (int, error) {
	p.asked.Add(1)
	_, err := io.WriteString(x.Stdout, "dsplay:Linux:0::\n")
	return 0, err
}

func (l *linux) Open(context.Context, *engine.Host) (engine.Conn, error) {
	return prompt{dialed{&l.dialer, "linux"}, l}, nil
}

// What a connection ends at does not change while it stands: it is asked once, whatever acts meanwhile, and not again to apply.
func TestTheEndOfAConnectionIsAskedForOnce(t *testing.T) {
	b := newBench([]string{"a"}, step("set"), step("set2"), step("set3"))
	l := &linux{}
	b.opts.Inventory.Hosts["a"].Connection.Type = "x"
	b.opts.Transports = map[string]engine.Transport{"x": l}
	b.args = func(e *engine.Entry, _ string) any { return &asking{turnOn{b.world, e.Name}} }
	if _, res := b.both(t, nil); res.Hosts["a"].Status != engine.HostOK {
		t.Fatalf("got %+v", res.Hosts["a"])
	}
	if n := l.asked.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}
