package guest

import (
	"context"
	"io"
	"time"
)

// idle ends a context when nothing happens for too long.
type idle struct {
	timer *time.Timer
	limit time.Duration
	stop  func()
}

func withIdle(ctx context.Context, limit time.Duration) (context.Context, *idle) {
	ctx, cancel := context.WithCancelCause(ctx)
	i := &idle{limit: limit}
	i.timer = time.AfterFunc(limit, func() { cancel(errSilent) })
	i.stop = func() {
		i.timer.Stop()
		cancel(nil)
	}
	return ctx, i
}

// progress keeps an idle awake.
type progress struct {
	io.Reader
	alive *idle
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if n > 0 {
		p.alive.timer.Reset(p.alive.limit)
	}
	return n, err
}
