package ssh

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
)

// session is one command on the host. The library's own type is not used: it tells of the exit only when every
// holder of stdout is gone.
type session struct {
	conn    *Conn
	channel ssh.Channel
	before  []*session // those that ran when it was asked for, in the order of their start
	free    func()     // gives its slot back

	exited chan struct{} // closed when the host has told the exit code
	closed chan struct{} // closed when the channel is: nothing of it is left, here and on the host
	parts  atomic.Int32  // goroutines that still use the channel
	gates  []*gate

	code      int  // valid after exited
	abandoned bool // guarded by Conn.mu: nobody waits for it
}

func (c *Conn) newSession(free func(), gates ...*gate) *session {
	return &session{conn: c, free: free, exited: make(chan struct{}), closed: make(chan struct{}), gates: gates}
}

// open starts p on a new channel. A writer of p that fails is told to fail.
func (c *Conn) open(ctx context.Context, p engine.Process, fail context.CancelCauseFunc, free func()) (*session, error) {
	s := c.newSession(free, &gate{to: p.Stdout, fail: fail}, &gate{to: p.Stderr, fail: fail})
	requests, err := c.begin(ctx, s, "exec", p.Line, p.TTY)
	if err != nil {
		return nil, err
	}
	s.parts.Store(3)
	go s.listen(requests)
	go s.copy(s.gates[0], s.channel)
	go s.copy(s.gates[1], s.channel.Stderr())
	s.feed(p.Stdin)
	return s, nil
}

func (s *session) feed(stdin io.Reader) {
	if stdin == nil {
		_ = s.channel.CloseWrite()
		return
	}
	go func() {
		_, _ = io.Copy(s.channel, stdin) // a command need not read all of it
		_ = s.channel.CloseWrite()
	}()
}

// copy passes output on. Most commands say little, and hardly any says something on stderr, so the buffer is little until
// it has been full: io.Copy would take 32 kB for each.
func (s *session) copy(to *gate, from io.Reader) {
	defer s.done()
	for buffer := make([]byte, 512); ; {
		n, err := from.Read(buffer)
		to.take(buffer[:n])
		if err != nil { // a broken connection shows in the missing exit code
			return
		}
		if n == len(buffer) && n < 32<<10 {
			buffer = make([]byte, 32<<10)
		}
	}
}

// numbers of the signals that RFC 4254 names.
var numbers = map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15}

func (s *session) listen(requests <-chan *ssh.Request) {
	defer s.done()
	for r := range requests {
		switch {
		case r.Type == "exit-status" && len(r.Payload) == 4:
			s.exit(int(int32(binary.BigEndian.Uint32(r.Payload)))) //nolint:gosec // Windows has negative ones
		case r.Type == "exit-signal":
			var signal struct {
				Name string
				Rest []byte `ssh:"rest"`
			}
			if ssh.Unmarshal(r.Payload, &signal) == nil {
				s.exit(128 + numbers[signal.Name])
			}
		}
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
}

func (s *session) exit(code int) {
	if _, known := s.result(); !known {
		s.code = code
		close(s.exited)
	}
}

// result is the exit code, if the host has told it.
func (s *session) result() (int, bool) {
	select {
	case <-s.exited:
		return s.code, true
	default:
		return 0, false
	}
}

// done is called by each of the goroutines of the channel; the last one puts out the light.
func (s *session) done() {
	if s.parts.Add(-1) > 0 {
		return
	}
	s.channel.Close()
	s.conn.remove(s)
	close(s.closed)
	s.free()
}

// drain waits for the rest of the output of a command that has ended.
func (s *session) drain(ctx context.Context) {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	select {
	case <-s.closed:
	case <-timer.C:
		s.channel.Close()
	case <-ctx.Done():
		s.channel.Close()
	}
}

// detach keeps the rest of the output away from the writers of a caller who goes.
func (s *session) detach() {
	for _, g := range s.gates {
		g.shut()
	}
}

// gate passes output on until it is shut; a writer that fails shuts it. It always takes everything, so that the
// command on the other side does not block.
type gate struct {
	fail context.CancelCauseFunc
	mu   sync.Mutex
	to   io.Writer
}

func (g *gate) take(b []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.to == nil || len(b) == 0 {
		return
	}
	if _, err := g.to.Write(b); err != nil {
		g.to = nil
		g.fail(broken{err})
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to = nil
}
