//go:build linux

package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab"
)

// relay is the network between dsplay and one host, which can forget its connections as a firewall does while a laptop sleeps.
type relay struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	host, _, err := net.SplitHostPort(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, to: to}
	t.Cleanup(func() { _ = l.Close(); r.forget() })
	go r.serve()
	return r
}

func (r *relay) serve() {
	for {
		near, err := r.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, near, far)
		r.mu.Unlock()
		go func() { _, _ = io.Copy(near, far) }()
		go func() { _, _ = io.Copy(far, near) }()
	}
}

// forget ends every connection, with a reset: what is sent over one afterwards gets no answer but that.
func (r *relay) forget() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.conns)
	for _, c := range r.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	r.conns = nil
	return n
}

// through puts a relay before a host of the lab, in its inventory and its known_hosts.
func (e *estate) through(t *testing.T, host string) *relay {
	t.Helper()
	path := filepath.Join(e.Dir(), "inventory.hcl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)host "` + host + `" \{\n  address = "([^"]+)".*?port = (\d+)`)
	at := block.FindSubmatchIndex(text)
	if at == nil {
		t.Fatalf("no %s in %s", host, text)
	}
	address, port := string(text[at[2]:at[3]]), string(text[at[4]:at[5]])
	r := newRelay(t, net.JoinHostPort(address, port))
	_, fresh, _ := net.SplitHostPort(r.Addr().String())
	if err := os.WriteFile(path, []byte(string(text[:at[4]])+fresh+string(text[at[5]:])), 0o600); err != nil {
		t.Fatal(err)
	}
	known := filepath.Join(e.Dir(), "known_hosts")
	keys, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	more := ""
	for line := range strings.Lines(string(keys)) {
		if was := "[" + address + "]:" + port + " "; strings.HasPrefix(line, was) {
			more += "[" + address + "]:" + fresh + " " + strings.TrimPrefix(line, was)
		}
	}
	if err := os.WriteFile(known, append(keys, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// A laptop sleeps while a remedy is under way, and its connections are dead when it wakes up: the run goes on with new ones, and
// the restart is not done a second time, whether its answer had come or was lost.
func TestAsleepAndConnectionsAreDead(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"})
	way := e.through(t, "dsva1")
	slept := false
	o := e.healing(atFirst(`"kind":"intent"`, func(c *exec.Cmd) {
		slept = true
		until(t, "the restart", func() bool { return len(e.mutations()["dsva1"]) > 0 })
		if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		until(t, "the stop", func() bool { return stateOf(c.Process.Pid) == "T" })
		if way.forget() == 0 {
			t.Error("there was no connection to forget")
		}
		time.Sleep(300 * time.Millisecond)
		if err := c.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}))
	if o.code != exitOK || !slept {
		t.Errorf("exit %d, slept %v\n%s", o.code, slept, o)
	}
	restarts := 0
	for _, line := range e.mutations()["dsva1"] {
		if regexp.MustCompile(restartAgent).MatchString(line) {
			restarts++
		}
	}
	if restarts != 1 {
		t.Errorf("%d restarts: %q", restarts, e.mutations())
	}
	e.healthy()
}
