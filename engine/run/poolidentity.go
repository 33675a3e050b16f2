package run

import (
	"fmt"

	"github.com/dsplay/dsplay/engine"
)

// forget lets another host, or the same by another way, prove another identity.
func (s *slot) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity = ""
}

// Expect says what a host must prove to be. A connection to one that has proved something else is closed; the next Get
// says so.
func (p *Pool) Expect(host, identity string) {
	s := p.slot(host)
	s.mu.Lock()
	s.identity, s.planned = identity, true
	s.mu.Unlock()
	if d := s.drop(func(d *dial) bool { return d.conn != nil && d.conn.Identity() != identity }); d != nil {
		_ = d.conn.Close() // nobody wants it
	}
}

// same refuses a host that proves to be another one than before: what was planned was planned for that one.
func (s *slot) same(c engine.Conn, host string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := c.Identity()
	if s.identity == "" {
		s.identity = now
	}
	if s.identity == now {
		return nil
	}
	_ = c.Close() // nobody wants it
	op, when := "connect again to "+host, "when this run connected first"
	if s.planned {
		op, when = "connect to "+host, "when the plan was made"
	}
	return &engine.Error{Kind: engine.KindHostKey, Host: host, Op: op, Unreachable: true,
		Msg:  fmt.Sprintf("it was %q %s, and is %q now", s.identity, when, now),
		Hint: "was it rebuilt meanwhile, or is somebody in between? Nothing more is done on it; run again when that is clear"}
}
