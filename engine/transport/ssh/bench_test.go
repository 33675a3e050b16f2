package ssh_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const (
	fleetCommands = 10
	fleetParallel = 50
	serversOnly   = "DSPLAY_TEST_SERVERS" // set: this process is nothing but so many servers of the benchmark
)

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(serversOnly)); err == nil {
		if err := serveFleet(n); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 3 && os.Args[1] == "join" {
		if err := join(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "join:", err)
			os.Exit(3)
		}
		return
	}
	os.Exit(m.Run())
}

// serveFleet prints a line of known_hosts per server, each on an address of its own, and ends with its stdin.
func serveFleet(n int) error {
	for i := range n {
		server, err := sshd.Listen(sshd.Options{
			Addr:     fmt.Sprintf("127.1.%d.%d:0", i/250, i%250+1),
			Password: func(user, password string) bool { return password == "correct-horse" },
			Handle: func(_ context.Context, s *sshd.Session) int {
				_, _ = io.WriteString(s.Stdout, "ds_agent is running\n")
				return 0
			},
		})
		if err != nil {
			return err
		}
		fmt.Println(knownhosts.Line([]string{server.Addr().String()}, server.HostKey()))
	}
	fmt.Println()
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// fleet is servers in a process of their own, so that only the client's memory counts as the client's.
func fleet(b *testing.B, n int) (hosts []*engine.Host) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serversOnly+"="+strconv.Itoa(n))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	var known []string
	for lines := bufio.NewScanner(stdout); lines.Scan() && lines.Text() != ""; {
		known = append(known, lines.Text())
	}
	file := b.TempDir() + "/known_hosts"
	if err := os.WriteFile(file, []byte(strings.Join(known, "\n")+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for i, line := range known {
		address, port, err := net.SplitHostPort(strings.Fields(line)[0])
		if err != nil {
			b.Fatal(err)
		}
		settings := ssh.New().Settings().(*ssh.Settings)
		settings.User, settings.Password, settings.KnownHosts, settings.Agent = "ops", engine.Plain("correct-horse"), file, false
		settings.Port, _ = strconv.Atoi(port)
		hosts = append(hosts, &engine.Host{Name: fmt.Sprint("h", i), Address: address, Connection: engine.Connection{Settings: settings}})
	}
	if len(hosts) != n {
		b.Fatalf("%d servers of %d", len(hosts), n)
	}
	return hosts
}

// each does work for all hosts, fleetParallel at a time.
func each(b *testing.B, hosts []*engine.Host, work func(*engine.Host) error) time.Duration {
	b.Helper()
	begin := time.Now()
	slots := make(chan struct{}, fleetParallel)
	var wait sync.WaitGroup
	for _, h := range hosts {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if err := work(h); err != nil {
				b.Error(err)
			}
		})
	}
	wait.Wait()
	return time.Since(begin)
}

// dialBare is the least that can be done with the library: it trusts every key, and knows no deadline.
func dialBare(h *engine.Host, auth xssh.AuthMethod) (*xssh.Client, error) {
	settings := h.Connection.Settings.(*ssh.Settings)
	return xssh.Dial("tcp", net.JoinHostPort(h.Address, strconv.Itoa(settings.Port)), &xssh.ClientConfig{
		User: settings.User, Auth: []xssh.AuthMethod{auth}, HostKeyCallback: xssh.InsecureIgnoreHostKey(),
		HostKeyAlgorithms: []string{xssh.KeyAlgoED25519},
	})
}

func bare(h *engine.Host, auth xssh.AuthMethod, line string) error {
	client, err := dialBare(h, auth)
	if err != nil {
		return err
	}
	defer client.Close()
	for range fleetCommands {
		session, err := client.NewSession()
		if err != nil {
			return err
		}
		var stdout, stderr strings.Builder
		session.Stdout, session.Stderr = &stdout, &stderr
		if err := session.Run(line); err != nil {
			return err
		}
	}
	return nil
}

func ours(ctx context.Context, t *ssh.Transport, h *engine.Host, line string) error {
	conn, err := t.Open(ctx, h)
	if err != nil {
		return err
	}
	defer conn.Close()
	for range fleetCommands {
		var stdout, stderr strings.Builder
		p := engine.Process{Line: line, Stdout: &stdout, Stderr: &stderr}
		if code, err := conn.(engine.Shell).Exec(ctx, p); code != 0 || err != nil {
			return fmt.Errorf("%d, %w", code, err)
		}
	}
	return nil
}

// BenchmarkCost is what dsplay adds to the library under it: 20, 100 and 1,000 hosts with 10 commands each, 50 hosts at a
// time, ours and the bare library in turns against the same servers; and what an open connection costs of both.
func BenchmarkCost(b *testing.B) {
	for _, size := range []struct{ hosts, turns int }{{20, 51}, {100, 21}, {1000, 7}} {
		b.Run(strconv.Itoa(size.hosts), func(b *testing.B) {
			hosts := fleet(b, size.hosts)
			auth := xssh.Password("correct-horse")
			compareFleet(b, hosts, auth, "service ds_agent status", size.turns)
			transport := ssh.New()
			mine := costPerConnection(b, hosts, func(h *engine.Host) (io.Closer, error) { return transport.Open(b.Context(), h) })
			theirs := costPerConnection(b, hosts, func(h *engine.Host) (io.Closer, error) { return dialBare(h, auth) })
			b.ReportMetric(mine.bytes, "B/conn")
			b.ReportMetric(theirs.bytes, "bare-B/conn")
			b.ReportMetric(mine.goroutines, "goroutines/conn")
			b.ReportMetric(theirs.goroutines, "bare-goroutines/conn")
		})
	}
}

// compareFleet takes turns, each beginning with the other one, and compares the median turns.
func compareFleet(b *testing.B, hosts []*engine.Host, auth xssh.AuthMethod, line string, turns int) {
	b.Helper()
	transport := ssh.New()
	work := []func(*engine.Host) error{
		func(h *engine.Host) error { return ours(b.Context(), transport, h, line) },
		func(h *engine.Host) error { return bare(h, auth, line) },
	}
	var clock, processor [2][]float64 // seconds of each turn
	for b.Loop() {
		for turn := range turns {
			for _, i := range []int{turn % 2, 1 - turn%2} {
				began := processorTime(b)
				clock[i] = append(clock[i], each(b, hosts, work[i]).Seconds())
				processor[i] = append(processor[i], (processorTime(b) - began).Seconds())
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(1000*median(clock[0]), "ms/fleet")
	b.ReportMetric(1000*median(clock[1]), "bare-ms/fleet")
	b.ReportMetric(median(clock[0])/median(clock[1]), "×bare")
	b.ReportMetric(1000*median(processor[0]), "cpu-ms/fleet")
	b.ReportMetric(median(processor[0])/median(processor[1]), "cpu×bare")
}

func median(list []float64) float64 { return slices.Sorted(slices.Values(list))[len(list)/2] }

// processorTime is what this process, without the servers, has used: others on the machine change it less than the clock.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

type cost struct{ bytes, goroutines float64 }

// costPerConnection is heap and stacks, and goroutines, while a connection to each host is open.
func costPerConnection(b *testing.B, hosts []*engine.Host, open func(*engine.Host) (io.Closer, error)) cost {
	b.Helper()
	used := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before, running := used(), runtime.NumGoroutine()
	var mu sync.Mutex
	var conns []io.Closer
	each(b, hosts, func(h *engine.Host) error {
		conn, err := open(h)
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, conn)
		return err
	})
	after, more := used(), runtime.NumGoroutine()
	for _, conn := range conns {
		conn.Close()
	}
	n := float64(len(hosts))
	return cost{float64(after-before) / n, float64(more-running) / n}
}
