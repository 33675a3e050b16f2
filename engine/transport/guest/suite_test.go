package guest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
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

func hasty(s *guest.Settings) { s.AnswerTimeout, s.Poll = "1s", "3ms" }

// target is the suite's for this estate, whose vCenter breaks and falls silent.
func target(e *estate) transporttest.Target {
	return transporttest.Target{
		Open:    func(t *testing.T) engine.Shell { return e.mustOpen(t, hasty) },
		Cut:     func(*testing.T) { e.cut() },
		Silence: func(*testing.T) func() { return e.silence() },
		Leaves:  1, // the server's loop
		Slow:    true,
		Many:    25,
	}
}

// TestSuiteLinux runs real programs under the real /bin/sh of this machine.
func TestSuiteLinux(t *testing.T) {
	system := &localguest.System{Dir: t.TempDir()}
	e := newEstate(t, system, "rhel8_64Guest", nil)
	x := target(e)
	x.Codes = map[int]int{300: 44, -1: atMinusOne(t)}
	transporttest.Run(t, x)
	system.Wait()
	nothingLeft(t, system, 3) // of the connections that were cut off (twice) or fell silent
}

// atMinusOne is what "exit -1" arrives as: shells differ.
func atMinusOne(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "exit -1")
	_ = cmd.Run() // the code says it
	return cmd.ProcessState.ExitCode()
}

// nothingLeft wants no process, and no temporary directory but those of so many connections that could not remove theirs.
func nothingLeft(t *testing.T, s *localguest.System, lost int) {
	t.Helper()
	if list := s.Processes(); len(list) > 0 {
		t.Errorf("processes are left in the guest: %v", list)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > lost {
		t.Errorf("left in the guest: %v", entries)
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
	case "flood":
		ended := make(chan struct{})
		go func() {
			_, _ = io.WriteString(c.Stderr, strings.Repeat("e", 5_000_000))
			close(ended)
		}()
		_, _ = io.WriteString(c.Stdout, strings.Repeat("o", 5_000_000))
		<-ended
	case "env":
		for _, name := range c.Argv {
			_, _ = io.WriteString(c.Stdout, c.Getenv(name)+"\x00")
		}
	case "full":
		return p.full(c), true
	case "endless":
		id := p.begin()
		defer p.end(id)
		_, err := fmt.Fprintln(c.Stdout, id)
		for i := 0; err == nil && ctx.Err() == nil; i++ {
			_, err = fmt.Fprintln(c.Stdout, "line", i)
		}
	case "sleep":
		id := p.begin()
		defer p.end(id)
		fmt.Fprintln(c.Stdout, id)
		<-ctx.Done()
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

// full writes stdin to a device on which there is no space, and says what Windows says of it.
func (p *programs) full(c *cmdexe.Process) uint32 {
	device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		fmt.Fprintln(c.Stderr, err)
		return 2
	}
	defer device.Close()
	if _, err := io.Copy(device, c.Stdin); errors.Is(err, syscall.ENOSPC) {
		fmt.Fprintln(c.Stderr, "There is not enough space on the disk.") // ERROR_DISK_FULL
		return 1
	}
	return 0
}

// begin gives a process an id, under which it lives until end.
func (p *programs) begin() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	p.alive[p.last] = true
	return p.last
}

func (p *programs) end(id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.alive, id)
}

// newWindows is the lab's Windows with the programs of the suite.
func newWindows(t testing.TB) (*windows.Guest, winguest.System) {
	t.Helper()
	p := &programs{alive: map[int]bool{}}
	g := windows.New(windows.Config{Name: "vm1", Clock: clock.Clock{Speed: 50}, Program: p.run})
	for _, name := range []string{"cat", "count", "big", "raw", "args", "sleep", "alive", "flood", "endless", "env", "full"} {
		g.Disk().Install(`C:\Windows\System32\`+name+".exe", name)
	}
	return g, winguest.System{Ctx: t.Context(), Guest: func() *windows.Guest { return g }}
}

// TestSuiteWindows runs command lines in the lab's Windows.
func TestSuiteWindows(t *testing.T) {
	g, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	x := target(e)
	x.Windows, x.WholeInput = true, true
	x.Commands = transporttest.Commands{
		Unknown: 1, // of cmd /c, as opposed to %errorlevel%
		Cat:     "cat", Count: "count", Big: "big", Raw: "raw", Sleep: "sleep", Args: []string{"args"},
		Flood: "flood", Endless: "endless", Env: []string{"env"}, Full: "full", Longest: 7000,
		Alive: func(pid string) string { return "alive " + pid },
	}
	x.Leaves += 2 * 3 // the lab's own, of what was cut off (twice) and of what fell silent: nobody could end it, and it lives on
	x.Codes = map[int]int{300: 300, 1060: 1060, -1: -1, -1073741510: -1073741510}
	transporttest.Run(t, x)
	left := g.Processes()
	if len(left) != 2*3 { // cmd.exe and sleep.exe
		t.Errorf("%d processes are left in the guest: %v", len(left), left)
	}
}
