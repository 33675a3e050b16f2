package rehearse

import (
	"context"

	"github.com/dsplay/dsplay/engine"
)

// transports stand for every type of connection that the inventory has, also for hosts of which it says none. They open nothing.
func (s *stage) transports(inv *engine.Inventory) map[string]engine.Transport {
	out := map[string]engine.Transport{}
	for _, h := range inv.Hosts {
		out[h.Connection.Type] = transport{s}
	}
	return out
}

type transport struct{ stage *stage }

func (transport) Settings() any { return nil }

// Open says whether the host answers in this scenario.
func (t transport) Open(_ context.Context, h *engine.Host) (engine.Conn, error) {
	if err := t.stage.silence(h.Name); err != nil {
		return nil, err
	}
	return line{}, nil
}

// silence is the error of a host that does not answer now, or nil.
func (s *stage) silence(host string) error {
	answers, err := s.world.Answers(host)
	switch {
	case err != nil:
		return s.broken(err)
	case !answers:
		return &engine.Error{Kind: engine.KindTimeout, Host: host, Op: "connect to " + host, Msg: "no answer", Unreachable: true}
	}
	return nil
}

// line is a connection to nothing. Only that it is there is asked, and only by mocks; anything else is a bug, and panics.
type line struct{ engine.API }

func (line) Identity() string { return "none" }
func (line) Close() error     { return nil }
