package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine/lab/unix"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
)

const sshService = "TSM-SSH"

// agentPatience is the lab time after which the management agent gives up on a service that does not come back, and
// leastPatience the real one, however fast the clock of the lab is: starting takes the machine of the lab some time, too.
const (
	agentPatience = time.Minute
	leastPatience = time.Second
)

// agent is the management agent of an ESXi host: what the vCenter reaches there. SSH really listens or not; the Mux, where
// the list of services has it, is that of the machine; the other services only have a state.
type agent struct {
	host *host

	mu       sync.Mutex
	services []vcenter.Service
}

// usualServices are a part of what an ESXi 7 lists. SSH runs, which is not its default, because the inventory says so.
func usualServices() []vcenter.Service {
	return []vcenter.Service{
		{Key: "DCUI", Label: "Direct Console UI", Policy: "on", Running: true},
		{Key: "TSM", Label: "ESXi Shell", Policy: "off"},
		{Key: sshService, Label: "SSH", Policy: "on", Running: true, Ruleset: []string{"sshServer"}},
		{Key: "lwsmd", Label: "Active Directory Service", Policy: "off"},
		{Key: "ntpd", Label: "NTP Daemon", Policy: "on", Running: true, Ruleset: []string{"ntpClient"}},
		{Key: "snmpd", Label: "SNMP Server", Policy: "on", Ruleset: []string{"snmp"}},
		{Key: "vpxa", Label: "VMware vCenter Agent", Policy: "on", Running: true, Ruleset: []string{"vpxHeartbeats"}},
	}
}

func newAgent(h *host) *agent {
	a := &agent{host: h}
	a.reset()
	return a
}

// reset makes the services what they were in the beginning.
func (a *agent) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.services = usualServices()
	if o := a.host.lab.opts; o.MuxListed {
		key := unix.MuxNSXT
		if o.NSXV {
			key = unix.MuxNSXV
		}
		a.services = append(a.services, vcenter.Service{Key: key, Label: key, Policy: "on"})
	}
}

func (a *agent) isMux(key string) bool { return key == unix.MuxNSXT || key == unix.MuxNSXV }

// Services are the list as it is now.
func (a *agent) Services() []vcenter.Service {
	a.mu.Lock()
	list := slices.Clone(a.services)
	a.mu.Unlock()
	for i := range list {
		if a.isMux(list[i].Key) {
			list[i].Running = a.host.machine().State().MuxRunning
		}
	}
	return list
}

func (a *agent) find(key string) (vcenter.Service, error) {
	list := a.Services()
	if i := slices.IndexFunc(list, func(s vcenter.Service) bool { return s.Key == key }); i >= 0 {
		return list[i], nil
	}
	return vcenter.Service{}, fmt.Errorf("%w: %s", vcenter.ErrNoService, key)
}

func (a *agent) change(key string, f func(s *vcenter.Service)) {
	a.mu.Lock()
	for i := range a.services {
		if a.services[i].Key == key {
			f(&a.services[i])
		}
	}
	a.mu.Unlock()
	a.host.settle()
}

// Start starts what does not run.
func (a *agent) Start(key string) error { return a.turn(key, true) }

// Stop stops what runs. With SSH its connections end; those of a real host may live on.
func (a *agent) Stop(key string) error { return a.turn(key, false) }

func (a *agent) turn(key string, on bool) error {
	s, err := a.find(key)
	switch {
	case err != nil:
		return err
	case s.Running == on:
		return fmt.Errorf("%w: %s", vcenter.ErrState, key)
	case a.isMux(key):
		verb := "stop"
		if on {
			verb = "start"
		}
		return a.mux(verb)
	}
	a.change(key, func(s *vcenter.Service) { s.Running = on })
	return nil
}

// Restart stops and starts a service; one that does not run is started.
func (a *agent) Restart(key string) error {
	s, err := a.find(key)
	switch {
	case err != nil:
		return err
	case a.isMux(key):
		return a.mux("restart")
	case s.Running:
		a.change(key, func(s *vcenter.Service) { s.Running = false })
	}
	a.change(key, func(s *vcenter.Service) { s.Running = true })
	return nil
}

func (a *agent) mux(verb string) error {
	ctx, cancel := context.WithTimeout(a.host.lab.ctx, max(leastPatience, a.host.lab.clock.Real(agentPatience)))
	defer cancel()
	if err := a.host.machine().Control(ctx, verb); err != nil {
		return errors.New("the service did not come back in time")
	}
	return nil
}

// SetPolicy says when a service starts.
func (a *agent) SetPolicy(key, policy string) error {
	if _, err := a.find(key); err != nil {
		return err
	}
	a.change(key, func(s *vcenter.Service) { s.Policy = policy })
	return nil
}

// Exceptions are none: in lockdown mode root has no way in but the console.
func (a *agent) Exceptions() []string { return nil }

// SetLockdown turns lockdown mode on and off.
func (a *agent) SetLockdown(mode types.HostLockdownMode) {
	a.host.logins.lock(mode != types.HostLockdownModeLockdownDisabled)
	a.host.lab.vcenter.SetLockdown(a.host.name, mode)
}

// settle brings the network in line with the service SSH.
func (h *host) settle() {
	if s, err := h.agent.find(sshService); err == nil && h.door != nil {
		_ = h.door.setCut(!s.Running) // a port that was stolen stays shut
	}
}

// breakSSH is ssh-off.
func breakSSH(l *Lab, target string) error {
	return l.onESXi(target, func(h *host) error {
		h.agent.change(sshService, func(s *vcenter.Service) { s.Running, s.Policy = false, "off" })
		return nil
	})
}

func breakLockdown(l *Lab, target string) error {
	return l.onESXi(target, func(h *host) error { h.agent.SetLockdown(types.HostLockdownModeLockdownNormal); return nil })
}

func (l *Lab) onESXi(target string, f func(*host) error) error {
	h, ok := l.names[target].(*host)
	if !ok {
		return fmt.Errorf("there is no ESXi host %q in this lab; the first one is %s", target, l.hosts[0].name)
	}
	return f(h)
}
