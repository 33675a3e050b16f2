package ssh

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/processes"
	"golang.org/x/crypto/ssh"
)

const (
	killTime = 6 * time.Second // for everything that kill does
	grace    = 2 * time.Second // between TERM and KILL
	glance   = 50 * time.Millisecond
)

// kill ends what s runs. ctx has ended already. It is true when nothing of it is left; otherwise survivors are the
// processes, as far as they are known.
//
// The line on the wire is the caller's, so nothing in it helps to find its process. On a server that forks, the
// sessions are the children of the process that serves this connection, in the order of their start, which we know.
// Elsewhere, and where there is no /proc (ESXi), there is only the protocol's signal: OpenSSH does not pass it on for
// root, and nobody passes it on to what sudo runs.
func (c *Conn) kill(ctx context.Context, s *session) (dead bool, survivors []int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	if c.forks() {
		if leader, ok := c.locate(ctx, s); ok {
			survivors = c.killFamily(ctx, leader)
			return len(survivors) == 0, survivors
		}
	}
	for _, name := range []string{"TERM", "KILL"} {
		if _, err := s.channel.SendRequest("signal", false, ssh.Marshal(struct{ Name string }{name})); err != nil {
			break
		}
		if s.waitClosed(ctx, grace) {
			break
		}
	}
	_, told := s.result() // a channel also closes when the connection breaks; and it may have ended by itself
	return told, nil
}

func (s *session) waitClosed(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.closed:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// abandon gives up a session whose process lives on, and the connection with it, as soon as nobody else needs it.
func (c *Conn) abandon(s *session) {
	s.channel.Close()
	c.mu.Lock()
	s.abandoned = true
	c.mu.Unlock()
	c.retire()
}

// tableLine prints our own id and every process. exec makes cat that very process.
const tableLine = `sh -c 'echo dsplay $$; exec cat /proc/[0-9]*/stat'`

// look returns the processes of the host, and the session that listed them.
func (c *Conn) look(ctx context.Context) (processes.Table, *session, error) {
	var out bytes.Buffer
	s, err := c.aside(ctx, tableLine, &out)
	if err != nil {
		return processes.Table{}, nil, err
	}
	return processes.Parse(out.String()), s, nil
}

// aside runs a line of our own, without a slot, and without a kill when it does not end.
func (c *Conn) aside(ctx context.Context, line string, out *bytes.Buffer) (*session, error) {
	s, err := c.open(ctx, engine.Process{Line: line, Stdout: &head{to: out, room: mostTable}}, func(error) {}, func() {})
	if err != nil {
		return nil, err
	}
	defer s.detach()
	select {
	case <-s.closed:
		return s, nil
	case <-ctx.Done():
		s.channel.Close()
		return nil, ctx.Err()
	}
}

// mostTable is more than the processes of any host take: 32,768 of 300 bytes.
const mostTable = 16 << 20

// head keeps the beginning of what is written to it: a hostile host could write for as long as it is asked.
type head struct {
	to   *bytes.Buffer
	room int
}

func (h *head) Write(b []byte) (int, error) {
	n := min(len(b), h.room)
	h.room -= n
	_, _ = h.to.Write(b[:n]) // it never fails
	return len(b), nil
}

// locate finds the process with which s began. Every sibling is one of the sessions that had not ended when the list
// was asked for, so equal numbers mean equal sets; they differ for a moment when one of them ends meanwhile.
func (c *Conn) locate(ctx context.Context, s *session) (processes.Process, bool) {
	for range 5 {
		t, lister, err := c.look(ctx)
		siblings, ok := t.Siblings()
		if err != nil || !ok {
			return processes.Process{}, false
		}
		order := append(slices.Clone(lister.before), lister)
		if i := slices.Index(order, s); i >= 0 && len(siblings) == len(order) {
			return siblings[i], true
		}
		if s.waitClosed(ctx, glance) {
			return processes.Process{}, false
		}
	}
	return processes.Process{}, false
}

// killFamily ends the leader, its session and its descendants, politely first, and returns who is left.
func (c *Conn) killFamily(ctx context.Context, leader processes.Process) []int {
	t, _, err := c.look(ctx)
	if err != nil {
		return []int{leader.PID}
	}
	family := t.Family(leader, nil)
	for _, signal := range []string{"TERM", "KILL"} {
		if len(family) == 0 {
			break
		}
		deadline := time.Now().Add(grace)
		var out bytes.Buffer
		if _, err := c.aside(ctx, "kill -"+signal+" "+strings.Trim(fmt.Sprint(processes.IDs(family)), "[]"), &out); err != nil {
			return processes.IDs(family)
		}
		for len(family) > 0 && time.Now().Before(deadline) {
			if t, _, err = c.look(ctx); err != nil || engine.Wait(ctx, glance) != nil {
				return processes.IDs(family)
			}
			family = t.Family(leader, family)
		}
	}
	return processes.IDs(family)
}
