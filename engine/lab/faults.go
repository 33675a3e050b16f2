package lab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/unix"
	"github.com/dsplay/dsplay/engine/lab/windows"
)

// FaultInfo describes a fault that Inject knows.
type FaultInfo struct {
	Name   string
	Target string // what it takes: "guest", "esxi", "any system" …; "" for none
	What   string // what is wrong then
	Remedy string // what heals it besides Clear; nothing else does
}

type fault struct {
	FaultInfo
	inject func(l *Lab, target string) error
}

var faults = []fault{
	{FaultInfo{"dsva-stuck", "an ESXi host or its appliance", "the anti-malware engine of the appliance hangs; its agent still talks to the DSM", "restart ds_agent on the appliance"},
		breakAgent(unix.DSVAStuck)},
	{FaultInfo{"agent-stopped", "an ESXi host or its appliance", "ds_agent of the appliance does not run", "start or restart ds_agent on the appliance"},
		breakAgent(unix.AgentStopped)},
	{FaultInfo{"agent-hangs", "an ESXi host or its appliance", "as dsva-stuck, and the next restart never returns and leaves the agent stopped", "restart ds_agent once more"},
		breakAgent(unix.AgentHangs)},
	{FaultInfo{"mux-stuck", "an ESXi host", "the Mux runs and passes nothing on", "restart the Mux on the ESXi host"},
		breakMux(unix.MuxStuck)},
	{FaultInfo{"mux-stopped", "an ESXi host", "the Mux does not run", "start or restart the Mux on the ESXi host"},
		breakMux(unix.MuxStopped)},
	{FaultInfo{"mux-hangs", "an ESXi host", "as mux-stuck, and the next restart never returns and leaves the Mux stopped", "restart the Mux once more"},
		breakMux(unix.MuxHangs)},
	{FaultInfo{"driver-stopped", "a guest", "vsepflt is stopped", "start vsepflt; a reboot or a repair of VMware Tools starts it, too"},
		breakGuest(windows.DriverStopped)},
	{FaultInfo{"tools-without-introspection", "a guest", "VMware Tools lack the feature FileIntrospection", "add FileIntrospection to VMware Tools"},
		breakGuest(windows.ToolsWithoutIntrospection)},
	{FaultInfo{"tools-broken", "a guest", "the feature is there and vsepflt runs, and it does not connect", "repair VMware Tools"},
		breakGuest(windows.ToolsBroken)},
	{FaultInfo{"tools-damaged", "a guest", "the driver's file is damaged: it fails to start with code 31", "repair VMware Tools"},
		breakGuest(windows.ToolsDamaged)},
	{FaultInfo{"disconnected", "a guest", "vsepflt runs and has lost its Mux (KB 320927)", "reboot the guest"},
		breakGuest(windows.Disconnected)},
	{FaultInfo{"driver-disabled", "a guest", "vsepflt is stopped and disabled", "enable vsepflt and start it"},
		breakGuest(windows.DriverDisabled)},
	{FaultInfo{"asleep", "a guest", "the guest is suspended; the DSM calls its engine offline", "resume it in the vCenter (power on)"},
		power(Suspended)},
	{FaultInfo{"standby", "a guest", "the guest sleeps in a machine that is powered on; the DSM calls its engine offline", "reset it in the vCenter; in reality, whoever uses it wakes it"},
		power(Standby)},
	{FaultInfo{"off", "a guest", "the guest is powered off", "power it on in the vCenter"},
		power(Off)},
	{FaultInfo{"lone-guest", "a guest or an ESXi host (its first guest)", "the other guests of the host are off, and vsepflt of this one is stopped: one machine cannot tell whether guest or host is ill", "start vsepflt of the guest"},
		(*Lab).leaveAlone},
	{FaultInfo{"dsm-stale", "", "the DSM learns nothing any more, and its communication times lie 26 hours back", "none: an administrator's work on the DSM"},
		func(l *Lab, _ string) error { l.setStale(true); return nil }},
	{FaultInfo{"everything-dark", "", "a central cause (policy, NSX Manager) keeps every engine offline", "none on a host or a guest: an administrator's work on the NSX Manager"},
		func(l *Lab, _ string) error { l.setDark(true); return nil }},
	{FaultInfo{"dsm-busy", "", "every third call of the DSM's REST API is answered 429", "none"},
		func(l *Lab, _ string) error { l.dsm.Busy(3); return nil }},
	{FaultInfo{"dsm-down", "", "nothing listens on the DSM's port", "none"},
		func(l *Lab, _ string) error { return l.dsmDoor.setManner(unreachable) }},
	{FaultInfo{"unreachable", "any system", "nothing listens on its port", "none"}, manners(unreachable)},
	{FaultInfo{"silent", "any system", "its port accepts connections and never answers", "none"}, manners(silent)},
	{FaultInfo{"wrong-host-key", "an ESXi host or an appliance", "it shows another SSH host key", "none"}, manners(wrongHostKey)},
	{FaultInfo{"wrong-password", "a guest", "WinRM refuses the password", "none"}, manners(wrongPassword)},
}

// Faults lists what Inject knows.
func Faults() []FaultInfo {
	list := make([]FaultInfo, len(faults))
	for i, f := range faults {
		list[i] = f.FaultInfo
	}
	return list
}

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

func faultNames() []string {
	names := make([]string, len(faults))
	for i, f := range faults {
		names[i] = f.Name
	}
	return names
}

// Clear makes everything healthy: machines that had a fault are replaced by new ones, whose counters begin again.
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
	l.dsm.Clear()
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
		target = h.guests[0].name
	}
	return l.onGuest(target, func(g *guest) error {
		for _, other := range g.host.guests {
			if other != g {
				other.setPower(Off)
			}
		}
		return g.machine().Break(windows.DriverStopped)
	})
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
