package lab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/unix"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/lab/windows"
)

// Inject brings a fault about, on top of those that are there. target is the inventory name of a system, "" where the
// fault takes none. The DSM hears of it with the next heartbeat.
func (l *Lab) Inject(name, target string) error {
	i := slices.IndexFunc(faults, func(f fault) bool { return f.Name == name })
	switch {
	case i < 0:
		return fmt.Errorf("there is no fault %q; known are %s", name, strings.Join(faultNames(), ", "))
	case faults[i].Target == "" && target != "":
		return fmt.Errorf("%s concerns the whole estate and takes no target", name)
	case faults[i].Target != "" && target == "":
		return fmt.Errorf("%s needs a target: %s", name, faults[i].Target)
	}
	if err := faults[i].inject(l, target); err != nil {
		return fmt.Errorf("inject %s: %w", name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, Fault{name, target})
	return nil
}

// Clear makes everything healthy: machines that had a fault are replaced by new ones, whose counters begin again, and
// snapshots are gone.
// Then every appliance talks to the DSM.
func (l *Lab) Clear() error {
	l.mu.Lock()
	cleared := l.faults
	l.faults = nil
	l.mu.Unlock()
	for _, d := range l.doors() {
		if err := d.setManner(normal); err != nil {
			return err
		}
	}
	l.setStale(false)
	l.setDark(false)
	l.vcenter.ReadOnly(false)
	l.vcenter.DropSnapshots()
	l.updates.heal()
	l.dsm.Clear()
	if l.nsx != nil {
		l.nsx.Clear()
	}
	for _, h := range l.hosts {
		h.heal()
	}
	for _, g := range l.guests {
		g.heal(slices.ContainsFunc(cleared, func(f Fault) bool { return f.Target == g.name }))
	}
	l.resync()
	l.Heartbeat()
	return nil
}

func breakAgent(fault string) func(l *Lab, target string) error {
	return func(l *Lab, target string) error {
		return l.onHost(target, func(h *host) error { return h.appliance.machine().Break(fault) })
	}
}

func breakMux(fault string) func(l *Lab, target string) error {
	return func(l *Lab, target string) error {
		return l.onHost(target, func(h *host) error { return h.machine().Break(fault) })
	}
}

func breakGuest(fault string) func(l *Lab, target string) error {
	return func(l *Lab, target string) error {
		return l.onGuest(target, func(g *guest) error { return g.machine().Break(fault) })
	}
}

func power(p Power) func(l *Lab, target string) error {
	return func(l *Lab, target string) error {
		return l.onGuest(target, func(g *guest) error { g.setPower(p); return nil })
	}
}

func manners(m manner) func(l *Lab, target string) error {
	return func(l *Lab, target string) error {
		d, err := l.doorOf(target, m)
		if err != nil {
			return err
		}
		return d.setManner(m)
	}
}

// doorOf finds the door of a system, if that system can be met in this manner.
func (l *Lab) doorOf(target string, m manner) (*door, error) {
	var d *door
	fits := m == unreachable || m == silent
	switch s := l.names[target].(type) {
	case *host:
		d, fits = s.door, fits || m == wrongHostKey
	case *appliance:
		d, fits = s.door, fits || m == wrongHostKey
	case *guest:
		d, fits = s.door, fits || m == wrongPassword
	}
	switch target {
	case vcenterName:
		d = l.vcDoor
	case dsmName:
		d = l.dsmDoor
	case nsxName:
		d = l.nsxDoor
	}
	switch {
	case d == nil:
		return nil, fmt.Errorf("there is no system %q in this lab", target)
	case !fits:
		return nil, fmt.Errorf("%s has no such thing", target)
	}
	return d, nil
}

func (l *Lab) onGuest(target string, f func(*guest) error) error {
	g, ok := l.names[target].(*guest)
	if !ok {
		return fmt.Errorf("there is no guest %q in this lab; the first one is %s", target, l.guests[0].name)
	}
	return f(g)
}

// onHost takes the name of an ESXi host or of its appliance.
func (l *Lab) onHost(target string, f func(*host) error) error {
	switch s := l.names[target].(type) {
	case *host:
		return f(s)
	case *appliance:
		return f(s.host)
	}
	return fmt.Errorf("there is no ESXi host %q in this lab; the first one is %s", target, l.hosts[0].name)
}

// leaveAlone is lone-guest.
func (l *Lab) leaveAlone(target string) error {
	if h, ok := l.names[target].(*host); ok {
		if guests := h.residents(); len(guests) > 0 {
			target = guests[0].name
		}
	}
	return l.onGuest(target, func(g *guest) error {
		for _, other := range g.where().residents() {
			if other != g {
				other.setPower(Off)
			}
		}
		return g.machine().Break(windows.DriverStopped)
	})
}

// unprepare is mux-missing.
func (l *Lab) unprepare(target string) error {
	return l.onHost(target, func(h *host) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.unix = unix.NewESXi(unix.ESXiConfig{Name: h.name, Clock: l.clock, Mux: unix.MuxNone})
		return nil
	})
}

// switchOff is appliance-off.
func (l *Lab) switchOff(target string) error {
	return l.onHost(target, func(h *host) error {
		h.appliance.setPower(Off)
		l.vcenter.Set(h.appliance.vm, vcenter.State{Power: vcenter.Off})
		return nil
	})
}

// moveAppliance is appliance-moved: to the next host, from the last one to the first.
func (l *Lab) moveAppliance(target string) error {
	return l.onHost(target, func(h *host) error {
		h.appliance.setMoved(true)
		l.vcenter.Move(h.appliance.vm, l.hosts[h.n%len(l.hosts)].name) // n counts from 1
		return nil
	})
}

// moveOn is moved: to the next host, from the last one to the first.
func (l *Lab) moveOn(target string) error {
	return l.onGuest(target, func(g *guest) error {
		g.move(l.hosts[g.where().n%len(l.hosts)]) // n counts from 1
		return nil
	})
}

// Heal makes one guest, or one ESXi host with its appliance, healthy, as somebody else who repairs it would: what it is
// that was ill is replaced. A guest is healed of what is in itself only. proxy1 then lets updates through as they are, wants
// no login and knows every name; relay1 is of a current build and has the login of the proxy.
func (l *Lab) Heal(target string) error {
	switch s := l.names[target].(type) {
	case *guest:
		s.heal(false)
	case *host:
		s.heal()
	case *appliance:
		s.host.heal()
	default:
		if !l.updates.mend(target, l.keys.proxy) {
			return fmt.Errorf("there is no guest and no ESXi host %q in this lab; %s and %s can be healed, too", target, proxyName, relayName)
		}
	}
	return nil
}

func (l *Lab) setStale(on bool) {
	l.mu.Lock()
	l.stale = on
	l.mu.Unlock()
	if on {
		l.dsm.Freeze(staleAge)
	}
}

func (l *Lab) setDark(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dark = on
}

func (l *Lab) centralCause() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dark
}
