package lab

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/guestops"
	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/unix"
)

// appliance is the DSVA of a host.
type appliance struct {
	shell
	host       *host
	id         int // of the DSM's computer
	vm         string
	uuid, bios string
	tools      *guestops.Guest // what VMware Tools give to who asks through the vCenter

	mu        sync.Mutex
	unix      *unix.DSVA
	power     Power
	moved     bool // it runs on another ESXi host than that whose guests it is for
	beats     int
	missed    int // heartbeats in a row
	last      time.Time
	untrusted bool          // the DSM does not take its certificate
	beaten    chan struct{} // replaced when a turn to talk to the DSM begins, closed when that ends

	telling sync.Mutex // one turn at a time, so that what was seen first does not arrive last
}

func (a *appliance) newMachine() *unix.DSVA {
	return unix.NewDSVA(unix.DSVAConfig{Name: a.name, Clock: a.lab.clock, SudoPassword: a.password, Manager: dsmName, Heartbeat: a.soon, Changed: a.changed})
}

func (a *appliance) machine() *unix.DSVA {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unix
}

func (a *appliance) exec(ctx context.Context, s *sshd.Session, stdin io.Reader) (exit int, mutates bool) {
	ctx, w := touch.Watch(ctx)
	exit = a.machine().Exec(ctx, s.User, s.Line, stdin, s.Stdout, s.Stderr)
	return exit, w.Touched()
}

// setPower is a change by the vCenter. An appliance that is suspended does nothing, like one that is off, but it
// resumes without a boot.
func (a *appliance) setPower(p Power) {
	a.mu.Lock()
	before, machine := a.power, a.unix
	a.power = p
	a.mu.Unlock()
	switch {
	case p == Off:
		machine.Down()
	case p == On && before == Off:
		a.lab.background(func() { a.boot(machine) })
	}
	a.lab.background(a.settle)
}

func (a *appliance) boot(machine *unix.DSVA) {
	if a.lab.clock.Wait(a.lab.ctx, bootTakes) == nil && a.powerNow() == On {
		machine.Up()
		a.settle()
	}
}

func (a *appliance) booted() (time.Time, bool) {
	s := a.machine().State()
	return s.BootTime, s.Up
}

// reboot is RebootGuest.
func (a *appliance) reboot() {
	a.lab.afterAnswer(func() {
		machine := a.machine()
		machine.Down()
		a.settle()
		a.boot(machine)
	})
}

// settle brings the network in line with power and machine.
func (a *appliance) settle() {
	_ = a.door.setCut(!a.awake()) // a port that was stolen stays shut
}

func (a *appliance) awake() bool { return a.powerNow() == On && a.machine().State().Up }

func (a *appliance) powerNow() Power {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.power
}

func (a *appliance) setMoved(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moved = on
}

// atHome tells whether it runs on its ESXi host, where alone the Mux reaches it.
func (a *appliance) atHome() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.moved
}

// talks tells whether the agent sends heartbeats. One that is stuck does.
func (a *appliance) talks() bool {
	s := a.machine().State()
	return a.awake() && s.AgentRunning && s.Activated && a.trusted()
}

// changed follows a machine that reboots itself.
func (a *appliance) changed() {
	if a.door != nil {
		a.lab.background(a.settle)
	}
}

// contact is the lab time from dsa_control -m to the heartbeat: "in the next few seconds".
const contact = 3 * time.Second

// soon is dsa_control -m.
func (a *appliance) soon() (httpStatus int) {
	if !a.trusted() {
		return 403
	}
	a.lab.background(func() {
		if a.lab.clock.Wait(a.lab.ctx, contact) == nil {
			a.report()
		}
	})
	return 200
}

func (a *appliance) truth() DSVA {
	s := a.machine().State()
	a.mu.Lock()
	defer a.mu.Unlock()
	return DSVA{Name: a.name, Address: a.ip, ESXi: a.host.name, Moved: a.moved, Power: a.power, AgentRunning: s.AgentRunning, AgentHealthy: s.AgentRunning && !s.AgentStuck && s.Activated,
		AgentRestarts: s.AgentRestarts, Heartbeats: a.beats, LastHeartbeat: a.last}
}
