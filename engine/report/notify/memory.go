package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Memory is a folder that keeps what was told last. It is for not repeating oneself, and no more: what cannot be read was
// not told. A nil Memory remembers nothing.
type Memory struct {
	Dir string
	Now func() time.Time

	mu sync.Mutex
}

// saying is what was told last to somebody of a playbook.
type saying struct {
	When time.Time `json:"when"`
	What string    `json:"what"`
}

// told tells whether the same was said to somebody less than its block's repeat ago. What was done is always said.
func (m *Memory) told(n engine.Notification, message engine.Message) bool {
	if m == nil || message.Test || n.Repeat == 0 || len(message.Changed)+len(message.Healed) > 0 {
		return false
	}
	data, err := os.ReadFile(m.path(n, message))
	if err != nil {
		return false
	}
	var s saying
	if json.Unmarshal(data, &s) != nil {
		return false
	}
	ago := m.Now().Sub(s.When)
	return s.What == essence(message) && ago >= 0 && ago < n.Repeat // a clock that was set back forgets
}

func (m *Memory) note(n engine.Notification, message engine.Message) {
	if m == nil || message.Test || n.Repeat == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, err := json.Marshal(saying{m.Now(), essence(message)})
	if err == nil && os.MkdirAll(m.Dir, 0o700) == nil {
		_ = os.WriteFile(m.path(n, message), data, 0o600) // the worst is that somebody is told twice
	}
}

func (m *Memory) path(n engine.Notification, message engine.Message) string {
	return filepath.Join(m.Dir, digest(n.Type, n.Name, message.Playbook)+".json")
}

// essence is what makes two messages the same: what happened to whom, and not when, in which run, or in which words.
func essence(m engine.Message) string {
	return digest(m.Occasions, m.Subject, m.Exit, m.Status, m.Failed, m.Healed, m.Changed, m.Plan != "")
}

func digest(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil { // texts and numbers always marshal
		return "0"
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}
