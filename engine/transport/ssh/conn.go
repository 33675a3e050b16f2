package ssh

import (
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxSessions is how many commands run at once on a connection; more wait. sshd's default limit is 10, and a session
// that ends holds its slot a little longer than its client knows.
const maxSessions = 5

// Conn is one connection, shared by all commands for its host.
type Conn struct {
	client   *ssh.Client // without what ssh.NewClient starts; see watch
	host     string      // inventory name
	address  string
	identity string
	encoding string        // of a Windows host
	silence  time.Duration // how long the host may take to answer before it is given up
	done     chan struct{} // closed when the connection has ended

	keepalive *time.Timer
	ear       *ear

	via   *Conn  // the jump host behind which the host is; nil: none
	name  string // of the jump host
	leave func() // tells that via is not needed any more
	dials chan struct{}

	slots chan struct{}
	turn  chan struct{} // held while an exec request is on its way, so that sessions has sshd's order

	mu       sync.Mutex
	sessions []*session // whose channel is open, in the order in which sshd started them
	guests   int        // connections that lead through this one
	retired  bool       // a process on it could not be killed: no new sessions, and the end when the others have ended
}

func newConn(o *opening, wire ssh.Conn, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) *Conn {
	c := &Conn{
		client: &ssh.Client{Conn: wire}, host: o.host.Name, address: o.address, silence: o.set.keepalive, encoding: o.set.page.String(), ear: o.ear,
		identity: "ssh " + o.proved + weakness(wire),
		done:     make(chan struct{}), slots: make(chan struct{}, maxSessions), turn: make(chan struct{}, 1),
		via: o.via, leave: o.leave, dials: make(chan struct{}, width),
	}
	if o.via != nil {
		c.name = o.set.jump[len(o.set.jump)-1].text
	}
	c.keepalive = time.AfterFunc(time.Hour, c.ask)
	c.keepalive.Reset(c.silence) // only now: ask uses the field
	go c.watch(channels, requests)
	return c
}

func keyType(key ssh.PublicKey) string { return bare(key).Type() }

// Identity is the kind and the fingerprint of the host key that was verified, and which algorithms of legacy_algorithms
// the connection hangs on, if any: so a plan shows them.
func (c *Conn) Identity() string { return c.identity }

// Family is unknown: behind SSH there may be sh or cmd.exe.
func (c *Conn) Family() string { return "" }

// Encoding is the code page of a Windows host, as the inventory says.
func (c *Conn) Encoding() string { return c.encoding }

// Close cuts the connection, which ends everything of it here. Commands that still run go on on the host.
func (c *Conn) Close() error {
	_ = c.client.Close() // it fails only when it was closed already
	<-c.done
	return nil
}

// ask notices a host that fell silent: every interval it asks, and gives up when nothing at all was heard for one
// interval after that.
func (c *Conn) ask() {
	answered := make(chan struct{})
	defer close(answered)
	go func() {
		for wait := c.silence; ; wait = c.silence - c.ear.silentFor() {
			if wait <= 0 {
				c.client.Close()
				return
			}
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-answered:
				timer.Stop()
				return
			}
		}
	}()
	// Any answer will do; hosts refuse the request, since they do not know it.
	if _, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil); err == nil {
		c.keepalive.Reset(c.silence)
	}
}

// watch refuses what the host asks for, and waits for the end of the connection: the work of ssh.NewClient, which takes
// three goroutines for it.
func (c *Conn) watch(channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	for channels != nil || requests != nil {
		select {
		case wanted, ok := <-channels:
			if !ok {
				channels = nil
				continue
			}
			_ = wanted.Reject(ssh.UnknownChannelType, "unknown channel type: "+wanted.ChannelType())
		case asked, ok := <-requests:
			if !ok {
				requests = nil
				continue
			}
			_ = asked.Reply(false, nil) // as OpenSSH does where it does not know the request; it fails when the connection ends
		}
	}
	_ = c.client.Wait()
	c.keepalive.Stop()
	close(c.done)
	c.leave()
}

// Broken tells whether the connection has ended.
func (c *Conn) Broken() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// retire keeps new sessions away; the connection closes with the last one that can end.
func (c *Conn) retire() {
	c.mu.Lock()
	c.retired = true
	c.mu.Unlock()
	c.closeIfIdle()
}

// closeIfIdle ends a retired connection on which nobody waits for anything any more. What is left are sessions that
// were given up; their goroutines end with it.
func (c *Conn) closeIfIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.retired || c.guests > 0 {
		return
	}
	for _, s := range c.sessions {
		if !s.abandoned {
			return
		}
	}
	c.client.Close()
}

func (c *Conn) add(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions = append(c.sessions, s)
}

// running are the sessions whose exit code is not known yet.
func (c *Conn) running() []*session {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []*session
	for _, s := range c.sessions {
		if _, known := s.result(); !known {
			list = append(list, s)
		}
	}
	return list
}

func (c *Conn) remove(gone *session) {
	c.mu.Lock()
	c.sessions = slices.DeleteFunc(c.sessions, func(s *session) bool { return s == gone })
	c.mu.Unlock()
	c.closeIfIdle()
}

// forks tells whether the server is known to have one process per connection whose children are the sessions.
func (c *Conn) forks() bool {
	version := string(c.client.ServerVersion())
	return strings.HasPrefix(version, "SSH-2.0-OpenSSH_") && !strings.Contains(version, "Windows") ||
		strings.HasPrefix(version, "SSH-2.0-dropbear")
}
