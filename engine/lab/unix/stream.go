package unix

import (
	"context"
	"io"
	"os"
	"sync"
	"time"
)

// gate passes output on until it is closed: a background process must not write to a session that has ended.
// It is safe for use by several goroutines.
type gate struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.w == nil {
		return len(p), nil
	}
	return g.w.Write(p)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// inlet makes a pipe of an input, as the interpreter wants it, whose reads end with ctx. The goroutine that copies
// ends when the input ends, or after its first read behind close.
func inlet(ctx context.Context, stdin io.Reader) (in *os.File, closeIt func()) {
	if stdin == nil {
		return nil, func() {}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, func() {}
	}
	go func() {
		_, _ = io.Copy(w, stdin) // it fails when nobody reads any more
		w.Close()
	}()
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Now()) })
	return r, func() {
		stop()
		r.Close()
	}
}
