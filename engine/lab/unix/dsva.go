package unix

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
)

// Faults of a DSVA.
const (
	DSVAStuck    = "dsva-stuck"    // ds_agent runs, the anti-malware engine is driver-offline; healed by a restart or a boot
	AgentStopped = "agent-stopped" // healed by a start, a restart or a boot
	AgentHangs   = "agent-hangs"   // stuck, and the next restart never returns and leaves the agent stopped; the one after heals
)

// DSVAConfig says how an appliance is.
type DSVAConfig struct {
	Name         string
	Clock        clock.Clock
	Systemd      bool          // EL 7 with systemd; else EL 6 with init scripts
	SudoPassword string        // of every user who may use sudo; "" is NOPASSWD
	NoSudo       []string      // users who are not in the sudoers file; all others are
	Manager      string        // address of the DSM that the agent knows; "" is "dsm.lab"
	BootTakes    time.Duration // lab time; 0 is 60 s
	Changed      func()        // called after any change of the state, without locks held
	// Heartbeat is called, without locks held, when dsa_control -m tells the agent to contact its DSM. It gives the HTTP
	// status with which the DSM answers. nil: always 200.
	Heartbeat func() int
}

// DSVAState is a copy of what an appliance is.
type DSVAState struct {
	AgentRunning  bool
	AgentStuck    bool
	Activated     bool // false after "dsa_control -r": the appliance belongs to no DSM
	AgentRestarts int  // how often it was started again since New
	AgentStarted  time.Time
	Boots         int
	BootTime      time.Time
	Up            bool
}

// DSVA is the shell of one appliance. It is safe for use by several goroutines.
type DSVA struct {
	m         *machine
	cfg       DSVAConfig
	agent     *daemon
	activated bool // guarded by m.mu
	lastBeat  time.Time
	tickets   map[string]time.Time // guarded by m.mu: when a user last gave sudo the password
}

// NewDSVA makes an appliance that is up, activated and whose agent works.
func NewDSVA(c DSVAConfig) *DSVA {
	m := newMachine(c.Name, c.Clock, c.Changed)
	m.shell, m.missing = "bash", "command not found"
	m.path, m.rootPath = "/usr/local/bin:/bin:/usr/bin", "/usr/local/sbin:/sbin:/bin:/usr/sbin:/usr/bin"
	if c.BootTakes == 0 {
		c.BootTakes = 60 * time.Second
	}
	if c.Manager == "" {
		c.Manager = "dsm.lab"
	}
	d := &DSVA{m: m, cfg: c, activated: true, lastBeat: time.Now(), tickets: map[string]time.Time{}}
	d.agent = m.newDaemon("ds_agent", []string{"ds_agent", "-w", "/var/opt/ds_agent", "-b", "-i", "-e", "/opt/ds_agent/ext"},
		[]string{"ds_am", "-g", "../diag", "-v", "5", "-d", "/var/opt/ds_agent/am"})
	d.agent.runsAfter = 10 * time.Second
	m.files.live, m.files.liveList = m.proc, m.procList
	d.fill()
	return d
}

func (d *DSVA) fill() {
	m := d.m
	for _, commands := range []map[string]command{fileCommands(), grepCommands(), systemCommands(),
		{"sudo": d.sudo, "id": id, "whoami": whoami, "ps": ps, "pgrep": pgrep, "uname": linuxUname, "bash": sh}} {
		m.install(commands, "/bin", "/usr/bin")
	}
	m.install(map[string]command{"service": d.service, "chkconfig": d.chkconfig, "shutdown": d.shutdown, "reboot": d.shutdown}, "/sbin", "/usr/sbin")
	m.install(map[string]command{"dsa_query": d.query, "dsa_control": d.control}, "/opt/ds_agent")
	_ = m.files.chmod("/opt/ds_agent", 0, 0o700) // it is there
	if d.cfg.Systemd {
		m.install(map[string]command{"systemctl": d.systemctl}, "/bin", "/usr/bin")
		m.files.put("/run/systemd/system/.keep", "", 0o644)
		m.files.put("/etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n", 0o644)
	} else {
		m.files.put("/etc/redhat-release", "CentOS release 6.10 (Final)\n", 0o644)
		m.files.put("/etc/rc3.d/S92ds_agent", "", 0o755)
		m.files.put("/etc/rc5.d/S92ds_agent", "", 0o755)
	}
	m.commands["init:ds_agent"] = d.initScript
	m.files.install("/etc/init.d/ds_agent", "init:ds_agent")
	m.files.put("/proc/sys/.keep", "", 0o444)
	m.files.put("/tmp/.keep", "", 0o644)
	_ = m.files.chmod("/tmp", 0, 0o777) // it is there
	m.files.put("/var/log/messages", "", 0o600)
	m.files.put("/var/opt/ds_agent/diag/.keep", "", 0o600)
	m.users["dsva"] = 500
	for _, name := range []string{"/usr/sbin/sshd", "rsyslogd", "crond"} {
		m.always(name)
	}
	m.files.put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndsva:x:500:500::/home/dsva:/bin/bash\n", 0o644)
}

// Exec runs a line in the login shell of user and returns its exit code, 143 when ctx ended it. An appliance that is
// down runs nothing and returns 255. stdin nil means that there is none; else it must end when the session does.
func (d *DSVA) Exec(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int {
	return d.m.exec(ctx, user, line, stdin, stdout, stderr)
}

// State copies the state.
func (d *DSVA) State() DSVAState {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	return DSVAState{AgentRunning: d.agent.running, AgentStuck: d.agent.stuck, Activated: d.activated, AgentRestarts: d.agent.starts,
		AgentStarted: d.agent.since, Boots: d.m.boots, BootTime: d.m.booted, Up: d.m.up}
}

// Break brings a fault about. An unknown one is an error.
func (d *DSVA) Break(fault string) error {
	var err error
	d.m.change(func() {
		switch fault {
		case DSVAStuck, AgentHangs:
			if !d.agent.running {
				d.agent.spawn(time.Now())
			}
			d.agent.stuck, d.agent.hangs = true, fault == AgentHangs
		case AgentStopped:
			d.agent.vanish()
		default:
			err = fmt.Errorf("%s: there is no fault %q", d.m.name, fault)
		}
	})
	return err
}

// Down takes the power away; everything that runs ends.
func (d *DSVA) Down() { d.m.powerOff(d.agent) }

// Up boots at once. On an appliance that is up it does nothing.
func (d *DSVA) Up() { d.m.powerOn(d.agent) }
