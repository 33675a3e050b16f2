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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const (
	fleetHosts    = 100
	fleetCommands = 10
	fleetParallel = 50
	serversOnly   = "DSPLAY_TEST_SERVERS" // set: this process is nothing but the servers of the benchmark
)

func TestMain(m *testing.M) {
	if os.Getenv(serversOnly) != "" {
		if err := serveFleet(); err != nil {
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

// serveFleet prints a line of known_hosts per server, and ends with its stdin.
func serveFleet() error {
	for range fleetHosts {
		server, err := sshd.Listen(sshd.Options{
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
func fleet(b *testing.B) (hosts []*engine.Host) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serversOnly+"=1")
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
		settings := ssh.New().Settings().(*ssh.Settings)
		settings.User, settings.Password, settings.KnownHosts, settings.Agent = "ops", engine.Plain("correct-horse"), file, false
		if _, err := fmt.Sscanf(line, "[127.0.0.1]:%d", &settings.Port); err != nil {
			b.Fatal(err)
		}
		hosts = append(hosts, &engine.Host{Name: fmt.Sprint("h", i), Address: "127.0.0.1", Connection: engine.Connection{Settings: settings}})
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

// bare is the least that can be done with the library: it trusts every key, and knows no deadline.
func bare(h *engine.Host) error {
	settings := h.Connection.Settings.(*ssh.Settings)
	client, err := xssh.Dial("tcp", net.JoinHostPort(h.Address, fmt.Sprint(settings.Port)), &xssh.ClientConfig{
		User: "ops", Auth: []xssh.AuthMethod{xssh.Password("correct-horse")}, HostKeyCallback: xssh.InsecureIgnoreHostKey(),
		HostKeyAlgorithms: []string{xssh.KeyAlgoED25519},
	})
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
		if err := session.Run("service ds_agent status"); err != nil {
			return err
		}
	}
	return nil
}

func ours(ctx context.Context, t *ssh.Transport, h *engine.Host) error {
	conn, err := t.Open(ctx, h)
	if err != nil {
		return err
	}
	defer conn.Close()
	for range fleetCommands {
		var stdout, stderr strings.Builder
		p := engine.Process{Line: "service ds_agent status", Stdout: &stdout, Stderr: &stderr}
		if code, err := conn.(engine.Shell).Exec(ctx, p); code != 0 || err != nil {
			return fmt.Errorf("%d, %w", code, err)
		}
	}
	return nil
}

// BenchmarkFleet is 100 hosts with 10 commands each, 50 hosts at a time: the time of one fleet, its ratio to the bare
// library against the same servers, and the memory of an open connection.
func BenchmarkFleet(b *testing.B) {
	hosts := fleet(b)
	transport := ssh.New()
	var theirs, own time.Duration
	for b.Loop() {
		theirs += each(b, hosts, bare)
		own += each(b, hosts, func(h *engine.Host) error { return ours(b.Context(), transport, h) })
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(own.Seconds()*1000/float64(b.N), "ms/fleet")
	b.ReportMetric(own.Seconds()/theirs.Seconds(), "×bare")
	b.ReportMetric(memoryPerConnection(b, hosts), "B/conn")
}

func memoryPerConnection(b *testing.B, hosts []*engine.Host) float64 {
	b.Helper()
	used := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	transport, before := ssh.New(), used()
	var mu sync.Mutex
	var conns []engine.Conn
	each(b, hosts, func(h *engine.Host) error {
		conn, err := transport.Open(b.Context(), h)
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, conn)
		return err
	})
	after := used()
	for _, conn := range conns {
		conn.Close()
	}
	return float64(after-before) / float64(len(hosts))
}
