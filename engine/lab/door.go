package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// manner is how a system meets who connects to it.
type manner string

const (
	normal        manner = ""
	unreachable   manner = "unreachable"    // nobody listens
	silent        manner = "silent"         // connections are accepted and never answered
	wrongHostKey  manner = "wrong-host-key" // SSH with another host key
	wrongPassword manner = "wrong-password" // a guest that refuses the password
)

// listening is a server that runs.
type listening interface {
	Addr() string
	Close()
}

// door is the network side of one system: a server that can be taken away and come back on the same port.
type door struct {
	ctx  context.Context // of the lab
	open func(addr string, m manner) (listening, error)

	mu      sync.Mutex
	addr    string // the address asked for, and from the first opening on the one in use
	manner  manner
	cut     bool // the machine behind it has no network
	running listening
	closed  bool
}

// newDoor opens a door on a free port of ip.
func newDoor(ctx context.Context, ip string, open func(addr string, m manner) (listening, error)) (*door, error) {
	d := &door{ctx: ctx, open: open, addr: net.JoinHostPort(ip, "0")}
	return d, d.change(func() {})
}

// Addr is host and port; they never change.
func (d *door) Addr() (host, port string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	host, port, _ = net.SplitHostPort(d.addr)
	return host, port
}

// meets tells whether it meets people in this manner.
func (d *door) meets(m manner) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.manner == m
}

func (d *door) setManner(m manner) error { return d.change(func() { d.manner = m }) }

// setCut takes the network of the machine away, or gives it back. It waits for handlers that run: call it from
// another goroutine than theirs.
func (d *door) setCut(cut bool) error { return d.change(func() { d.cut = cut }) }

func (d *door) close() { _ = d.change(func() { d.closed = true }) }

// change makes what listens fit the fields that f sets. Nothing happens where nothing changes.
func (d *door) change(f func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := [...]any{d.manner, d.cut, d.closed}
	f()
	if d.running != nil && before == [...]any{d.manner, d.cut, d.closed} {
		return nil
	}
	if d.running != nil {
		d.running.Close()
		d.running = nil
	}
	if d.closed || d.cut || d.manner == unreachable {
		return nil
	}
	return d.listen()
}

// listen opens the door; the port may take a moment to become free again.
func (d *door) listen() (err error) {
	for range 50 {
		if d.manner == silent {
			d.running, err = newMute(d.addr)
		} else {
			d.running, err = d.open(d.addr, d.manner)
		}
		if err == nil {
			d.addr = d.running.Addr()
			return nil
		}
		d.running = nil
		if !errors.Is(err, syscall.EADDRINUSE) || !d.pause() {
			break
		}
	}
	return fmt.Errorf("listen on %s: %w", d.addr, err)
}

func (d *door) pause() bool {
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.ctx.Done():
		return false
	}
}

// mute accepts connections and holds them without a word.
type mute struct {
	net.Listener
	mu    sync.Mutex
	conns []io.Closer
	done  sync.WaitGroup
}

func newMute(addr string) (*mute, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	m := &mute{Listener: l}
	m.done.Go(m.hold)
	return m, nil
}

func (m *mute) hold() {
	for {
		c, err := m.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.conns = append(m.conns, c)
		m.mu.Unlock()
	}
}

// Addr is host and port.
func (m *mute) Addr() string { return m.Listener.Addr().String() }

// Close lets go of everybody.
func (m *mute) Close() {
	_ = m.Listener.Close()
	m.done.Wait()
	for _, c := range m.conns {
		_ = c.Close()
	}
}
