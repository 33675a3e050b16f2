package ssh

import (
	"net"
	"sync/atomic"
	"time"
)

// ear notes when the host was heard last. The answer to a keepalive stands in one queue with everything else: on a slow
// link that a copy fills it comes late, while the host takes the copy and says so all the time.
type ear struct {
	net.Conn
	heard atomic.Int64 // UnixNano
}

func (e *ear) Read(b []byte) (int, error) {
	n, err := e.Conn.Read(b)
	if n > 0 {
		e.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

func (e *ear) silentFor() time.Duration { return time.Since(time.Unix(0, e.heard.Load())) }
