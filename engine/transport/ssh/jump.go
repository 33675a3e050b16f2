package ssh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh/sshconfig"
)

// stop is a jump host: one of the inventory by its name, or an address.
type stop struct {
	text       string // as it is written
	hop        sshconfig.Hop
	configured bool // ProxyJump says it: names are those of the configuration, not of the inventory
}

// isName tells whether only the inventory can know what is meant.
func (s stop) isName() bool { return !s.configured && !strings.ContainsAny(s.text, "@:.") }

func texts(stops []stop) []string {
	var all []string
	for _, s := range stops {
		all = append(all, s.text)
	}
	return all
}

// stops are the jump hosts in the order of travel: those of the block, else those of the configuration.
func (s *Settings) stops(configured []sshconfig.Hop) ([]stop, error) {
	var all []stop
	if s.Jump != nil {
		for _, text := range s.Jump {
			hop, err := sshconfig.ParseHop(text)
			if err != nil {
				return nil, engine.BadArg{Arg: "jump", Problem: "must have names of the inventory, or addresses: " + err.Error()}
			}
			all = append(all, stop{text: text, hop: hop})
		}
		return all, nil
	}
	if s.route != nil {
		configured = s.route
	}
	for _, hop := range configured {
		all = append(all, stop{text: hop.String(), hop: hop, configured: true})
	}
	return all, nil
}

// Needs are the jump hosts that only the inventory can know.
func (s *Settings) Needs() []engine.Need {
	var needs []engine.Need
	for _, text := range s.Jump {
		if (stop{text: text}).isName() {
			needs = append(needs, engine.Need{Arg: "jump", Host: text})
		}
	}
	return needs
}

// forHop are the settings for a jump host that is an address: those of the block without what is only for its host.
// A hop that a configuration names has no more from the block than what nobody else says.
func (s *Settings) forHop(at stop, before []stop) *Settings {
	c := *s
	c.Jump, c.route, c.Port, c.HostKeyAlias, c.Password, c.Certificate = nil, nil, at.hop.Port, "", engine.Secret{}, ""
	c.Answers = nil
	if keys := s.named(); len(keys) > 0 { // else s is for a hop itself
		c.fallback, c.Key, c.Keys = keys, "", nil
	}
	if at.hop.User != "" || at.configured {
		c.User = at.hop.User
	}
	switch {
	case len(before) > 0 && at.configured:
		for _, b := range before {
			c.route = append(c.route, b.hop)
		}
	case len(before) > 0:
		c.Jump = texts(before)
	}
	return &c
}

// board gets the connection to the last jump host, which is kept until leave.
func (o *opening) board(ctx context.Context) (err error) {
	if len(o.set.jump) == 0 {
		return nil
	}
	last, before := o.set.jump[len(o.set.jump)-1], o.set.jump[:len(o.set.jump)-1]
	end := engine.BeginStage(ctx, engine.StageJump+" "+last.text)
	var c engine.Conn
	if h := o.known(ctx, last); h != nil {
		c, err = o.boardKnown(ctx, h, texts(before))
	} else {
		c, err = o.boardAddress(ctx, last, before)
	}
	if err != nil {
		err = o.onTheWay(last, err)
		end(engine.Stage{Err: err})
		return err
	}
	conn, ok := c.(*Conn)
	if !ok {
		return o.detour(last, "it has no SSH connection")
	}
	o.via = conn
	return nil
}

func (o *opening) detour(at stop, msg string) *engine.Error {
	e := o.failure(engine.KindModule, nil, "")
	e.Op, e.Msg = fmt.Sprintf("connect to %s through %s", o.address, at.text), msg
	return e
}

// known is the host of the inventory that is meant; nil: an address is.
func (o *opening) known(ctx context.Context, at stop) *engine.Host {
	if peers := engine.PeersOf(ctx); peers != nil && !at.configured {
		return peers.Host(at.text)
	}
	return nil
}

// boardKnown takes the run's own connection to h where that goes the same way, and else a shared one that goes ours.
func (o *opening) boardKnown(ctx context.Context, h *engine.Host, before []string) (engine.Conn, error) {
	settings, ok := h.Connection.Settings.(*Settings)
	if !ok {
		return nil, o.detour(stop{text: h.Name}, fmt.Sprintf("a jump host needs a connection \"ssh\", and that of %s is %q", h.Name, h.Connection.Type))
	}
	if len(before) == 0 || slices.Equal(before, settings.Jump) {
		return engine.PeersOf(ctx).Conn(ctx, h.Name)
	}
	own, changed := *h, *settings
	changed.Jump = before
	own.Connection.Settings = &changed
	return o.share(ctx, &own)
}

func (o *opening) boardAddress(ctx context.Context, at stop, before []stop) (engine.Conn, error) {
	if at.isName() {
		return nil, o.detour(at, "the inventory has no such host; an address is written USER@HOST or HOST:PORT")
	}
	settings := o.settings.forHop(at, before)
	return o.share(ctx, &engine.Host{Name: at.text, Address: at.hop.Host, Connection: engine.Connection{Type: "ssh", Settings: settings}})
}

// onTheWay is the error of a jump host as one of the host behind it, which is the one that is not reached.
func (o *opening) onTheWay(at stop, err error) error {
	var e *engine.Error
	if !errors.As(err, &e) || e.Host == o.host.Name {
		return err
	}
	told := *e // others have the same
	told.Host, told.Op, told.Unreachable = o.host.Name, "jump host "+at.text+": "+e.Op, true
	return &told
}

type tripKey struct{}

// share opens a connection to a jump host, or takes the one that others lead through already.
func (o *opening) share(ctx context.Context, h *engine.Host) (engine.Conn, error) {
	settings, err := json.Marshal(h.Connection.Settings) // secrets by name
	if err != nil {
		return nil, err
	}
	hidden := h.Connection.Settings.(*Settings) // what is in no block decides, too, whose connection it is, and which way it goes
	key := fmt.Sprintf("%s%s%v%q", h.Address, settings, hidden.route, hidden.fallback)
	trip, _ := ctx.Value(tripKey{}).([]string)
	if slices.Contains(trip, key) {
		return nil, o.detour(stop{text: h.Name}, "the way leads in a circle")
	}
	ctx = context.WithValue(engine.WithoutStages(ctx), tripKey{}, append(slices.Clone(trip), key))
	c, leave, err := o.transport.shared.get(ctx, key, func(ctx context.Context) (*Conn, error) { return o.transport.open(ctx, h) })
	if err != nil {
		return nil, err
	}
	o.leave = leave
	return c, nil
}
