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
	born  time.Time
	heard atomic.Int64 // nanoseconds after born, by the clock that nobody sets: one that is set would make a silent host seem alive
}

func (e *ear) Read(b []byte) (int, error) {
	n, err := e.Conn.Read(b)
	if n > 0 {
		e.heard.Store(int64(time.Since(e.born)))
	}
	return n, err
}

func (e *ear) silentFor() time.Duration { return time.Since(e.born) - time.Duration(e.heard.Load()) }
