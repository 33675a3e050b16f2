package engine

import "context"

// Peers are the hosts of the inventory, for a transport that reaches a host through another one: a jump host, the
// vCenter of a guest.
type Peers interface {
	// Host finds a host by its inventory name; nil: there is none.
	Host(name string) *Host
	// Conn returns the connection that the run has to it, and opens it where there is none. Who gets it does not close
	// it: it outlives the connection that is being opened. Its errors blame the peer.
	Conn(ctx context.Context, name string) (Conn, error)
}

// Mortal is a connection that knows whether it has broken, so that nobody is led through a dead one.
type Mortal interface{ Broken() bool }

// Need says that the settings of a connection lead through another host of the inventory.
type Need struct {
	Arg  string // the argument that names it
	Host string
	// Written: only a host that is written in the inventory will do, none that a source may find.
	Written bool
	// Type is the type of connection that it must have; "": any.
	Type string
}

// Needer are settings that lead through other hosts. The inventory refuses names that it does not know, and hosts with
// another type of connection.
type Needer interface{ Needs() []Need }

type peersKey struct{}

// WithPeers gives a transport's Open its peers.
func WithPeers(ctx context.Context, p Peers) context.Context {
	return context.WithValue(ctx, peersKey{}, p)
}

// PeersOf returns the peers that the opener of a connection gave; nil: there are none.
func PeersOf(ctx context.Context) Peers {
	p, _ := ctx.Value(peersKey{}).(Peers)
	return p
}
