package unix

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/touch"
)

// The init scripts of the Mux, the host side of Guest Introspection.
const (
	MuxNSXT = "nsx-context-mux"      // NSX-T 2 and 3, NSX 4
	MuxNSXV = "vShield-Endpoint-Mux" // vShield Endpoint, NSX-V 6
	MuxBoth = "both"                 // left behind by a migration: only that of NSX-T runs
	MuxNone = "none"                 // the host is not prepared
)

// Faults of an ESXi host.
const (
	MuxStuck   = "mux-stuck"   // the Mux runs and does not work; healed by a restart
	MuxStopped = "mux-stopped" // healed by a start or a restart
	MuxHangs   = "mux-hangs"   // stuck, and the next restart never returns and leaves the Mux stopped; the one after heals
)

// ESXiConfig says how an ESXi host is.
type ESXiConfig struct {
	Name    string
	Clock   clock.Clock
	Mux     string // MuxNSXT (also for ""), MuxNSXV, MuxBoth or MuxNone
	Version string // like "7.0.3 build-21313628"; "" is one that fits the Mux
	Changed func() // called after any change of the state, without locks held
}

// ESXiState is a copy of what an ESXi host is.
type ESXiState struct {
	MuxRunning  bool // of the Mux in use
	MuxStuck    bool
	MuxRestarts int // how often it was started again since New
	MuxStarted  time.Time
	Up          bool
}

// ESXi is the shell of one ESXi host. It is safe for use by several goroutines.
type ESXi struct {
	m       *machine
	version string
	muxes   map[string]*daemon
	primary *daemon // nil: the host is not prepared
}

// NewESXi makes a host that is up and whose Mux runs.
func NewESXi(c ESXiConfig) *ESXi {
	m := newMachine(c.Name, c.Clock, c.Changed)
	m.shell, m.missing, m.path, m.rootPath = "sh", "not found", "/bin:/sbin", "/bin:/sbin"
	m.rootHome, m.nextPID = "/", 2098000
	e := &ESXi{m: m, version: c.Version, muxes: map[string]*daemon{}}
	names := map[string][]string{"": {MuxNSXT}, MuxNSXT: {MuxNSXT}, MuxNSXV: {MuxNSXV}, MuxBoth: {MuxNSXT, MuxNSXV}}[c.Mux]
	for i, name := range names {
		d := m.newDaemon(name, []string{"/usr/lib/vmware/" + strings.ToLower(name) + "/bin/" + name},
			[]string{"/bin/sh", "/sbin/watchdog.sh", "-s", name})
		e.muxes[name] = d
		if i > 0 {
			m.mu.Lock()
			d.vanish()
			d.enabled = false
			m.mu.Unlock()
		} else {
			e.primary = d
		}
		m.commands["init:"+name] = e.initScript(d)
		m.files.install("/etc/init.d/"+name, "init:"+name)
	}
	if e.version == "" {
		e.version = "7.0.3 build-21313628"
		if c.Mux == MuxNSXV {
			e.version = "6.5.0 build-5969303"
		}
	}
	e.fill()
	return e
}

func (e *ESXi) fill() {
	m := e.m
	own := map[string]command{"esxcli": e.esxcli, "vmware": e.vmware, "uname": e.uname, "ps": e.ps}
	all := []map[string]command{fileCommands(), grepCommands(), systemCommands(), own}
	for _, commands := range all {
		m.install(commands, "/bin")
	}
	for _, script := range []string{"hostd", "vpxa", "sshd", "ntpd"} {
		m.commands["init:"+script] = func(_ context.Context, c *call) int {
			fmt.Fprintf(c.stdout, "%s is running\n", script)
			return 0
		}
		m.files.install("/etc/init.d/"+script, "init:"+script)
	}
	m.always("hostd")
	m.always("vpxa")
	m.files.put("/etc/vmware-release", "VMware ESXi "+e.version+"\n", 0o644)
	m.files.put("/var/log/syslog.log", "", 0o644)
	m.files.put("/tmp/.keep", "", 0o644)
	_ = m.files.chmod("/tmp", 0, 0o777) // it is there
}

// Exec runs a line in the shell of the host as user and returns its exit code, 143 when ctx ended it. A host that is
// down runs nothing and returns 255. stdin nil means that there is none; else it must end when the session does.
func (e *ESXi) Exec(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int {
	return e.m.exec(ctx, user, line, stdin, stdout, stderr)
}

// State copies the state.
func (e *ESXi) State() ESXiState {
	e.m.mu.Lock()
	defer e.m.mu.Unlock()
	s := ESXiState{Up: e.m.up}
	if d := e.primary; d != nil {
		s.MuxRunning, s.MuxStuck, s.MuxRestarts, s.MuxStarted = d.running, d.stuck, d.starts, d.since
	}
	return s
}

// Break brings a fault about. An unknown one, or one of a Mux that is not there, is an error.
func (e *ESXi) Break(fault string) error {
	if e.primary == nil {
		return fmt.Errorf("%s: break %s: there is no Mux", e.m.name, fault)
	}
	var err error
	e.m.change(func() {
		switch d := e.primary; fault {
		case MuxStuck, MuxHangs:
			if !d.running {
				d.spawn(time.Now())
			}
			d.stuck, d.hangs = true, fault == MuxHangs
		case MuxStopped:
			d.vanish()
		default:
			err = fmt.Errorf("%s: there is no fault %q", e.m.name, fault)
		}
	})
	return err
}

// Control does to the Mux in use what its init script does: start, stop or restart. ctx ends a restart that hangs.
func (e *ESXi) Control(ctx context.Context, verb string) error {
	d := e.primary
	if d == nil {
		return fmt.Errorf("%s: %s the Mux: there is none", e.m.name, verb)
	}
	release, err := d.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	switch verb {
	case "start":
		return d.start(ctx)
	case "stop":
		return d.stop(ctx)
	}
	return d.restart(ctx, func() {})
}

// Down takes the power away; everything that runs ends.
func (e *ESXi) Down() { e.m.powerOff(slices.Collect(maps.Values(e.muxes))...) }

// Up boots at once. On a host that is up it does nothing.
func (e *ESXi) Up() { e.m.powerOn(slices.Collect(maps.Values(e.muxes))...) }

// initScript is /etc/init.d/MUX. The exit code of status says nothing with NSX-V.
func (e *ESXi) initScript(d *daemon) command {
	return func(ctx context.Context, c *call) int {
		verb := ""
		if len(c.args) > 0 {
			verb = c.args[0]
		}
		running, pid, _ := d.status()
		if verb == "status" {
			return muxStatus(c, d.name, running)
		}
		touch.Mark(ctx)
		release, err := d.take(ctx)
		if err != nil {
			return 143
		}
		defer release()
		stopped := func() {
			if running {
				fmt.Fprintf(c.stdout, "watchdog-%s: Terminating watchdog process with PID %d\n%s stopped\n", d.name, pid+1, d.name)
			} else {
				fmt.Fprintf(c.stdout, "%s is not running\n", d.name)
			}
		}
		switch verb {
		case "start":
			if running {
				fmt.Fprintf(c.stdout, "%s is already running\n", d.name)
				return 0
			}
			err = d.start(ctx)
		case "stop":
			if err = d.stop(ctx); err == nil {
				stopped()
			}
			return exit(err)
		case "restart":
			err = d.restart(ctx, stopped)
		default:
			fmt.Fprintf(c.stdout, "Usage: /etc/init.d/%s {start|stop|restart|status}\n", d.name)
			return 1
		}
		if err == nil {
			fmt.Fprintf(c.stdout, "%s started\n", d.name)
		}
		return exit(err)
	}
}

func exit(err error) int {
	if err != nil {
		return 143
	}
	return 0
}

func muxStatus(c *call, name string, running bool) int {
	if running {
		fmt.Fprintf(c.stdout, "%s is running\n", name)
		return 0
	}
	fmt.Fprintf(c.stdout, "%s is not running\n", name)
	if name == MuxNSXV {
		return 0
	}
	return 3
}
