package lab

import (
	"time"

	"github.com/dsplay/dsplay/engine/lab/dsm"
)

// policyTakes is the lab time between the start of the sending of a policy and its arrival.
const policyTakes = 30 * time.Second

// policyArrives is the DSM sending a guest its policy, which takes its time.
func (l *Lab) policyArrives(id int) {
	if l.clock.Wait(l.ctx, policyTakes) != nil {
		return
	}
	for _, g := range l.guests {
		if g.id == id {
			g.mu.Lock()
			g.noPolicy = false
			g.mu.Unlock()
		}
	}
}

// losePolicy is policy-missing.
func (l *Lab) losePolicy(target string) error {
	return l.onGuest(target, func(g *guest) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.noPolicy = true
		return nil
	})
}

func (g *guest) hasPolicy() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.noPolicy
}

// moveWhenTouched is moves-meanwhile.
func (l *Lab) moveWhenTouched(target string) error {
	return l.onGuest(target, func(g *guest) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.moves = true
		return nil
	})
}

// moveOff moves the guests that wait for that: something was changed on a system, which is theirs, their host or its appliance.
func (l *Lab) moveOff(system string) {
	for _, g := range l.guests {
		h := g.where()
		if system != g.name && system != h.name && system != h.appliance.name {
			continue
		}
		g.mu.Lock()
		due := g.moves
		g.moves = false
		g.mu.Unlock()
		if due {
			g.move(l.hosts[h.n%len(l.hosts)])
		}
	}
}

// distrust is dsva-untrusted.
func (l *Lab) distrust(target string) error {
	return l.onHost(target, func(h *host) error { h.appliance.setTrusted(false); return nil })
}

func (a *appliance) setTrusted(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.untrusted = !yes
}

func (a *appliance) trusted() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.untrusted
}

func dsmManner(change func(m *dsm.Manners)) func(l *Lab, _ string) error {
	return func(l *Lab, _ string) error { l.dsm.Behave(change); return nil }
}

func (l *Lab) dsmTruth(stale, central bool) DSM {
	logins := l.dsm.Logins()
	t := DSM{Stale: stale, Central: central, WrongPasswords: logins.WrongPasswords, WrongKeys: logins.WrongKeys, Locked: logins.Locked, Sessions: logins.Open,
		ErrorsShown: []string{}}
	for _, g := range l.guests {
		if l.dsm.Erred(g.id) {
			t.ErrorsShown = append(t.ErrorsShown, g.name)
		}
	}
	return t
}
