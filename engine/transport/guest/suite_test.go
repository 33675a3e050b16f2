package guest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/guestops/localguest"
	"github.com/dsplay/dsplay/engine/lab/guestops/winguest"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
)

func hasty(s *guest.Settings) { s.AnswerTimeout, s.Poll = "1s", "10ms" }

// target is the suite's for this estate, whose vCenter breaks and falls silent.
func target(e *estate) transporttest.Target {
	return transporttest.Target{
		Open:    func(t *testing.T) engine.Shell { return e.mustOpen(t, hasty) },
		Cut:     func(*testing.T) { e.cut() },
		Silence: func(*testing.T) func() { return e.silence() },
		Leaves:  1, // the server's loop
	}
}

// TestSuiteLinux runs real programs under the real /bin/sh of this machine.
func TestSuiteLinux(t *testing.T) {
	system := &localguest.System{Dir: t.TempDir()}
	e := newEstate(t, system, "rhel8_64Guest", nil)
	x := target(e)
	x.Codes = map[int]int{300: 44}
	transporttest.Run(t, x)
	system.Wait()
	nothingLeft(t, system)
}

// nothingLeft wants no temporary file, and no process.
func nothingLeft(t *testing.T, s *localguest.System) {
	t.Helper()
	if list := s.Processes(); len(list) > 0 {
		t.Errorf("processes are left in the guest: %v", list)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "dsplay-") {
			t.Errorf("%s is left in the guest", e.Name())
		}
	}
}

// programs are what the suite needs and Windows does not have.
type programs struct {
	mu    sync.Mutex
	last  int
	alive map[int]bool
}

func (p *programs) run(ctx context.Context, name string, c *cmdexe.Process) (uint32, bool) {
	switch name {
	case "cat":
		_, _ = io.Copy(c.Stdout, c.Stdin)
	case "count":
		n, _ := io.Copy(io.Discard, c.Stdin)
		fmt.Fprintln(c.Stdout, n/1000)
	case "big":
		_, _ = io.Copy(c.Stdout, io.LimitReader(exes{}, 10_000_000))
	case "raw":
		_, _ = io.WriteString(c.Stdout, "\xff\xfe\x00\x80\n")
	case "args":
		for _, a := range c.Argv {
			_, _ = io.WriteString(c.Stdout, a+"\x00")
		}
	case "sleep":
		p.sleep(ctx, c)
	case "alive":
		p.mu.Lock()
		defer p.mu.Unlock()
		if id, _ := strconv.Atoi(c.Argv[0]); !p.alive[id] {
			return 1, true
		}
	default:
		return 0, false
	}
	return 0, true
}

type exes struct{}

func (exes) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func (p *programs) sleep(ctx context.Context, c *cmdexe.Process) {
	p.mu.Lock()
	p.last++
	id := p.last
	p.alive[id] = true
	p.mu.Unlock()
	fmt.Fprintln(c.Stdout, id)
	<-ctx.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.alive, id)
}

// newWindows is the lab's Windows with the programs of the suite.
func newWindows(t *testing.T) (*windows.Guest, winguest.System) {
	t.Helper()
	p := &programs{alive: map[int]bool{}}
	g := windows.New(windows.Config{Name: "vm1", Clock: clock.Clock{Speed: 50}, Program: p.run})
	for _, name := range []string{"cat", "count", "big", "raw", "args", "sleep", "alive"} {
		g.Disk().Install(`C:\Windows\System32\`+name+".exe", name)
	}
	return g, winguest.System{Ctx: t.Context(), Guest: func() *windows.Guest { return g }}
}

// TestSuiteWindows runs command lines in the lab's Windows.
func TestSuiteWindows(t *testing.T) {
	g, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	x := target(e)
	x.Windows = true
	x.Commands = transporttest.Commands{
		Unknown: 1, // of cmd /c, as opposed to %errorlevel%
		Cat:     "cat", Count: "count", Big: "big", Raw: "raw", Sleep: "sleep", Args: []string{"args"},
		Alive: func(pid string) string { return "alive " + pid },
	}
	x.Leaves += 2 * 2 // the lab's own, of what was cut off and of what fell silent: nobody could end it, and it lives on
	x.Codes = map[int]int{300: 300, 1060: 1060, -1: -1, -1073741510: -1073741510}
	transporttest.Run(t, x)
	left := g.Processes()
	if len(left) != 2*2 { // cmd.exe and sleep.exe
		t.Errorf("%d processes are left in the guest: %v", len(left), left)
	}
}
