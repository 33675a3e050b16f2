package ssh

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// wire makes the bytes flow to the host, by whatever way.
func (o *opening) wire(ctx context.Context) (net.Conn, error) {
	switch {
	case o.via != nil:
		end := engine.BeginStage(ctx, engine.StageJump+" "+o.set.jump[len(o.set.jump)-1].text)
		conn, err := o.via.dial(ctx, o.address)
		if err != nil {
			end(engine.Stage{Err: err})
			return nil, err
		}
		end(engine.Stage{Detail: o.via.identity})
		return conn, nil
	case o.set.command != "":
		end := engine.BeginStage(ctx, engine.StageCommand)
		conn, err := startCommand(o.set.command)
		if err != nil {
			err = o.failure(engine.KindModule, err, "check ProxyCommand of the configuration")
			end(engine.Stage{Err: err})
			return nil, err
		}
		end(engine.Stage{Detail: o.set.command})
		return conn, nil
	}
	return o.set.dialer.Dial(ctx, o.address)
}

// width is how many connections are made at once through one jump host, and to one address: sshd begins to hang up at
// ten that have not logged in (MaxStartups).
const width = 4

// hesitation is after how long a host that does not answer does not keep others from the jump host any more.
const hesitation = time.Second

// dial opens a connection from c's host to address. Its deadlines have to be made by closing.
func (c *Conn) dial(ctx context.Context, address string) (net.Conn, error) {
	select {
	case c.dials <- struct{}{}:
	case <-c.done:
		return nil, errJumpBroke
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	free := sync.OnceFunc(func() { <-c.dials })
	defer free()
	defer time.AfterFunc(hesitation, free).Stop()
	conn, err := c.client.DialContext(ctx, "tcp", address)
	if err != nil {
		if c.Broken() {
			return nil, errJumpBroke
		}
		return nil, err
	}
	c.mu.Lock()
	c.guests++
	c.mu.Unlock()
	return &passage{Conn: conn, departed: sync.OnceFunc(c.departed)}, nil
}

// departed is called when a connection through c has ended.
func (c *Conn) departed() {
	c.mu.Lock()
	c.guests--
	c.mu.Unlock()
	c.closeIfIdle()
}

// passage is a connection through a jump host.
type passage struct {
	net.Conn
	departed func()
	closed   atomic.Bool
}

func (p *passage) Close() error {
	p.closed.Store(true)
	defer p.departed()
	return p.Conn.Close()
}

// Read tells our own closing from that of the other side, as TCP does and a channel does not.
func (p *passage) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if err != nil && p.closed.Load() {
		err = net.ErrClosed
	}
	return n, err
}
