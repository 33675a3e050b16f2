package moduletest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/machine"
)

// site joins the modules, through engine/machine with its real quoting and sudo, to a simulated system, and is the
// pool of its one connection. The tests run in simulated time, so the minutes of an installer are free.
type site struct {
	family string
	sudo   *engine.Sudo
	up     func() bool
	// exec runs a line; killed says that the system went down or the command was ended.
	exec func(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) (code int, killed bool)
	// missing answers for the system what it does not simulate; nil: nothing.
	missing func(line string) (stdout string, ok bool)
	net     *network

	mu   sync.Mutex
	plan []string // what diffs announced
	sins []string // what changed something and was not announced
}

// network is the way to a site, which can go away.
type network struct {
	mu   sync.Mutex
	away time.Time     // until then
	cut  chan struct{} // closed when it goes away
}

func newNetwork() *network { return &network{cut: make(chan struct{})} }

func (n *network) lose(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.away = time.Now().Add(d)
	close(n.cut)
	n.cut = make(chan struct{})
}

func (n *network) state() (up bool, cut <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !time.Now().Before(n.away), n.cut
}

func (s *site) machine() *machine.Host {
	return machine.New(s, &engine.Host{Name: "host1"}, machine.Options{Sudo: s.sudo})
}

func (s *site) Get(ctx context.Context, _ *engine.Host) (engine.Conn, error) {
	up, cut := s.net.state()
	if !up || !s.up() {
		return nil, &engine.Error{Kind: engine.KindRefused, Host: "host1", Op: "connect", Unreachable: true}
	}
	return &connection{s, cut}, ctx.Err()
}

func (s *site) Discard(*engine.Host, engine.Conn) {}

// connection is one connection to a site.
type connection struct {
	site *site
	cut  <-chan struct{}
}

func (c *connection) Identity() string { return "none" }
func (c *connection) Close() error     { return nil }
func (c *connection) Family() string   { return c.site.family }

func (c *connection) Exec(ctx context.Context, p engine.Process) (int, error) {
	if c.site.missing != nil {
		if answer, ok := c.site.missing(p.Line); ok {
			_, err := io.WriteString(p.Stdout, answer)
			return 0, err
		}
	}
	type ended struct {
		code   int
		killed bool
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan ended, 1)
	go func() {
		code, killed := c.watched(inner, p)
		done <- ended{code, killed}
	}()
	lost := &engine.Error{Kind: engine.KindLost, Host: "host1", Op: "run " + p.Line, Unreachable: true}
	select {
	case <-c.cut:
		return 0, lost
	case <-ctx.Done():
		return 0, &engine.Error{Kind: engine.KindTimeout, Host: "host1", Op: "run " + p.Line, Err: ctx.Err()}
	case e := <-done:
		if e.killed {
			return 0, errors.Join(lost, ctx.Err())
		}
		return e.code, nil
	}
}

// watched runs a line and notes when it changes what nobody announced.
func (c *connection) watched(ctx context.Context, p engine.Process) (int, bool) {
	ctx, watcher := touch.Watch(ctx)
	code, killed := c.site.exec(ctx, p.Line, p.Stdin, p.Stdout, p.Stderr)
	c.site.mu.Lock()
	defer c.site.mu.Unlock()
	asked := c.site.sudo != nil && !c.site.sudo.Password.IsZero() // the simulated sudo counts each password as a change
	if watcher.Touched() && !asked && !slices.Contains(c.site.plan, p.Line) {
		c.site.sins = append(c.site.sins, p.Line)
	}
	return code, killed
}

// drive goes the way of a run with one instance: check, apply, prove, check. It returns what Apply returned and
// the first diff. What changes the host must have been announced.
func (s *site) drive(ctx context.Context, t *testing.T, instance any) (any, engine.Diff, error) {
	t.Helper()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, line := range s.sins {
			t.Errorf("this was not announced and changes something: %s", line)
		}
	}()
	host := s.machine()
	diff, err := instance.(engine.Checker).Check(ctx, host)
	if err != nil || diff.Empty() {
		return nil, diff, err
	}
	s.mu.Lock()
	s.plan = append(s.plan, diff.Commands...)
	s.mu.Unlock()
	since := time.Now()
	result, err := instance.(engine.Applier).Apply(ctx, host.Acting(diff.Commands), diff)
	if err != nil {
		return nil, diff, err
	}
	if p, ok := instance.(engine.Prover); ok && diff.Act != "" {
		if err := p.Prove(ctx, host, since); err != nil {
			return nil, diff, fmt.Errorf("not proven: %w", err)
		}
	}
	again, err := instance.(engine.Checker).Check(ctx, host)
	if err == nil && len(again.Changes) > 0 {
		t.Errorf("after Apply there is still a difference: %v", again.Changes)
	}
	return result, diff, err
}
