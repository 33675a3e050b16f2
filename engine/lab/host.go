package lab

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine/lab/sshd"
	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/unix"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
)

// host is an ESXi host with its appliance and its guests.
type host struct {
	shell
	n, id     int
	appliance *appliance
	agent     *agent

	mu     sync.Mutex
	unix   *unix.ESXi
	guests []*guest
}

// populate makes the machines of the estate, healthy, with nobody listening yet.
func (l *Lab) populate() error {
	o := l.opts
	for n := 1; n <= o.ESXi; n++ {
		h := newHost(l, n)
		l.hosts = append(l.hosts, h)
		l.names[h.name], l.names[h.appliance.name] = h, h.appliance
		l.machines[h.appliance.vm] = h.appliance
		for i := 1; i <= o.Guests; i++ {
			g := newGuest(l, h, 2*o.ESXi+len(l.guests)+1, i)
			h.guests, l.guests = append(h.guests, g), append(l.guests, g)
			l.names[g.name], l.machines[g.name] = g, g
		}
	}
	if last := len(l.guests) - 1; !o.Everyone && o.ESXi >= 2 && o.Guests >= 4 {
		l.guests[last].agentless = false
		l.guests[last-1].power, l.guests[last-1].usual = Off, Off
		l.guests[last-1].win.Down()
	}
	return nil
}

// residents are the guests that run on it now.
func (h *host) residents() []*guest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.guests)
}

func (h *host) take(g *guest) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.guests = append(h.guests, g)
}

func (h *host) leave(g *guest) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.guests = slices.DeleteFunc(h.guests, func(x *guest) bool { return x == g })
}

func newHost(l *Lab, n int) *host {
	h := &host{n: n, id: n}
	h.shell = shell{lab: l, name: fmt.Sprintf("esx%d", n), ip: l.ip(n, hostByte), user: hostUser, password: l.keys.hosts, interactive: true, exec: h.exec,
		logins: &logins{clock: l.clock}}
	h.agent = newAgent(h)
	h.unix = h.newMachine()
	a := &appliance{host: h, id: l.opts.ESXi + n, vm: fmt.Sprintf(l.opts.Appliance, n), power: On, beaten: make(chan struct{})}
	a.shell = shell{lab: l, name: fmt.Sprintf("dsva%d", n), ip: l.ip(n, applianceByte), user: applianceUser, password: l.keys.appliances, exec: a.exec}
	a.uuid = uuid.NewSHA1(uuid.NameSpaceDNS, []byte(l.opts.Site+a.name+".instance.lab")).String()
	a.bios = uuid.NewSHA1(uuid.NameSpaceDNS, []byte(l.opts.Site+a.name+".bios.lab")).String()
	a.unix, a.tools = a.newMachine(), a.newTools()
	h.appliance = a
	return h
}

func (h *host) openDoors() error {
	if err := h.open(); err != nil {
		return err
	}
	return h.appliance.open()
}

func (h *host) newMachine() *unix.ESXi {
	mux := unix.MuxNSXT
	if h.lab.opts.NSXV {
		mux = unix.MuxNSXV
	}
	return unix.NewESXi(unix.ESXiConfig{Name: h.name, Clock: h.lab.clock, Mux: mux, Changed: h.changed})
}

func (h *host) machine() *unix.ESXi {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unix
}

func (h *host) exec(ctx context.Context, s *sshd.Session, stdin io.Reader) (exit int, mutates bool) {
	ctx, w := touch.Watch(ctx)
	exit = h.machine().Exec(ctx, s.User, s.Line, stdin, s.Stdout, s.Stderr)
	return exit, w.Touched()
}

// protects tells whether host and appliance do their part for the engines of the guests.
func (h *host) protects() bool {
	mux, agent := h.machine().State(), h.appliance.machine().State()
	return mux.Up && mux.MuxRunning && !mux.MuxStuck && h.appliance.awake() && h.appliance.atHome() && agent.AgentRunning && !agent.AgentStuck && agent.Activated
}

// heal is Clear: machines that are ill are replaced.
func (h *host) heal() {
	h.agent.reset()
	h.agent.SetLockdown(types.HostLockdownModeLockdownDisabled)
	h.logins.reset()
	h.settle()
	h.appliance.setTrusted(true)
	if h.protects() {
		return
	}
	h.mu.Lock()
	h.unix = h.newMachine()
	h.mu.Unlock()
	a := h.appliance
	a.mu.Lock()
	moved := a.moved
	a.unix, a.power, a.moved = a.newMachine(), On, false
	a.mu.Unlock()
	a.settle()
	if moved {
		h.lab.vcenter.Move(a.vm, h.name)
	}
	h.lab.vcenter.Set(a.vm, vcenter.State{Power: vcenter.On, Tools: true})
}

func (h *host) truth() ESXiHost {
	s := h.machine().State()
	service := unix.MuxNSXT
	if h.lab.opts.NSXV {
		service = unix.MuxNSXV
	}
	t := ESXiHost{Name: h.name, Address: h.ip, MuxService: service, MuxRunning: s.MuxRunning, MuxHealthy: s.MuxRunning && !s.MuxStuck, MuxRestarts: s.MuxRestarts}
	if ssh, err := h.agent.find(sshService); err == nil {
		t.SSH, t.SSHPolicy = ssh.Running, ssh.Policy
	}
	t.Lockdown, t.RefusedLogins, t.RootLocked = h.logins.truth()
	return t
}
