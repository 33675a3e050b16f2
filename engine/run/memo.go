package run

import (
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/machine"
)

// memos hands out memos by freshness: hosts that ask at about the same time share one answer of an API, and no one gets
// an answer that was fetched before it had a reason to ask.
type memos struct {
	clock Clock
	first *machine.Memo // of the run: it knows what the connections end at

	mu     sync.Mutex
	shared generation // of all who have no reason to distrust it: it stays while others need fresher answers
	fresh  generation
	acted  time.Time // when a step of this pass acted last
}

type generation struct {
	memo *machine.Memo
	born time.Time
}

// since returns a memo with only what was fetched after t.
func (m *memos) since(t time.Time) *machine.Memo {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shared.memo == nil {
		m.shared = m.begin()
	}
	switch {
	case m.shared.born.After(t):
		return m.shared.memo
	case m.fresh.memo == nil || !m.fresh.born.After(t):
		m.fresh = m.begin()
	}
	return m.fresh.memo
}

func (m *memos) begin() generation { return generation{m.first.Renewed(), m.clock.Now()} }

// act notes that a step acts, and returns when.
func (m *memos) act() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.acted = m.clock.Now()
	return m.acted
}

// turn begins a batch: what was asked before an earlier one acted is no answer for its hosts.
func (m *memos) turn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.acted.IsZero() && !m.shared.born.After(m.acted) {
		m.shared = m.begin()
	}
}
