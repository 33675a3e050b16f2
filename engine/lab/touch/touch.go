// Package touch lets a simulated system say, of the command that it executes, that it changed something or tried to.
// The one who runs a command watches; the code that acts marks.
package touch

import (
	"context"
	"sync/atomic"
)

type key struct{}

// Watcher is told of marks.
type Watcher struct{ touched atomic.Bool }

// Watch gives a context whose marks the watcher sees, also those of contexts that are made from it.
func Watch(ctx context.Context) (context.Context, *Watcher) {
	w := &Watcher{}
	return context.WithValue(ctx, key{}, w), w
}

// Touched tells whether a mark was made so far.
func (w *Watcher) Touched() bool { return w.touched.Load() }

// Mark says that the command to which ctx belongs changes something, or tries to. Nobody needs to watch.
func Mark(ctx context.Context) {
	if w, ok := ctx.Value(key{}).(*Watcher); ok {
		w.touched.Store(true)
	}
}
