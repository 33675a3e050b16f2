//go:build lab

package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/lab"
)

var (
	sweepPoints = flag.Int("sweep-points", 48, "TestLabKillSweep: at how many places runs are killed; 300 take some minutes")
	sweepLabs   = flag.Int("sweep-labs", 6, "TestLabKillSweep: how many estates there are side by side")
)

// sweepFaults are four different remedies: both services of case B, a driver, and an installer that changes VMware Tools.
var sweepFaults = []lab.Fault{
	{Name: "dsva-stuck", Target: "esx2"},
	{Name: "mux-stuck", Target: "esx3"},
	{Name: "driver-stopped", Target: "guest1-1"},
	{Name: "tools-without-introspection", Target: "guest1-2"},
}

// sweep kills the controller at one event after the other, and resumes.
type sweep struct {
	t      *testing.T
	whole  map[string][]string // what an undisturbed run changes, by host
	events int                 // that it writes

	killed, tooLate, twice, again, resumed, asked, repeated atomic.Int64
}

// TestLabKillSweep kills -9 the controller all over its runs, by the number of the event that it wrote last. In the world's
// truth everything was done exactly once, or was reported as unknown; no engine is left offline that can be healed; the journals
// are whole.
func TestLabKillSweep(t *testing.T) {
	s := &sweep{t: t}
	s.measure()
	points := make(chan int)
	var labs sync.WaitGroup
	for n := range *sweepLabs {
		labs.Go(func() { s.work(n, points) })
	}
	for i := range *sweepPoints {
		points <- 1 + i*s.events / *sweepPoints
	}
	close(points)
	labs.Wait()
	t.Logf("%d points over %d events: %d killed, %d had ended before; %d killed before anything was begun (run again), %d resumed, "+
		"%d of them killed once more meanwhile; %d changes asked about as unknown; %d not done exactly once without being asked about",
		*sweepPoints, s.events, s.killed.Load(), s.tooLate.Load(), s.again.Load(), s.resumed.Load(), s.twice.Load(), s.asked.Load(), s.repeated.Load())
	if s.killed.Load() < int64(*sweepPoints)*9/10 {
		t.Errorf("only %d of %d runs were killed before they ended", s.killed.Load(), *sweepPoints)
	}
}

// estate is an estate with the faults; a heartbeat of ten minutes takes a tenth of a second.
func (s *sweep) estate(name string) *estate {
	l, err := lab.Start(s.t.Context(), lab.Options{Dir: filepath.Join(s.t.TempDir(), name), Speed: 6000, Site: name})
	if err != nil {
		s.t.Error(err)
		return nil
	}
	s.t.Cleanup(func() { _ = l.Close() })
	return &estate{Lab: l, t: s.t}
}

// spoil makes the estate ill anew, whatever it was.
func (s *sweep) spoil(e *estate) error {
	if err := e.Clear(); err != nil {
		return err
	}
	for _, f := range sweepFaults {
		if err := e.Inject(f.Name, f.Target); err != nil {
			return err
		}
	}
	if err := e.WaitHeartbeat(context.WithoutCancel(s.t.Context())); err != nil {
		return err
	}
	e.forget()
	return nil
}

var sweepTimes = []string{"--var", "poll=50ms", "--var", "patience=2s"}

// measure runs undisturbed, and learns what a whole run changes and how many events it writes.
func (s *sweep) measure() {
	e := s.estate("whole")
	if err := s.spoil(e); err != nil {
		s.t.Fatal(err)
	}
	_, s.events = e.killAt(func(int, engine.Event) bool { return false }, sweepTimes...)
	e.healthy()
	s.whole = e.mutations()
	if s.t.Failed() || len(s.whole) < 4 {
		s.t.Fatalf("the undisturbed run is not what the sweep is to disturb: %q", s.whole)
	}
	s.t.Logf("an undisturbed run writes %d events and changes %q", s.events, s.whole)
}

// shells is how many killed runs an estate stands: each may leave a shell of WinRM behind for a quarter of an hour, and a user of Windows has 30.
const shells = 20

func (s *sweep) work(n int, points <-chan int) {
	var e *estate
	left := 0
	for point := range points {
		if left == 0 {
			if e != nil {
				_ = e.Close() // nothing is read from it any more
			}
			e, left = s.estate(fmt.Sprintf("lab%d-%d", n, point)), shells
		}
		if e == nil {
			continue
		}
		left--
		if err := s.spoil(e); err != nil {
			s.t.Error(err)
			continue
		}
		s.at(e, point)
	}
}

// at kills a run at an event, goes on with it, and judges the world.
func (s *sweep) at(e *estate, point int) {
	run, n := e.killAt(func(n int, _ engine.Event) bool { return n == point }, sweepTimes...)
	if n < point {
		s.tooLate.Add(1)
	} else {
		s.killed.Add(1)
	}
	state, _ := stateDir()
	if run != "" {
		if _, err := journal.Read(state, run, nil); err != nil {
			s.t.Errorf("event %d: the journal of the killed run: %v", point, err)
		}
	}
	if point%3 == 0 { // the one who goes on is killed, too
		if _, n := e.kill(func(n int, _ engine.Event) bool { return n == 1+point%50 }, "resume", run, "--settle", "1s"); n > point%50 {
			s.twice.Add(1)
		}
	}
	o := e.resume(run)
	asked := strings.Contains(o.String(), "nothing tells whether")
	switch {
	case o.code == exitRefused && strings.Contains(o.String(), "run the playbook again"):
		s.again.Add(1)
		o = e.heal(sweepTimes...)
	case o.code == exitRefused && strings.Contains(o.String(), "it ended at"):
		return
	default:
		s.resumed.Add(1)
	}
	if asked {
		s.asked.Add(1)
		o = e.heal(sweepTimes...)
	}
	if o.code != exitOK {
		s.t.Errorf("event %d (%s): exit %d\n%s", point, run, o.code, o)
	}
	s.judge(e, point, run, asked)
}

// judge compares the world's truth with what an undisturbed run makes of it.
func (s *sweep) judge(e *estate, point int, run string, asked bool) {
	for _, g := range e.World().Guests {
		if g.Engine == lab.EngineOffline && g.Power == lab.On {
			s.t.Errorf("event %d (%s): the engine of %s is left offline", point, run, g.Name)
		}
	}
	got := e.mutations()
	for _, host := range slices.Sorted(maps.Keys(s.whole)) {
		if want := deeds(s.whole[host]); !slices.Equal(deeds(got[host]), want) && !asked {
			s.repeated.Add(1)
			s.t.Errorf("event %d (%s): on %s was done %q, undisturbed it is %q", point, run, host, deeds(got[host]), want)
		}
	}
	for host, lines := range got {
		for _, line := range lines {
			if !slices.Contains(s.whole[host], line) {
				s.t.Errorf("event %d (%s): on %s was done what an undisturbed run does not: %q", point, run, host, line)
			}
		}
	}
	state, _ := stateDir()
	if r, err := journal.Read(state, run, nil); err != nil {
		s.t.Errorf("event %d (%s): the journal: %v", point, run, err)
	} else if asked && r.Summary.Exit == nil {
		s.t.Errorf("event %d (%s): the resumed run has no end", point, run)
	}
}

// deeds are the lines that restart, start or install something; the others only prepare, and tidy up.
func deeds(lines []string) (out []string) {
	for _, line := range lines {
		if strings.Contains(line, "restart") || strings.Contains(line, "sc.exe start") || strings.Contains(line, "schtasks.exe /run") {
			out = append(out, line)
		}
	}
	return out
}
