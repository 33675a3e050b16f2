package windows

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/disk"
)

// Config says how a guest is. The zero values of all but Name are usable.
type Config struct {
	Name     string
	Clock    clock.Clock
	Japanese bool   // the prose of the outputs; labels stay English, as on Windows
	Changed  func() // called after any change of the state, without locks held
	// OnNetworkLoss is called when the network adapter vanishes, for so much lab time; negative means for good.
	OnNetworkLoss func(d time.Duration)

	ToolsVersion string        // of the installed VMware Tools and of the media; "" is 12.3.5
	Limited      []string      // users who are no administrators; the others are
	RebootNeeded bool          // a driver that the installer adds or repairs runs only after a reboot
	BootTakes    time.Duration // lab time; 0 is 90 s
	NoMedia      bool          // the CD drive is empty at first
	// Program runs the programs of which Windows has none: what a test puts onto the disk. ok is false for others. May be nil.
	Program func(ctx context.Context, name string, p *cmdexe.Process) (code uint32, ok bool)
}

// State is a copy of what a guest is.
type State struct {
	Drivers         map[string]string // by the names that sc shows; "RUNNING", "STOPPED" or a pending state; absent: not installed
	Features        []string          // of VMware Tools, sorted
	ToolsInstalled  bool
	ToolsBroken     bool // only a repair heals
	Connected       bool // the thin agent reaches the Mux: what DSM finally sees of this guest
	PendingReboot   bool
	Boots           int // 1 after New
	BootTime        time.Time
	InstallerStarts int  // of setup64.exe and msiexec, in all
	InstallerRuns   int  // of those that were let in
	ToolsRun        bool // the service of VMware Tools runs
	NetworkLost     bool // the network driver is gone for good
	Up              bool
}

// Guest is one simulated computer. It is safe for use by several goroutines.
type Guest struct {
	cfg    Config
	system *cmdexe.System
	disk   *disk.Disk

	mu       sync.Mutex
	services map[string]*service // by lower-case name
	tools    tools
	keys     registry
	tasks    map[string]*task // by lower-case path without the leading back slash
	procs    procs
	up       bool
	boots    int
	bootTime time.Time
	shutdown context.CancelFunc // of a scheduled shutdown; nil: none
	scratch  []string           // lower case
}

// New makes a healthy guest that is up: VMware Tools with VMCI and file introspection, the drivers run,
// and the Tools media is mounted at D: unless Config says not.
func New(c Config) *Guest {
	if c.ToolsVersion == "" {
		c.ToolsVersion = "12.3.5.46049"
	}
	if c.BootTakes == 0 {
		c.BootTakes = 90 * time.Second
	}
	g := &Guest{cfg: c, disk: disk.New("C:"), services: map[string]*service{}, keys: registry{}, tasks: map[string]*task{},
		procs: newProcs(), up: true, boots: 1, bootTime: time.Now().Add(-9 * 24 * time.Hour).Truncate(time.Second)}
	g.system = &cmdexe.System{Disk: g.disk, Program: g.program, Say: g.say, Wait: c.Clock.Wait, Scratch: g.IsScratch, Version: "Version 10.0.17763.5576"}
	g.fillDisk()
	g.fillServices()
	g.fillRegistry()
	g.installTools(healthyFeatures(c.ToolsVersion))
	for _, s := range g.services {
		g.boot(s)
	}
	if !c.NoMedia {
		g.MountTools()
	}
	return g
}

// Exec does what "cmd.exe /c LINE" does for user ("CORP\ops" or "ops") and returns its exit code. stdin nil means
// that there is none; anything else counts as redirected input. A ctx that ends kills the command: the code is then
// cmdexe.Killed, and so it is when the guest goes down. A guest that is down runs nothing and returns 1.
func (g *Guest) Exec(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) (exit uint32) {
	ctx, done, ok := g.begin(ctx, "cmd.exe", user)
	if !ok {
		return 1
	}
	defer done()
	p := &cmdexe.Process{User: user, Dir: g.home(user), Env: g.environment(user),
		Stdin: stdin, Stdout: orDiscard(stdout), Stderr: orDiscard(stderr)}
	return cmdexe.Run(ctx, g.system, p, line)
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// State copies the state.
func (g *Guest) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := State{Drivers: map[string]string{}, Features: slices.Sorted(maps.Keys(g.tools.features)),
		ToolsInstalled: g.tools.installed, ToolsBroken: g.tools.broken != "", Connected: g.connected(),
		PendingReboot: g.pendingReboot(), Boots: g.boots, BootTime: g.bootTime,
		InstallerStarts: g.tools.starts, InstallerRuns: g.tools.runs, ToolsRun: g.up && g.tools.installed && !g.tools.replaced, NetworkLost: g.tools.networkLost || g.tools.cut, Up: g.up}
	for _, service := range g.services {
		if service.driver() {
			s.Drivers[service.name] = service.state.String()
		}
	}
	return s
}

// Connected tells whether the thin agent reaches the Mux, as State does.
func (g *Guest) Connected() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.connected()
}

// connected tells whether the thin agent of file introspection is in touch with the Mux. g.mu is held.
func (g *Guest) connected() bool {
	return g.up && g.tools.installed && g.tools.features[fileIntrospection] && g.running("vsepflt") && g.running("vmci") &&
		g.tools.broken == "" && !g.tools.disconnected
}

func (g *Guest) running(name string) bool {
	s, ok := g.services[name]
	return ok && s.state == running
}

// change runs f under the lock and tells about it.
func (g *Guest) change(f func()) {
	func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		f()
	}()
	if g.cfg.Changed != nil {
		g.cfg.Changed()
	}
}
