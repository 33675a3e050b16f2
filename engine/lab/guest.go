package lab

import (
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/dsplay/dsplay/engine/lab/dsm"
	"github.com/dsplay/dsplay/engine/lab/guestops"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/lab/windows"
)

// bootTakes is the lab time from power on until Windows answers.
const bootTakes = 90 * time.Second

// guest is a virtual machine with Windows. What happens inside of it is windows.Guest's; power and network are here.
type guest struct {
	lab        *Lab
	id         int // of the DSM's computer
	name, ip   string
	uuid, bios string
	agentless  bool
	door       *door
	log        vmwareLog
	tools      *guestops.Guest // what VMware Tools give to who asks through the vCenter

	mu      sync.Mutex
	host    *host // where it runs now
	win     *windows.Guest
	power   Power
	usual   Power         // what Clear goes back to
	booting int           // counts power changes, so that a boot that was cut off does not come up
	outages int           // losses of the network that are under way
	shown   vcenter.State // what the vCenter was told last
	syncing bool          // settle runs, or is about to
	again   bool          // something changed since it began

	noPolicy bool // the appliance has lost its policy
	moves    bool // vMotion takes it away when something is changed that concerns it
}

func newGuest(l *Lab, h *host, id, n int) *guest {
	g := &guest{lab: l, host: h, id: id, name: fmt.Sprintf("guest%d-%d", h.n, n), ip: l.ip(h.n, firstGuest+n), power: On, usual: On, agentless: true}
	g.uuid = uuid.NewSHA1(uuid.NameSpaceDNS, []byte(l.opts.Site+g.name+".instance.lab")).String()
	g.bios = uuid.NewSHA1(uuid.NameSpaceDNS, []byte(l.opts.Site+g.name+".bios.lab")).String()
	if l.opts.Twins && h.n == 1 && n == 2 {
		g.bios = h.guests[0].bios
	}
	g.win = g.newMachine()
	g.tools = g.newTools()
	return g
}

func (g *guest) newMachine() *windows.Guest {
	return windows.New(windows.Config{Name: g.name, Clock: g.lab.clock, Japanese: g.lab.opts.Japanese, BootTakes: bootTakes,
		NoMedia: g.lab.opts.NoToolsMedia,
		Changed: g.changed, OnNetworkLoss: g.networkLoss})
}

func (g *guest) machine() *windows.Guest {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.win
}

func (g *guest) powerNow() Power {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.power
}

// where is the ESXi host on which it runs now.
func (g *guest) where() *host {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.host
}

// move is what vMotion does: the guest goes on running on another host, and everybody hears of it.
func (g *guest) move(to *host) {
	g.mu.Lock()
	from := g.host
	g.host = to
	g.mu.Unlock()
	from.leave(g)
	to.take(g)
	g.lab.vcenter.Move(g.name, to.name)
	g.lab.dsm.Move(g.id, to.id, to.appliance.id)
}

// online is the rule of the estate: whether the engine protects this guest now.
func (g *guest) online() bool {
	return g.agentless && g.member() && g.hasPolicy() && g.powerNow() == On && g.machine().Connected() && g.where().protects() && !g.lab.centralCause()
}

// setPower is a change by the vCenter or by a fault. Off is at once; on boots what was off and resumes what slept.
func (g *guest) setPower(p Power) {
	g.mu.Lock()
	before, win := g.power, g.win
	g.power = p
	if before != p {
		g.booting++
	}
	boot := g.booting
	g.mu.Unlock()
	if before == p {
		return
	}
	g.lab.dsm.SetPower(g.id, dsm.Power(p))
	switch {
	case p == Off:
		win.Down()
	case before == Off:
		g.lab.background(func() { g.boot(win, boot) })
	}
	g.changed()
}

func (g *guest) boot(win *windows.Guest, boot int) {
	if g.lab.clock.Wait(g.lab.ctx, bootTakes) != nil {
		return
	}
	g.mu.Lock()
	current := g.booting == boot
	g.mu.Unlock()
	if current {
		g.log.rotate()
		win.Up()
	}
}

// answerTakes is how long, in real time, the simulated vCenter has to answer before a guest that it reboots goes down:
// it judges the state of Tools once more after it has told us.
const answerTakes = 200 * time.Millisecond

func (g *guest) booted() (time.Time, bool) {
	s := g.machine().State()
	return s.BootTime, s.Up
}

// reboot is RebootGuest.
func (g *guest) reboot() {
	g.lab.afterAnswer(func() { _ = g.machine().Reboot(g.lab.ctx) })
}

// afterAnswer does something that a caller of the vCenter asked for, when the caller has the answer.
func (l *Lab) afterAnswer(do func()) {
	l.background(func() {
		timer := time.NewTimer(answerTakes)
		defer timer.Stop()
		select {
		case <-timer.C:
			do()
		case <-l.ctx.Done():
		}
	})
}

// heal is Clear. A machine that is ill, or was made ill, is replaced by a fresh one.
func (g *guest) heal(was bool) {
	s := g.machine().State()
	g.mu.Lock()
	usual := g.usual
	g.noPolicy, g.moves = false, false
	g.mu.Unlock()
	g.setPower(usual)
	if usual == On && (was || !s.Connected || s.PendingReboot) {
		g.replace()
	}
}

// replace puts a healthy machine in the place of the one that is there.
func (g *guest) replace() {
	fresh := g.newMachine()
	g.mu.Lock()
	old := g.win
	g.win, g.outages = fresh, 0
	g.mu.Unlock()
	g.lab.vcenter.Insert(g.name, g.lab.image())
	old.Down()
	g.changed()
}

func (g *guest) truth() Guest {
	s := g.machine().State()
	t := Guest{Name: g.name, Address: g.ip, ESXi: g.where().name, UUID: g.uuid, BIOSUUID: g.bios, Engine: EngineOffline, Power: g.powerNow(), Up: s.Up,
		Drivers: s.Drivers, Features: s.Features, ToolsBroken: s.ToolsBroken, PendingReboot: s.PendingReboot,
		InstallerStarts: s.InstallerStarts, InstallerRuns: s.InstallerRuns, Connections: g.log.connections(), Image: g.lab.vcenter.Image(g.name), Boots: s.Boots, Tags: g.tags(),
		Snapshots: g.lab.vcenter.Snapshots(g.name)}
	switch {
	case t.Power == Off:
		t.Engine = EngineOff
	case !g.agentless:
		t.Engine = EngineAgent
	case !g.member():
		t.Engine = EngineUnprotected
	case g.online():
		t.Engine = EngineOnline
	}
	return t
}
