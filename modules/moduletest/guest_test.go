package moduletest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/machine"
)

// This file joins the modules, through engine/machine with its real quoting, to the simulated Windows guest. The
// tests run in simulated time, so the minutes of an installer are free.

// network is the way to a guest, which can go away.
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

// guest is a guest and the way to it; it is the pool of its one connection.
type guest struct {
	*windows.Guest
	net     *network
	written time.Time // when the command file of a job was
	plan    []string  // what diffs announced
	sins    []string  // what changed something and was not announced
}

func newGuest(t *testing.T, c windows.Config, faults ...string) *guest {
	t.Helper()
	g := &guest{net: newNetwork()}
	c.Name, c.OnNetworkLoss = "guest1", g.net.lose
	g.Guest = windows.New(c)
	for _, fault := range faults {
		if err := g.Break(fault); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func (g *guest) machine() *machine.Host {
	return machine.New(g, &engine.Host{Name: "guest1"}, machine.Options{})
}

func (g *guest) Get(ctx context.Context, _ *engine.Host) (engine.Conn, error) {
	up, cut := g.net.state()
	if !up || !g.State().Up {
		return nil, &engine.Error{Kind: engine.KindRefused, Host: "guest1", Op: "connect", Unreachable: true}
	}
	return &connection{guest: g, cut: cut}, ctx.Err()
}

func (g *guest) Discard(*engine.Host, engine.Conn) {}

// connection is one connection to the guest.
type connection struct {
	guest *guest
	cut   <-chan struct{}
}

func (c *connection) Identity() string { return "none" }
func (c *connection) Close() error     { return nil }
func (c *connection) Family() string   { return "windows" }

func (c *connection) Exec(ctx context.Context, p engine.Process) (int, error) {
	if answer, ok := c.missing(p.Line); ok {
		_, err := p.Stdout.Write([]byte(answer))
		return 0, err
	}
	watched, watcher := touch.Watch(ctx)
	defer func() {
		if watcher.Touched() && !slices.Contains(c.guest.plan, p.Line) {
			c.guest.sins = append(c.guest.sins, p.Line)
		}
	}()
	inner, cancel := context.WithCancel(watched)
	defer cancel()
	type ended struct {
		code        uint32
		out, errOut []byte
	}
	done := make(chan ended, 1)
	go func() {
		var out, errOut bytes.Buffer
		code := c.guest.Exec(inner, `CORP\ops`, p.Line, p.Stdin, &out, &errOut)
		done <- ended{code, out.Bytes(), errOut.Bytes()}
	}()
	lost := &engine.Error{Kind: engine.KindLost, Host: "guest1", Op: "run " + p.Line, Unreachable: true}
	select {
	case <-c.cut:
		return 0, lost
	case <-ctx.Done():
		return 0, &engine.Error{Kind: engine.KindTimeout, Host: "guest1", Op: "run " + p.Line, Err: ctx.Err()}
	case e := <-done:
		if e.code == cmdexe.Killed {
			return 0, lost
		}
		_, err1 := p.Stdout.Write(e.out)
		_, err2 := p.Stderr.Write(e.errOut)
		return int(e.code), errors.Join(err1, err2)
	}
}

// missing stands in for the expressions of PowerShell that the guest does not know: its boot with the time now, and
// the age of the file that was written last.
func (c *connection) missing(line string) (string, bool) {
	switch {
	case strings.Contains(line, ".cmd& echo"):
		c.guest.written = time.Now()
	case strings.Contains(line, "LastBootUpTime.ToFileTimeUtc"):
		return fmt.Sprintf("%d\r\n%d\r\n", fileTime(c.guest.State().BootTime), fileTime(time.Now())), true
	case strings.Contains(line, "LastWriteTime"):
		return fmt.Sprintln(time.Since(c.guest.written).Milliseconds()), true
	}
	return "", false
}

// fileTime counts 100 ns since 1601.
func fileTime(t time.Time) int64 { return t.UnixNano()/100 + 116444736000000000 }

// drive goes the way of a run with one instance: check, apply, prove, check. It returns what Apply returned and
// the first diff. What changes the guest must have been announced.
func drive(ctx context.Context, t *testing.T, g *guest, instance any) (any, engine.Diff, error) {
	t.Helper()
	defer func() {
		for _, line := range g.sins {
			t.Errorf("this was not announced and changes something: %s", line)
		}
	}()
	host := g.machine()
	diff, err := instance.(engine.Checker).Check(ctx, host)
	if err != nil || diff.Empty() {
		return nil, diff, err
	}
	g.plan = append(g.plan, diff.Commands...)
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
