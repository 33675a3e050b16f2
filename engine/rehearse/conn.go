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
	answers, err := t.stage.world.Answers(h.Name)
	switch {
	case err != nil:
		return nil, t.stage.broken(err)
	case !answers:
		return nil, &engine.Error{Kind: engine.KindTimeout, Host: h.Name, Op: "connect to " + h.Address, Msg: "no answer", Unreachable: true}
	}
	return line{}, nil
}

// line is a connection to nothing. Only that it is there is asked, and only by mocks; anything else is a bug, and panics.
type line struct{ engine.API }

func (line) Identity() string { return "none" }
func (line) Close() error     { return nil }
