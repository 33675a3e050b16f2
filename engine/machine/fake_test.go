package machine_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/machine"
)

// host is a simulated one: it says what it is, and runs every other line by a function.
type host struct {
	family string
	says   string // to the question for the platform
	run    func(ctx context.Context, p engine.Process) (int, error)

	mu      sync.Mutex
	lines   []string
	asked   int
	opened  int
	discard int
}

const (
	linux = "dsplay:Linux:1000::"
	esxi  = "dsplay:VMkernel:0:/bin/esxcli:VMware ESXi 7.0.3 build-19193900"
	root  = "dsplay:Linux:0::"
)

type conn struct{ *host }

func (c *conn) Identity() string { return "none" }
func (c *conn) Close() error     { return nil }
func (c *conn) Family() string   { return c.family }

func (c *conn) Exec(ctx context.Context, p engine.Process) (int, error) {
	if strings.HasPrefix(p.Line, `echo "dsplay:`) {
		c.mu.Lock()
		c.asked++
		c.mu.Unlock()
		_, _ = io.WriteString(p.Stdout, "motd of an rc file\n"+c.says+"\n")
		return 0, nil
	}
	c.mu.Lock()
	c.lines = append(c.lines, p.Line)
	c.mu.Unlock()
	if c.run == nil {
		return 0, nil
	}
	return c.run(ctx, p)
}

// pool opens one connection, and another after a Discard.
type pool struct {
	*host
	mu      sync.Mutex
	current engine.Conn
}

func (p *pool) Get(context.Context, *engine.Host) (engine.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil {
		p.opened++
		p.current = &conn{p.host}
	}
	return p.current, nil
}

func (p *pool) Discard(_ *engine.Host, c engine.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == c {
		p.current = nil
		p.discard++
	}
}

func on(h *host, o machine.Options) *machine.Host {
	return machine.New(&pool{host: h}, &engine.Host{Name: "dsva1"}, o)
}

func lineOf(t *testing.T, h *host, sudo *engine.Sudo, c engine.Command) string {
	t.Helper()
	m := on(h, machine.Options{Sudo: sudo})
	line, err := m.Line(t.Context(), c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	if _, err := m.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if last := h.lines[len(h.lines)-1]; last != line {
		t.Errorf("Line says %q, Run sends %q", line, last)
	}
	return line
}
