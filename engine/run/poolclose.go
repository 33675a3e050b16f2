package run

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// Close ends every dial and closes every connection, in bounded time: all at once, but for one that others lead through,
// which is closed after them. Afterwards Get gives errors.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	slots := maps.Clone(p.slots)
	p.mu.Unlock()
	var dials []*dial
	for _, s := range slots {
		if d := s.end(); d != nil {
			dials = append(dials, d)
		}
	}
	levels := map[int][]engine.Conn{}
	for _, d := range dials {
		if <-d.done; d.conn != nil {
			levels[d.depth] = append(levels[d.depth], d.conn)
		}
	}
	var all error
	for _, depth := range slices.Backward(slices.Sorted(maps.Keys(levels))) {
		all = errors.Join(all, closeAll(levels[depth]))
	}
	return all
}

func closeAll(conns []engine.Conn) error {
	errs := make([]error, len(conns))
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() { errs[i] = c.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// end ends a dial that goes on, and returns it. There is no other one after it.
func (s *slot) end() *dial {
	s.mu.Lock()
	d := s.dial
	s.dial, s.closed = nil, true
	s.mu.Unlock()
	if d != nil {
		d.cancel()
	}
	return d
}
