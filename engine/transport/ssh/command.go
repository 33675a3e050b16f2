package ssh

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// commandConn is a ProxyCommand: a process on this machine whose stdin and stdout are the wire.
type commandConn struct {
	cmd    *exec.Cmd
	in     *os.File // its stdin, our end
	out    *os.File // its stdout, our end
	errs   tail
	exited chan struct{}
	close  func()
}

// startCommand runs line by a shell. The process and what it starts die with the connection.
func startCommand(line string) (*commandConn, error) {
	c := &commandConn{cmd: shellCommand(line), exited: make(chan struct{})}
	stdin, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, stdout, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, stdin.Close(), in.Close())
	}
	c.in, c.out = in, out
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr, c.cmd.WaitDelay = stdin, stdout, &c.errs, time.Second
	err = c.cmd.Start()
	_, _ = stdin.Close(), stdout.Close() // they are the process's
	if err != nil {
		_, _ = in.Close(), out.Close()
		return nil, err
	}
	c.close = sync.OnceFunc(c.end)
	go func() {
		_ = c.cmd.Wait() // how it ended is in ProcessState
		close(c.exited)
	}()
	return c, nil
}

func (c *commandConn) end() {
	killCommand(c.cmd)
	_, _ = c.in.Close(), c.out.Close()
	<-c.exited // it was killed; what keeps its stderr open is given up after WaitDelay
}

// Close kills the process.
func (c *commandConn) Close() error {
	c.close()
	return nil
}

func (c *commandConn) Read(b []byte) (int, error) {
	n, err := c.out.Read(b)
	return n, c.why(err)
}

func (c *commandConn) Write(b []byte) (int, error) {
	n, err := c.in.Write(b)
	return n, c.why(err)
}

// commandError is the death of a ProxyCommand.
type commandError struct{ how, said string }

func (e *commandError) Error() string {
	if e.said == "" {
		return "the ProxyCommand ended: " + e.how
	}
	return fmt.Sprintf("the ProxyCommand ended: %s: %s", e.how, e.said)
}

// why turns an end of the wire into the death of the process, if it died of itself.
func (c *commandConn) why(err error) error {
	if err == nil || errors.Is(err, os.ErrClosed) {
		return err
	}
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	select {
	case <-c.exited:
		if !c.cmd.ProcessState.Success() {
			return &commandError{c.cmd.ProcessState.String(), c.errs.String()}
		}
	case <-timer.C:
	}
	return err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	const most = 500
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if len(t.text) > most {
		t.text = append(t.text[:0:0], t.text[len(t.text)-most:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(t.text), "?")), " ")
}

var _ io.ReadWriteCloser = (*commandConn)(nil)

// end points of a command have no addresses.
type noAddress struct{}

func (noAddress) Network() string { return "command" }
func (noAddress) String() string  { return "ProxyCommand" }

func (c *commandConn) LocalAddr() net.Addr  { return noAddress{} }
func (c *commandConn) RemoteAddr() net.Addr { return noAddress{} }

var errNoDeadline = errors.New("a ProxyCommand knows no deadlines; close it")

func (c *commandConn) SetDeadline(time.Time) error      { return errNoDeadline }
func (c *commandConn) SetReadDeadline(time.Time) error  { return errNoDeadline }
func (c *commandConn) SetWriteDeadline(time.Time) error { return errNoDeadline }
