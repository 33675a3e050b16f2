package windows

import (
	"context"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// state is the number that sc prints for a service.
type state int

const (
	stopped state = iota + 1
	startPending
	stopPending
	running
)

func (s state) String() string {
	return [...]string{"", "STOPPED", "START_PENDING", "STOP_PENDING", "RUNNING"}[s]
}

// When a service starts.
const (
	bootStart = iota
	systemStart
	autoStart
	demandStart
	disabled
)

// Codes of Windows that services and drivers give.
const (
	errFileNotFound   = 2
	errDenied         = 5
	errGenFailure     = 31
	errInvalidControl = 1052
	errAlreadyRunning = 1056
	errDisabled       = 1058
	errNoService      = 1060
	errNotStarted     = 1062
	errNeverStarted   = 1077
)

// service is a service or a driver.
type service struct {
	name, display, image, group string
	kind                        int // 1 kernel driver, 2 file system driver, 0x10 own process, 0x20 shared
	start                       int
	state                       state
	exit                        uint32
	pinned                      bool // cannot be stopped
	file                        string
	takes                       time.Duration // lab time to start and to stop
	pid                         int           // while it runs; 0 for drivers
	since                       time.Time     // when it began to run
}

func (s *service) driver() bool { return s.kind <= 2 }

// loadable says with which code a driver fails to load, or 0.
func (s *service) loadable(d *disk.Disk) uint32 {
	if s.file == "" {
		return 0
	}
	data, err := d.Read(s.file)
	switch {
	case err != nil:
		return errFileNotFound
	case !strings.HasPrefix(string(data), "MZ") || len(data) < 64:
		return errGenFailure
	}
	return 0
}

// boot puts a service into the state that it has after a boot. g.mu is held or g is new.
func (g *Guest) boot(s *service) {
	s.state, s.exit, s.pid = stopped, errNeverStarted, 0
	if s.start > autoStart {
		return
	}
	if s.exit = s.loadable(g.disk); s.exit == 0 {
		g.runs(s, g.bootTime.Add(20*time.Second))
	}
}

// runs puts a service into the state of one that runs. g.mu is held or g is new.
func (g *Guest) runs(s *service, since time.Time) {
	s.state, s.exit, s.since = running, 0, since
	g.giveProcess(s)
}

func (g *Guest) giveProcess(s *service) {
	if !s.driver() && s.pid == 0 {
		g.procs.next += 4
		s.pid = g.procs.next
	}
}

const drivers = `C:\Windows\System32\drivers\`

// driverImage is the content of a driver file that loads.
var driverImage = "MZ\x90\x00" + strings.Repeat("driver ", 20)

func (g *Guest) fillServices() {
	for _, s := range []service{
		{name: "TrustedInstaller", display: "Windows Modules Installer", kind: 0x10, start: demandStart,
			image: `C:\Windows\servicing\TrustedInstaller.exe`, takes: 2 * time.Second},
		{name: "wuauserv", display: "Windows Update", kind: 0x20, start: demandStart,
			image: `C:\Windows\system32\svchost.exe -k netsvcs -p`, takes: 2 * time.Second},
		{name: "msiserver", display: "Windows Installer", kind: 0x10, start: demandStart,
			image: `C:\Windows\system32\msiexec.exe /V`, takes: time.Second},
		{name: "Schedule", display: "Task Scheduler", kind: 0x20, start: autoStart, pinned: true,
			image: `C:\Windows\system32\svchost.exe -k netsvcs -p`},
		{name: "WinRM", display: "Windows Remote Management (WS-Management)", kind: 0x20, start: autoStart, pinned: true,
			image: `C:\Windows\System32\svchost.exe -k NetworkService -p`},
		{name: "FltMgr", display: "FltMgr", kind: 2, start: bootStart, pinned: true, group: "FSFilter Infrastructure",
			image: `system32\drivers\fltmgr.sys`},
	} {
		g.services[strings.ToLower(s.name)] = &s
	}
}

// find gives a service; g.mu is held.
func (g *Guest) find(name string) *service { return g.services[strings.ToLower(name)] }

// startService asks for a start and returns the error code of Windows. A driver is loaded when it returns;
// a service is pending, as on Windows.
func (g *Guest) startService(ctx context.Context, name string) uint32 {
	g.mu.Lock()
	s := g.find(name)
	code := uint32(0)
	switch {
	case s == nil:
		code = errNoService
	case s.start == disabled:
		code = errDisabled
	case s.state != stopped:
		code = errAlreadyRunning
	default:
		code = s.loadable(g.disk)
	}
	g.mu.Unlock()
	if code != 0 {
		return code
	}
	done := g.move(ctx, s, startPending, running)
	if s.driver() {
		wait(ctx, done)
	}
	return 0
}

// stopService asks for a stop and returns the error code of Windows.
func (g *Guest) stopService(ctx context.Context, name string) uint32 {
	g.mu.Lock()
	s := g.find(name)
	code := uint32(0)
	switch {
	case s == nil:
		code = errNoService
	case s.state == stopped:
		code = errNotStarted
	case s.pinned || s.state != running:
		code = errInvalidControl
	}
	g.mu.Unlock()
	if code != 0 {
		return code
	}
	done := g.move(ctx, s, stopPending, stopped)
	if s.driver() {
		wait(ctx, done)
	}
	return 0
}

// move brings a service through a pending state into another one. It goes on when the one who asked is gone.
func (g *Guest) move(ctx context.Context, s *service, pending, then state) <-chan struct{} {
	g.change(func() {
		s.state, s.exit = pending, 0
		if pending == startPending {
			g.giveProcess(s)
		}
	})
	done := make(chan struct{})
	ctx, release := g.detach(ctx)
	go func() {
		defer close(done)
		defer release()
		if g.cfg.Clock.Wait(ctx, s.takes) == nil {
			g.change(func() {
				switch {
				case s.state != pending: // it was overtaken
				case then == running:
					g.runs(s, time.Now())
				default:
					s.state, s.exit, s.pid = then, 0, 0
				}
			})
		}
	}()
	return done
}

func wait(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
	case <-ctx.Done():
	}
}
