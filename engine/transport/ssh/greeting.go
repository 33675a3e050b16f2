package ssh

import (
	"fmt"
	"net"
	"strings"
	"sync"
)

// greeting is a connection that remembers what the other side said first. The library tells of a server that is none
// only that its connection ended.
type greeting struct {
	net.Conn
	mu   sync.Mutex
	said []byte
}

func (g *greeting) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	g.mu.Lock()
	defer g.mu.Unlock()
	const most = 255 // as long as a version may be: RFC 4253, 4.2
	if g.said == nil {
		g.said = make([]byte, 0, most)
	}
	if room := most - len(g.said); room > 0 {
		g.said = append(g.said, b[:min(n, room)]...)
	}
	return n, err
}

// strange is a server that said something else than SSH does, and hung up.
type strange struct {
	line string
	err  error
}

func (s *strange) Error() string { return fmt.Sprintf("it says %q", s.line) }
func (s *strange) Unwrap() error { return s.err }

// explain makes err a *strange if something was said and no version. MaxStartups of sshd is no stranger: since OpenSSH
// 8.5 it says so in a line before it hangs up.
func (g *greeting) explain(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	text := string(g.said)
	if text == "" || strings.Contains("\n"+text, "\nSSH-") || strings.HasPrefix(text, "Exceeded MaxStartups") {
		return err
	}
	line, _, _ := strings.Cut(text, "\n")
	return &strange{strings.TrimRight(line, "\r"), err}
}
