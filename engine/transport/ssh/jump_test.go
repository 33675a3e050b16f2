package ssh_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/run"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// bastion is a server that leads on, and counts how much of it goes on at once.
type bastion struct {
	*sshd.Server
	busy        atomic.Int32 // so many are answered with "resource shortage"
	now, most   atomic.Int32
	connections atomic.Int32
	wait        chan struct{} // not nil: nobody is led on before it is closed
	passwords   atomic.Int32  // tries to log in by password
}

func startBastion(t *testing.T, change func(*sshd.Options)) *bastion {
	t.Helper()
	b := &bastion{}
	b.Server = listen(t, func(o *sshd.Options) {
		password := o.Password
		o.Password = func(user, text string) bool { b.passwords.Add(1); return password(user, text) }
		o.PublicKey = func(user string, _ xssh.PublicKey) bool { return user == "ops" }
		o.Forward = b.forward
		if change != nil {
			change(o)
		}
	})
	return b
}

func (b *bastion) forward(ctx context.Context, address string) (net.Conn, error) {
	if b.busy.Add(-1) >= 0 {
		return nil, sshd.ErrBusy
	}
	now := b.now.Add(1)
	defer b.now.Add(-1)
	for most := b.most.Load(); now > most && !b.most.CompareAndSwap(most, now); most = b.most.Load() {
	}
	if b.wait != nil {
		select {
		case <-b.wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	b.connections.Add(1)
	return sshd.Forward(ctx, address)
}

// estate is an inventory with a pool, as a run has it.
type estate struct {
	inv       *engine.Inventory
	transport *ssh.Transport
	pool      *run.Pool
}

func newEstate(t *testing.T, hosts ...*engine.Host) *estate {
	t.Helper()
	e := &estate{inv: &engine.Inventory{Hosts: map[string]*engine.Host{}}, transport: ssh.New()}
	for _, h := range hosts {
		e.inv.Hosts[h.Name] = h
	}
	e.pool = run.NewPool(map[string]engine.Transport{"ssh": e.transport}, e.inv, nil)
	t.Cleanup(func() { _ = e.pool.Close() })
	return e
}

func (e *estate) get(t *testing.T, name string) engine.Shell {
	t.Helper()
	c, err := e.pool.Get(t.Context(), e.inv.Hosts[name])
	if err != nil {
		t.Fatalf("%v (%s)", err, engine.HintOf(err))
	}
	return c.(engine.Shell)
}

func (e *estate) mustNot(t *testing.T, name string, kind engine.ErrorKind, words ...string) *engine.Error {
	t.Helper()
	c, err := e.pool.Get(t.Context(), e.inv.Hosts[name])
	if err == nil {
		t.Fatalf("%s opened: %s", name, c.Identity())
	}
	var failed *engine.Error
	if !errors.As(err, &failed) || failed.Kind != kind || !failed.Unreachable {
		t.Fatalf("got %v (%s), want the kind %q", err, engine.KindOf(err), kind)
	}
	for _, w := range words {
		if !strings.Contains(failed.Error()+" "+failed.Hint, w) {
			t.Errorf("%q (%s) does not say %q", failed, failed.Hint, w)
		}
	}
	return failed
}

// named is a host of this name; change may alter its settings.
func named(t *testing.T, name string, server *sshd.Server, change func(*ssh.Settings)) *engine.Host {
	t.Helper()
	h := host(t, server, change)
	h.Name = name
	return h
}

func via(jump ...string) func(*ssh.Settings) {
	return func(s *ssh.Settings) { s.Jump = jump }
}

func says(t *testing.T, shell engine.Shell, line, want string) {
	t.Helper()
	var out strings.Builder
	if code, err := shell.Exec(t.Context(), engine.Process{Line: line, Stdout: &out}); err != nil || code != 0 || out.String() != want {
		t.Errorf("%s: %q, %d, %v", line, out.String(), code, err)
	}
}

func TestJumpOverHostsOfTheInventory(t *testing.T) {
	outer, inner := startBastion(t, nil), startBastion(t, nil)
	server := listen(t, nil)
	e := newEstate(t, named(t, "outer", outer.Server, nil), named(t, "inner", inner.Server, via("outer")),
		named(t, "short", server, via("inner")), named(t, "long", server, via("outer", "inner")), named(t, "other", server, via("outer")))
	for _, name := range []string{"short", "long", "other"} {
		says(t, e.get(t, name), "echo "+name, name+"\n")
	}
	if want := e.get(t, "short").Identity(); !strings.Contains(want, "SHA256:") || want == e.get(t, "inner").Identity() {
		t.Errorf("the identity is that of the jump host: %s", want)
	}
	if outer.Logins() != 1 || inner.Logins() != 1 || outer.connections.Load() != 2 || inner.connections.Load() != 2 {
		t.Errorf("outer: %d logins, %d led on; inner: %d, %d", outer.Logins(), outer.connections.Load(), inner.Logins(), inner.connections.Load())
	}
}

// TestJumpListThatNobodyElseHas: inner is reached directly by the run, and through outer by its host.
func TestJumpListThatNobodyElseHas(t *testing.T) {
	outer, inner := startBastion(t, nil), startBastion(t, nil)
	server := listen(t, nil)
	e := newEstate(t, named(t, "outer", outer.Server, nil), named(t, "inner", inner.Server, nil),
		named(t, "a", server, via("outer", "inner")), named(t, "b", server, via("outer", "inner")))
	for _, name := range []string{"inner", "a", "b"} {
		says(t, e.get(t, name), "echo x", "x\n")
	}
	if outer.Logins() != 1 || inner.Logins() != 2 || outer.connections.Load() != 1 {
		t.Errorf("outer: %d logins, %d led on; inner: %d logins", outer.Logins(), outer.connections.Load(), inner.Logins())
	}
}

func TestJumpOverAddresses(t *testing.T) {
	file, _, _ := keyFile(t, "")
	gate := startBastion(t, nil)
	server := listen(t, nil)
	known := known(t, knownhosts.Line([]string{gate.Addr().String()}, gate.HostKey()), knownhosts.Line([]string{server.Addr().String()}, server.HostKey()))
	change := func(s *ssh.Settings) {
		s.Jump, s.Key, s.KnownHosts = []string{"ops@" + gate.Addr().String()}, file, known
	}
	e := newEstate(t, named(t, "a", server, change), named(t, "b", server, change), named(t, "c", server, change))
	var wait sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		wait.Go(func() {
			if _, err := e.pool.Get(t.Context(), e.inv.Hosts[name]); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if gate.Logins() != 1 || gate.passwords.Load() != 0 {
		t.Errorf("%d logins; the jump host saw the password %d times", gate.Logins(), gate.passwords.Load())
	}
	if err := e.pool.Close(); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*sshd.Server{gate.Server, server} {
		gone(t, s)
	}
}

// gone waits until nobody is connected to s.
func gone(t *testing.T, s *sshd.Server) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); s.Connections() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%s: %d connections are left", s.Addr(), s.Connections())
			return
		}
	}
}

func TestJumpHostIsVerified(t *testing.T) {
	gate := startBastion(t, nil)
	server := listen(t, nil)
	stranger := known(t, knownhosts.Line([]string{"192.0.2.9"}, gate.HostKey()))
	e := newEstate(t, named(t, "gate", gate.Server, with(stranger)), named(t, "a", server, via("gate")),
		named(t, "b", server, via("ops@"+gate.Addr().String())))
	if failed := e.mustNot(t, "a", engine.KindHostKey, "not known", "jump host gate: "); failed.Host != "a" {
		t.Errorf("it blames %q", failed.Host)
	}
	if failed := e.mustNot(t, "b", engine.KindHostKey, "not known", "jump host ops@"+gate.Addr().String()); failed.Host != "b" {
		t.Errorf("it blames %q", failed.Host)
	}
	if gate.connections.Load() != 0 || gate.passwords.Load() != 0 {
		t.Error("it was used all the same")
	}
}

func TestTargetBehindJumpHostIsVerified(t *testing.T) {
	gate := startBastion(t, nil)
	server := listen(t, nil)
	wrong := known(t, knownhosts.Line([]string{server.Addr().String()}, gate.HostKey()))
	e := newEstate(t, named(t, "gate", gate.Server, nil), named(t, "a", server, func(s *ssh.Settings) { s.Jump, s.KnownHosts = []string{"gate"}, wrong }))
	if failed := e.mustNot(t, "a", engine.KindHostKey, "has changed"); failed.Host != "a" {
		t.Errorf("it blames %q", failed.Host)
	}
}

func TestJumpHostThatDoesNotLeadOn(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain := listen(t, nil) // leads nobody on, as ESXi
	gate := startBastion(t, nil)
	lost := startBastion(t, func(o *sshd.Options) {
		o.Forward = func(_ context.Context, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "127.0.0.1:") {
				return nil, errors.New("Connection timed out")
			}
			return nil, errors.New("Name or service not known")
		}
	})
	server := listen(t, nil)
	name := named(t, "name", server, via("lost"))
	name.Address = "db1.invalid"
	e := newEstate(t, named(t, "plain", plain, nil), named(t, "gate", gate.Server, nil), named(t, "lost", lost.Server, nil), name,
		named(t, "prohibited", server, via("plain")), named(t, "slow", server, via("lost")),
		named(t, "refused", server, func(s *ssh.Settings) { s.Jump, s.Port = []string{"gate"}, closed.Addr().(*net.TCPAddr).Port }),
		named(t, "nobody", server, via("nosuchhost")), named(t, "wrong", server, via("api")),
		&engine.Host{Name: "api", Address: "127.0.0.1", Connection: engine.Connection{Type: "https", Settings: "other"}})
	_ = e.mustNot(t, "prohibited", engine.KindProtocol, "the jump host plain lets no connections through", "AllowTcpForwarding", "administratively prohibited")
	_ = e.mustNot(t, "refused", engine.KindRefused, "the jump host gate does not reach it", "refused")
	_ = e.mustNot(t, "slow", engine.KindTimeout, "lost", "timed out")
	_ = e.mustNot(t, "name", engine.KindDNS, "lost", "looks the name up")
	_ = e.mustNot(t, "nobody", engine.KindModule, "no such host")
	_ = e.mustNot(t, "wrong", engine.KindModule, `needs a connection "ssh", and that of api is "https"`)
}

func TestJumpHostWithoutResourcesIsAskedAgain(t *testing.T) {
	t.Parallel() // it waits for all tries
	gate := startBastion(t, nil)
	server := listen(t, nil)
	e := newEstate(t, named(t, "gate", gate.Server, nil), named(t, "a", server, via("gate")), named(t, "b", server, via("gate")))
	gate.busy.Store(2)
	says(t, e.get(t, "a"), "echo x", "x\n")
	const always = 1 << 20
	gate.busy.Store(always)
	_ = e.mustNot(t, "b", engine.KindProtocol, "the jump host gate has no resources")
	if n := always - gate.busy.Load(); n != 6 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestBusyTargetBehindJumpHostIsAskedAgain(t *testing.T) {
	gate := startBastion(t, nil)
	server := listen(t, nil)
	e := newEstate(t, named(t, "gate", gate.Server, nil), named(t, "a", server, via("gate")))
	server.Drop(2) // as MaxStartups
	says(t, e.get(t, "a"), "echo x", "x\n")
	if gate.Logins() != 1 {
		t.Errorf("%d logins at the jump host", gate.Logins())
	}
}

func TestSilentTargetBehindJumpHostIsATimeout(t *testing.T) {
	gate := startBastion(t, nil)
	server := listen(t, nil)
	server.Freeze(true)
	e := newEstate(t, named(t, "gate", gate.Server, nil), named(t, "a", server, func(s *ssh.Settings) { s.Jump, s.ConnectTimeout = []string{"gate"}, "300ms" }))
	_ = e.mustNot(t, "a", engine.KindTimeout, "300ms")
	if _, err := e.get(t, "gate").Exec(t.Context(), engine.Process{Line: "true"}); err != nil {
		t.Errorf("the jump host suffers: %v", err)
	}
}

func TestJumpHostThatDies(t *testing.T) {
	gate := startBastion(t, nil)
	server := listen(t, nil)
	for name, jump := range map[string]string{"of the inventory": "gate", "an address": "ops@" + gate.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			change := func(s *ssh.Settings) {
				s.Jump, s.Keepalive = []string{jump}, "10s"
				s.KnownHosts = known(t, knownhosts.Line([]string{gate.Addr().String()}, gate.HostKey()), knownhosts.Line([]string{server.Addr().String()}, server.HostKey()))
				file, _, _ := keyFile(t, "")
				s.Key = file
			}
			gateHost := named(t, "gate", gate.Server, nil)
			e := newEstate(t, gateHost, named(t, "a", server, change), named(t, "b", server, change))
			shell := e.get(t, "a")
			time.AfterFunc(50*time.Millisecond, gate.Cut)
			_, err := shell.Exec(t.Context(), engine.Process{Line: "sleep 30"})
			if engine.KindOf(err) != engine.KindLost || !strings.Contains(err.Error(), "the connection to the jump host "+jump+" broke") {
				t.Errorf("got %v", err)
			}
			says(t, e.get(t, "b"), "echo anew", "anew\n") // through a new connection
		})
	}
}

func TestFewAtOnceThroughAJumpHost(t *testing.T) {
	gate := startBastion(t, nil)
	gate.wait = make(chan struct{})
	hosts := []*engine.Host{named(t, "gate", gate.Server, nil)}
	for i := range 12 {
		hosts = append(hosts, named(t, fmt.Sprint("h", i), listen(t, nil), via("gate")))
	}
	e := newEstate(t, hosts...)
	var wait sync.WaitGroup
	for _, h := range hosts[1:] {
		wait.Go(func() {
			if _, err := e.pool.Get(t.Context(), h); err != nil {
				t.Error(err)
			}
		})
	}
	for gate.now.Load() < 4 { // the others wait, for up to a second
		time.Sleep(time.Millisecond)
	}
	close(gate.wait)
	wait.Wait()
	if gate.Logins() != 1 || gate.connections.Load() != 12 {
		t.Errorf("%d logins, %d led on", gate.Logins(), gate.connections.Load())
	}
	t.Logf("at most %d at once", gate.most.Load())
}

func TestWayInACircle(t *testing.T) {
	server := listen(t, nil)
	e := newEstate(t, named(t, "a", server, via("b")), named(t, "b", server, via("a")), named(t, "self", server, via("self")))
	_ = e.mustNot(t, "a", engine.KindModule, "a → b → a")
	_ = e.mustNot(t, "self", engine.KindModule, "self → self")
	config := filepath.Join(t.TempDir(), "config")
	writeFile(t, config, "Host *\n ProxyJump bastion\n")
	e = newEstate(t, named(t, "a", server, func(s *ssh.Settings) { s.Config, s.User = config, "" }))
	_ = e.mustNot(t, "a", engine.KindModule, "circle")
}

// TestNothingIsLeft: hosts behind jump hosts that work, refuse, hang and die leave no goroutine and no connection.
func TestNothingIsLeftOfJumps(t *testing.T) {
	before := runtime.NumGoroutine()
	func() {
		gate, inner := startBastion(t, nil), startBastion(t, nil)
		plain, server, silent := listen(t, nil), listen(t, nil), listen(t, nil)
		silent.Freeze(true)
		file, _, _ := keyFile(t, "")
		address := func(s *ssh.Settings) {
			s.Jump, s.Key, s.HostKeys, s.KnownHosts = []string{"ops@" + gate.Addr().String(), "ops@" + inner.Addr().String()}, file, "accept-new", filepath.Join(t.TempDir(), "known")
		}
		e := newEstate(t, named(t, "gate", gate.Server, nil), named(t, "inner", inner.Server, via("gate")), named(t, "plain", plain, nil),
			named(t, "ok", server, via("inner")), named(t, "shared", server, address), named(t, "no", server, via("plain")),
			named(t, "slow", silent, func(s *ssh.Settings) { s.Jump, s.ConnectTimeout = []string{"gate", "inner"}, "200ms" }))
		var wait sync.WaitGroup
		for _, h := range e.inv.Hosts {
			wait.Go(func() {
				if _, err := e.pool.Get(t.Context(), h); (err == nil) == (h.Name == "no" || h.Name == "slow") {
					t.Errorf("%s: %v", h.Name, err)
				}
			})
		}
		wait.Wait()
		if err := e.pool.Close(); err != nil {
			t.Error(err)
		}
		for _, s := range []*sshd.Server{gate.Server, inner.Server, plain, server} {
			gone(t, s)
			s.Close()
		}
		silent.Close()
	}()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
