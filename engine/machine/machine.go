// Package machine knows how to work on a host through nothing but command lines: which platform it is, how its shell
// wants words quoted, how sudo asks for its password, and how a file is read with what every system has.
package machine

import (
	"context"
	"errors"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// DefaultTimeout is how long one command may take when nothing else is said.
const DefaultTimeout = 5 * time.Minute

// Pool lends the one connection per host and run.
type Pool interface {
	// Get opens the connection to h, or returns the one that is open.
	Get(ctx context.Context, h *engine.Host) (engine.Conn, error)
	// Discard closes c, which broke; the next Get opens another.
	Discard(h *engine.Host, c engine.Conn)
}

// Options are what an entry says about the way its commands run.
type Options struct {
	Sudo    *engine.Sudo  // the effective one; nil: none
	Memo    *Memo         // nil: one of its own
	Timeout time.Duration // per command; 0: DefaultTimeout
	// Ran is told every command line before it is sent, from any goroutine; nil: nobody is.
	Ran func(line string)
	// Progress is told of copies that take longer, from any goroutine; nil: nobody is.
	Progress func(engine.Progress)
}

// Host is a host as one entry sees it. It implements engine.Reader and is safe for use by several goroutines.
type Host struct {
	pool    Pool
	host    *engine.Host
	options Options
}

var _ engine.Reader = (*Host)(nil)

// New makes a host whose connection comes from pool when it is needed.
func New(pool Pool, h *engine.Host, o Options) *Host {
	if o.Memo == nil {
		o.Memo = NewMemo()
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Ran == nil {
		o.Ran = func(string) {}
	}
	return &Host{pool: pool, host: h, options: o}
}

// Name is the host's name in the inventory.
func (h *Host) Name() string { return h.host.Name }

// Platform is asked of the host once per connection.
func (h *Host) Platform(ctx context.Context) (engine.Platform, error) {
	var platform engine.Platform
	err := h.use(ctx, func(shell engine.Shell) error {
		s, err := h.system(ctx, shell)
		platform = s.platform
		return err
	})
	return platform, err
}

// Run executes a command that changes nothing.
func (h *Host) Run(ctx context.Context, c engine.Command) (engine.Output, error) {
	return h.do(ctx, c, func(string) error { return nil })
}

// Line is the exact command line that Run and Do send for c. It needs the connection, because it depends on the platform.
func (h *Host) Line(ctx context.Context, c engine.Command) (string, error) {
	var line string
	err := h.use(ctx, func(shell engine.Shell) error {
		s, err := h.system(ctx, shell)
		if err != nil {
			return err
		}
		call, err := h.render(s, c)
		line = call.line
		return err
	})
	return line, err
}

// Once returns what f returned for key in this pass; see Memo.
func (h *Host) Once(ctx context.Context, key string, f func(context.Context) (any, error)) (any, error) {
	return h.options.Memo.answers.once(ctx, memoKey{h.host.Name, key}, f)
}

// API is the connection of an API host.
func (h *Host) API(ctx context.Context) (engine.API, error) {
	conn, err := h.pool.Get(ctx, h.host)
	if err != nil {
		return nil, err
	}
	if api, ok := conn.(engine.API); ok {
		return api, nil
	}
	return nil, &engine.Error{
		Kind: engine.KindModule, Host: h.host.Name, Msg: h.host.Name + " is no API host",
		Hint: `the module talks to an API: "on" must name a host whose connection is "https"`,
	}
}

// use lends f the connection. One that had broken before f's command ran is replaced, once; one that broke meanwhile
// is discarded, so that the next call dials anew.
func (h *Host) use(ctx context.Context, f func(engine.Shell) error) error {
	for fresh := false; ; fresh = true {
		conn, err := h.pool.Get(ctx, h.host)
		if err != nil {
			return err
		}
		shell, ok := conn.(engine.Shell)
		if !ok {
			return &engine.Error{
				Kind: engine.KindModule, Host: h.host.Name, Msg: h.host.Name + " runs no commands",
				Hint: `it is an API host; "on" must name a host whose connection is ssh, winrm, local or guest`,
			}
		}
		err = f(shell)
		if engine.KindOf(err) == engine.KindLost {
			h.pool.Discard(h.host, conn)
			h.options.Memo.forget(h.host.Name, conn)
		}
		if fresh || !errors.Is(err, engine.ErrNotRun) {
			return err
		}
	}
}

func (h *Host) do(ctx context.Context, c engine.Command, permit func(line string) error) (engine.Output, error) {
	var out engine.Output
	err := h.use(ctx, func(shell engine.Shell) error {
		s, err := h.system(ctx, shell)
		if err != nil {
			return err
		}
		call, err := h.render(s, c)
		if err != nil {
			return err
		}
		if err := permit(call.line); err != nil {
			return err
		}
		out, err = h.exec(ctx, shell, call, c)
		return err
	})
	return out, err
}
