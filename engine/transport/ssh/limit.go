package ssh

import (
	"context"
	"sync"
)

// limits lets few connections be made at once to the same address.
type limits struct {
	mu    sync.Mutex
	slots map[string]chan struct{}
}

// take waits for a slot of an address; free gives it back.
func (l *limits) take(ctx context.Context, address string) (free func(), err error) {
	l.mu.Lock()
	slots, ok := l.slots[address]
	if !ok {
		if l.slots == nil {
			l.slots = map[string]chan struct{}{}
		}
		slots = make(chan struct{}, width)
		l.slots[address] = slots
	}
	l.mu.Unlock()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
