package faults_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// wire is a TCP relay in front of a host: what can go wrong on a way goes wrong here, in the same manner for every protocol.
type wire struct {
	listener net.Listener
	to       string
	delay    atomic.Int64 // of each direction, in nanoseconds

	mu     sync.Mutex
	pairs  map[*pair]bool
	frozen chan struct{} // not nil: no byte passes until it is closed
	made   int32         // connections so far
	budget int           // bytes that still pass before it freezes by itself; -1: no end
	parts  sync.WaitGroup
}

type pair struct{ near, far net.Conn }

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: to, pairs: map[*pair]bool{}, budget: -1}
	w.parts.Go(w.accept)
	return w
}

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil {
			near.Close()
			continue
		}
		p := &pair{near, far}
		w.mu.Lock()
		w.pairs[p] = true
		w.made++
		w.mu.Unlock()
		var both sync.WaitGroup
		both.Go(func() { w.pass(p.far, p.near) })
		both.Go(func() { w.pass(p.near, p.far) })
		w.parts.Go(func() {
			both.Wait()
			w.mu.Lock()
			delete(w.pairs, p)
			w.mu.Unlock()
		})
	}
}

// pass carries one direction, each piece as late as the delay says, and then the end of it.
func (w *wire) pass(to, from net.Conn) {
	type piece struct {
		due  time.Time
		data []byte
	}
	pieces := make(chan piece, 10_000)
	go func() {
		defer close(pieces)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			w.wait(n)
			if n > 0 {
				pieces <- piece{time.Now().Add(time.Duration(w.delay.Load())), data[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	broken := false
	for p := range pieces {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil && !broken {
			broken = true
			from.Close()
		}
	}
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	to.Close()
}

// wait lets n bytes pass, or none while the wire is frozen.
func (w *wire) wait(n int) {
	w.mu.Lock()
	if w.budget >= 0 && w.frozen == nil {
		if w.budget -= n; w.budget < 0 {
			w.frozen = make(chan struct{})
		}
	}
	frozen := w.frozen
	w.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
}

// freeze lets connections stand, and new ones come, and nothing pass.
func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.frozen == nil {
		w.frozen = make(chan struct{})
	}
}

func (w *wire) freezeAfter(bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.budget = bytes
}

func (w *wire) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.budget = -1
	if w.frozen != nil {
		close(w.frozen)
		w.frozen = nil
	}
}

// reset ends every connection, as a router does that has forgotten them; new ones are welcome.
func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range w.pairs {
		for _, c := range []net.Conn{p.near, p.far} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			c.Close()
		}
	}
}

// open is how many connections are still there.
func (w *wire) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pairs)
}

// count is how many connections there were.
func (w *wire) count() int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.made
}

func (w *wire) close() {
	_ = w.listener.Close()
	w.heal()
	w.reset()
	w.parts.Wait()
}
