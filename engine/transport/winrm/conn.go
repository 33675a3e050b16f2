package winrm

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/codepage"
)

const (
	// parallel is how many commands run at once on a host; more wait. Windows allows 25 processes in a shell, fewer on old hosts.
	parallel = 5
	// cleanup is how long killing a command, or closing, may take.
	cleanup = 5 * time.Second
)

// conn is one host: links to it, and the remote shell in which its commands run.
type conn struct {
	pool      *pool
	identity  string
	operation time.Duration // how long the host may hold a request
	slots     chan struct{}
	limits    limits
	page      codepage.Page   // of the shell
	base      context.Context // without deadline, for what has to be done after the caller's has ended
	closing   context.Context
	stop      context.CancelFunc
	running   sync.WaitGroup

	creating chan struct{} // held by who creates a shell
	mu       sync.Mutex
	closed   bool
	shell    *shell
	retired  []*shell // not used any more, and still there as far as is known
}

// shell is a remote shell. Its commands die with it.
type shell struct {
	id   string
	busy int // commands in it; guarded by conn.mu
}

func newConn(ctx context.Context, d *dialer, operation time.Duration) *conn {
	c := &conn{
		pool:      &pool{dialer: d, links: map[*link]bool{}},
		identity:  "none",
		operation: operation, limits: limits{envelope: envelopeSize},
		slots: make(chan struct{}, parallel), creating: make(chan struct{}, 1),
		base: context.WithoutCancel(ctx),
	}
	c.closing, c.stop = context.WithCancel(c.base)
	return c
}

// open makes the first link and the shell.
func (c *conn) open(ctx context.Context) error {
	err := c.begin(ctx)
	if err == nil {
		return nil
	}
	e := c.failed(c.pool.dialer.op(), err)
	e.Unreachable = true
	return e
}

func (c *conn) begin(ctx context.Context) error {
	l, err := c.pool.get(ctx)
	if err != nil {
		return err
	}
	c.identity = l.identity()
	c.pool.put(l)
	sh, err := c.enter(ctx)
	if err != nil {
		return err
	}
	c.leave(sh)
	return nil
}

func (c *conn) Identity() string { return c.identity }
func (c *conn) Family() string   { return "windows" }

// Encoding is the code page that the shell was asked for.
func (c *conn) Encoding() string { return c.page.String() }

// Close ends what still runs, deletes the shells on the host and closes the links. A host that does not answer
// costs twice the time of a cleanup at most.
func (c *conn) Close() error {
	c.mu.Lock()
	already := c.closed
	c.closed = true
	c.mu.Unlock()
	if already {
		return nil
	}
	c.stop()
	c.running.Wait()
	ctx, cancel := context.WithTimeout(c.base, cleanup)
	defer cancel()
	c.mu.Lock()
	shells := c.retired
	if c.shell != nil {
		shells = append(shells, c.shell)
	}
	c.mu.Unlock()
	var problem error
	for _, sh := range shells {
		if _, err := c.call(ctx, remove(sh.id)); err != nil && !gone(err) {
			problem = errors.Join(problem, c.failed("delete the remote shell", err))
		}
	}
	c.pool.close()
	return problem
}

// enter gives the shell for a command and counts the command in; it creates the shell where there is none.
func (c *conn) enter(ctx context.Context) (*shell, error) {
	select {
	case c.creating <- struct{}{}:
		defer func() { <-c.creating }()
	case <-ctx.Done():
		return nil, unsent{why(ctx)}
	}
	if sh := c.join(); sh != nil {
		return sh, nil
	}
	end := engine.BeginStage(ctx, engine.StageShell)
	a, err := c.call(ctx, create(c.page.Number()))
	end(engine.Stage{Err: err})
	if err != nil {
		return nil, err
	}
	id := a.shell()
	if id == "" {
		return nil, &lost{msg: "the host made a shell and does not say which", answered: true}
	}
	c.mu.Lock()
	c.shell = &shell{id: id}
	c.mu.Unlock()
	return c.join(), nil
}

// join counts a command into the shell, if there is one.
func (c *conn) join() *shell {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shell != nil {
		c.shell.busy++
	}
	return c.shell
}

// leave counts a command out; the last one of a shell that is not used any more deletes it.
func (c *conn) leave(sh *shell) {
	c.mu.Lock()
	sh.busy--
	last := sh.busy == 0 && slices.Contains(c.retired, sh)
	c.mu.Unlock()
	if last {
		c.delete(sh)
	}
}

// forget lets the next command have a new shell; this one is gone.
func (c *conn) forget(sh *shell) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shell == sh {
		c.shell = nil
	}
}

// retire lets the next command have a new shell because something unknown may run in this one. It tells whether
// the shell could be deleted, and with it what runs there; else Close tries again.
func (c *conn) retire(sh *shell) (dead bool) {
	c.mu.Lock()
	if c.shell == sh {
		c.shell = nil
		c.retired = append(c.retired, sh)
	}
	alone := sh.busy == 1
	c.mu.Unlock()
	return alone && c.delete(sh)
}

// discard lets the next command have a new shell; gone says that this one is not there any more.
func (c *conn) discard(sh *shell, gone bool) {
	if gone {
		c.forget(sh)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shell == sh {
		c.shell = nil
		c.retired = append(c.retired, sh)
	}
}

// delete ends a retired shell and what runs in it, and tells whether it is gone.
func (c *conn) delete(sh *shell) bool {
	ctx, cancel := context.WithTimeout(c.base, cleanup)
	defer cancel()
	if _, err := c.ask(ctx, remove(sh.id)); err != nil && !gone(err) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retired = slices.DeleteFunc(c.retired, func(other *shell) bool { return other == sh })
	return true
}
