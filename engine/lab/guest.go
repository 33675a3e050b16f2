package lab

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/dsplay/dsplay/engine/lab/dsm"
	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/lab/windows"
	"github.com/dsplay/dsplay/engine/lab/wsman"
)

// bootTakes is the lab time from power on until Windows answers.
const bootTakes = 90 * time.Second

// guest is a virtual machine with Windows. What happens inside of it is windows.Guest's; power and network are here.
type guest struct {
	lab        *Lab
	host       *host
	id         int // of the DSM's computer
	name, ip   string
	uuid, bios string
	agentless  bool
	door       *door

	mu      sync.Mutex
	win     *windows.Guest
	power   Power
	usual   Power         // what Clear goes back to
	booting int           // counts power changes, so that a boot that was cut off does not come up
	outages int           // losses of the network that are under way
	shown   vcenter.State // what the vCenter was told last
	syncing bool          // settle runs, or is about to
	again   bool          // something changed since it began
}

func newGuest(l *Lab, h *host, id, n int) *guest {
	g := &guest{lab: l, host: h, id: id, name: fmt.Sprintf("guest%d-%d", h.n, n), ip: l.ip(h.n, firstGuest+n), power: On, usual: On, agentless: true}
	g.uuid = uuid.NewSHA1(uuid.NameSpaceDNS, []byte(g.name+".instance.lab")).String()
	g.bios = uuid.NewSHA1(uuid.NameSpaceDNS, []byte(g.name+".bios.lab")).String()
	g.win = g.newMachine()
	return g
}

func (g *guest) newMachine() *windows.Guest {
	return windows.New(windows.Config{Name: g.name, Clock: g.lab.clock, Japanese: g.lab.opts.Japanese, BootTakes: bootTakes,
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

// online is the rule of the estate: whether the engine protects this guest now.
func (g *guest) online() bool {
	return g.agentless && g.powerNow() == On && g.machine().State().Connected && g.host.protects() && !g.lab.centralCause()
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
		win.Up()
	}
}

// reboot is RebootGuest.
func (g *guest) reboot() {
	g.lab.background(func() { _ = g.machine().Reboot(g.lab.ctx) })
}

// heal is Clear. A machine that is ill, or was made ill, is replaced by a fresh one.
func (g *guest) heal(was bool) {
	s := g.machine().State()
	g.mu.Lock()
	usual := g.usual
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
	old.Down()
	g.changed()
}

// networkLoss is the guest's adapter going away. It may be called by a command that runs over this very network.
func (g *guest) networkLoss(d time.Duration) {
	if d < 0 {
		g.changed() // windows.State says it from now on
		return
	}
	g.outage(1)
	g.lab.background(func() {
		if g.lab.clock.Wait(g.lab.ctx, d) == nil {
			g.outage(-1)
		}
	})
}

func (g *guest) outage(n int) {
	g.mu.Lock()
	g.outages = max(0, g.outages+n)
	g.mu.Unlock()
	g.changed()
}

// changed brings the network and the vCenter's view in line with the machine, soon and in the background: it is called
// by commands that run, and cutting their network waits for them.
func (g *guest) changed() {
	g.mu.Lock()
	begin := g.door != nil && !g.syncing // without a door the lab is still being built
	if g.door != nil {
		g.syncing, g.again = true, true
	}
	g.mu.Unlock()
	if begin {
		g.lab.background(g.settle)
	}
}

func (g *guest) settle() {
	for {
		g.mu.Lock()
		if !g.again {
			g.syncing = false
			g.mu.Unlock()
			return
		}
		g.again = false
		win, power, outages := g.win, g.power, g.outages
		g.mu.Unlock()
		s := win.State()
		_ = g.door.setCut(power != On || !s.Up || outages > 0 || s.NetworkLost) // a port that was stolen stays shut
		g.show(vcenter.State{Power: vcenter.Power(power), Tools: s.Up && s.ToolsInstalled, Boot: s.BootTime})
	}
}

// show tells the vCenter what is news. Only settle calls it, so nothing overtakes.
func (g *guest) show(s vcenter.State) {
	g.mu.Lock()
	news := g.shown != s
	g.shown = s
	g.mu.Unlock()
	if news {
		g.lab.vcenter.Set(g.name, s)
	}
}

// listen is the guest's WinRM.
func (g *guest) listen(certificate tls.Certificate) func(addr string, m manner) (listening, error) {
	return func(addr string, m manner) (listening, error) {
		password := g.lab.keys.guests
		if m == wrongPassword {
			password = rand.Text()
		}
		o := wsman.Options{Addr: addr, Users: map[string]string{guestUser: password}, NTLM: true, Basic: true, Handle: g.handle}
		if !g.lab.opts.PlainWS {
			o.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		}
		return wsman.Listen(o)
	}
}

func (g *guest) handle(ctx context.Context, s *wsman.Session) uint32 {
	var exit uint32
	g.lab.record("winrm", g.name, s.User, s.Line, s.Stdin, func(in io.Reader) bool {
		ctx, w := touch.Watch(ctx)
		exit = g.machine().Exec(ctx, s.User, s.Line, in, s.Stdout, s.Stderr)
		return w.Touched()
	})
	return exit
}

func (g *guest) truth() Guest {
	s := g.machine().State()
	t := Guest{Name: g.name, Address: g.ip, ESXi: g.host.name, UUID: g.uuid, BIOSUUID: g.bios, Engine: EngineOffline, Power: g.powerNow(), Up: s.Up,
		Drivers: s.Drivers, Features: s.Features, ToolsBroken: s.ToolsBroken, PendingReboot: s.PendingReboot,
		InstallerRuns: s.InstallerRuns, Boots: s.Boots}
	switch {
	case t.Power == Off:
		t.Engine = EngineOff
	case !g.agentless:
		t.Engine = EngineAgent
	case g.online():
		t.Engine = EngineOnline
	}
	return t
}
