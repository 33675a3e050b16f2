package ssh_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// longWay leads to a server, and counts how often something went there and back, as Lamport's clock does: what one
// side says is later than all that has reached it. The delay lets what is said at once count once.
type longWay struct {
	net.Listener
	target string
	delay  time.Duration // of one direction

	mu    sync.Mutex
	trips int // what has reached the client last has been there and back so often
}

func far(tb testing.TB, target string, delay time.Duration) *longWay {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	l := &longWay{Listener: listener, target: target, delay: delay}
	var running sync.WaitGroup
	tb.Cleanup(func() { listener.Close(); running.Wait() })
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			reached := 0 // the server
			running.Go(func() { l.carry(server, client, &l.trips, &reached, 1) })
			running.Go(func() { l.carry(client, server, &reached, &l.trips, 0) })
		}
	})
	return l
}

// carry passes on what from says, late. said is how late that is, arrived how late what has reached the other side is.
func (l *longWay) carry(to, from net.Conn, said, arrived *int, step int) {
	type piece struct {
		data []byte
		trip int
		due  time.Time
	}
	pieces := make(chan piece, 1000)
	go func() {
		defer close(pieces)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if err != nil {
				return
			}
			l.mu.Lock()
			trip := *said + step
			l.mu.Unlock()
			pieces <- piece{data[:n], trip, time.Now().Add(l.delay)}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.due))
		l.mu.Lock()
		*arrived = max(*arrived, p.trip)
		l.mu.Unlock()
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	to.Close()
	from.Close()
	for range pieces { // lets the reader end
	}
}

// count is how many round trips f takes, and how long.
func (l *longWay) count(tb testing.TB, f func() error) (int, time.Duration) {
	tb.Helper()
	at := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.trips
	}
	before, began := at(), time.Now()
	if err := f(); err != nil {
		tb.Error(err)
	}
	return at() - before, time.Since(began)
}

// journey is what one login and one command after another one take.
type journey struct {
	login, command         int
	loginTime, commandTime time.Duration
}

// least is the least of some, number by number: a machine that is busy answers late, which may add a round trip.
func least(list []journey) journey {
	best := list[0]
	for _, j := range list[1:] {
		best = journey{min(best.login, j.login), min(best.command, j.command), min(best.loginTime, j.loginTime), min(best.commandTime, j.commandTime)}
	}
	return best
}

// journeys are ours and the bare library's to the same server, several at the same time, each over a line of its own.
func journeys(tb testing.TB, delay time.Duration) (mine, theirs journey) {
	tb.Helper()
	server := listen(tb, func(o *sshd.Options) {
		o.Handle = func(_ context.Context, s *sshd.Session) int {
			_, _ = io.WriteString(s.Stdout, "ds_agent is running\n")
			return 0
		}
	})
	const times = 5
	lists := [2][]journey{make([]journey, times), make([]journey, times)}
	var running sync.WaitGroup
	for i := range times {
		for who, travel := range []func(testing.TB, *longWay, *engine.Host) journey{travelOurs, travelBare} {
			l := far(tb, server.Addr().String(), delay)
			address := l.Addr().(*net.TCPAddr)
			h := host(tb, server, func(s *ssh.Settings) {
				s.Port, s.KnownHosts, s.Keepalive = address.Port, known(tb, knownhosts.Line([]string{address.String()}, server.HostKey())), "1m"
			})
			running.Go(func() { lists[who][i] = travel(tb, l, h) })
		}
	}
	running.Wait()
	return least(lists[0]), least(lists[1])
}

func travelOurs(tb testing.TB, l *longWay, h *engine.Host) (j journey) {
	var conn engine.Conn
	j.login, j.loginTime = l.count(tb, func() (err error) {
		conn, err = ssh.New().Open(tb.Context(), h)
		return err
	})
	if conn == nil {
		return j
	}
	defer conn.Close()
	for range 2 { // the first of a connection and another one: the second counts
		j.command, j.commandTime = l.count(tb, func() error {
			_, err := conn.(engine.Shell).Exec(tb.Context(), engine.Process{Line: "status", Stdout: io.Discard, Stderr: io.Discard})
			return err
		})
	}
	return j
}

func travelBare(tb testing.TB, l *longWay, h *engine.Host) (j journey) {
	var client *xssh.Client
	j.login, j.loginTime = l.count(tb, func() (err error) {
		client, err = dialBare(h, xssh.Password("correct-horse"))
		return err
	})
	if client == nil {
		return j
	}
	defer client.Close()
	for range 2 {
		j.command, j.commandTime = l.count(tb, func() error {
			session, err := client.NewSession()
			if err != nil {
				return err
			}
			session.Stdout, session.Stderr = io.Discard, io.Discard
			return session.Run("status")
		})
	}
	return j
}

// TestRoundTrips: what we do besides (to check the key, to choose how to log in, to take turns) costs no round trip.
func TestRoundTrips(t *testing.T) {
	mine, theirs := journeys(t, 25*time.Millisecond)
	if mine.login > theirs.login || mine.command > theirs.command || theirs.command < 2 || theirs.login < 4 {
		t.Errorf("round trips: %d for a login and %d for a command; the bare library takes %d and %d", mine.login, mine.command, theirs.login, theirs.command)
	}
}

// BenchmarkCostFar is a login and a command at a round trip of 50 ms.
func BenchmarkCostFar(b *testing.B) {
	var mine, theirs journey
	for b.Loop() {
		mine, theirs = journeys(b, 25*time.Millisecond)
	}
	b.ReportMetric(0, "ns/op")
	for name, j := range map[string]journey{"": mine, "bare-": theirs} {
		b.ReportMetric(float64(j.login), name+"trips/login")
		b.ReportMetric(float64(j.command), name+"trips/command")
		b.ReportMetric(1000*j.loginTime.Seconds(), name+"ms/login")
		b.ReportMetric(1000*j.commandTime.Seconds(), name+"ms/command")
	}
}
