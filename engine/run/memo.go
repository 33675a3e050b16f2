package run

import (
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/machine"
)

// memos hands out memos by freshness: hosts that poll at about the same time share one answer of an API,
// and no one gets an answer that was fetched before it had a reason to ask.
type memos struct {
	clock Clock

	mu   sync.Mutex
	memo *machine.Memo
	born time.Time
}

// since returns a memo with nothing in it that was fetched before t.
func (m *memos) since(t time.Time) *machine.Memo {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.memo == nil || m.born.Before(t) {
		m.memo, m.born = machine.NewMemo(), m.clock.Now()
	}
	return m.memo
}
