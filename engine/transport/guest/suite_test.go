package guest_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/guestops/localguest"
	"github.com/dsplay/dsplay/engine/lab/guestops/winguest"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/transport/guest"
	"github.com/dsplay/dsplay/engine/transport/transporttest"
	"github.com/dsplay/dsplay/engine/transport/transporttest/wincomputer"
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

// newWindows is the lab's Windows with the programs of the suite.
func newWindows(t testing.TB) (*windows.Guest, winguest.System) {
	t.Helper()
	var p wincomputer.Programs
	g := windows.New(windows.Config{Name: "vm1", Clock: clock.Clock{Speed: 50}, Program: p.Run})
	p.Install(g.Disk(), `C:\Windows\System32`)
	return g, winguest.System{Ctx: t.Context(), Guest: func() *windows.Guest { return g }}
}

// TestSuiteWindows runs command lines in the lab's Windows.
func TestSuiteWindows(t *testing.T) {
	g, system := newWindows(t)
	e := newEstate(t, system, "windows2019srv_64Guest", nil)
	x := target(e)
	x.Windows, x.WholeInput = true, true
	x.Commands = wincomputer.Commands()
	x.Commands.Longest = 7000
	x.Leaves += 2 * 3 // the lab's own, of what was cut off (twice) and of what fell silent: nobody could end it, and it lives on
	x.Codes = map[int]int{300: 300, 1060: 1060, -1: -1, -1073741510: -1073741510}
	transporttest.Run(t, x)
	left := g.Processes()
	if len(left) != 2*3 { // cmd.exe and sleep.exe
		t.Errorf("%d processes are left in the guest: %v", len(left), left)
	}
}
