package lab

import (
	"context"
	"time"

	"github.com/dsplay/dsplay/engine/lab/dsm"
)

// heartbeatEvery is the lab time between two heartbeats of an appliance: the default of the DSM.
const heartbeatEvery = 10 * time.Minute

// tolerated is how many missing heartbeats make the DSM call an appliance offline.
const tolerated = 2

// staleAge is how far back the times of a stale DSM lie.
const staleAge = 26 * time.Hour

// beat lets the appliance talk to the DSM until the lab ends.
func (a *appliance) beat() {
	for a.lab.clock.Wait(a.lab.ctx, heartbeatEvery) == nil {
		a.report()
	}
}

// report is one heartbeat: what the appliance sees of the guests of its host. An agent that does not run is silent;
// one whose engine is stuck still talks. Guests with an agent of their own report in the same round.
func (a *appliance) report() {
	a.telling.Lock()
	defer a.telling.Unlock()
	turn := a.takeTurn()
	defer close(turn)
	engines, talks := map[int]bool{}, a.talks()
	for _, g := range a.host.residents() {
		switch power := g.powerNow(); {
		case power == Off:
		case !g.agentless:
			engines[g.id] = power == On
		case talks:
			engines[g.id] = g.online()
		}
	}
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if talks {
		a.lab.dsm.Heartbeat(a.id, engines, now)
		a.beats, a.last, a.missed = a.beats+1, now, 0
	} else {
		a.lab.dsm.Heartbeat(0, engines, now)
		if a.missed++; a.missed >= tolerated {
			a.lab.dsm.Missed(a.id)
		}
	}
}

// takeTurn begins a heartbeat: who asks for the next one from now on does not mean this one, which may have looked already.
func (a *appliance) takeTurn() chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	turn := a.beaten
	a.beaten = make(chan struct{})
	return turn
}

// Heartbeat makes every appliance talk to the DSM now.
func (l *Lab) Heartbeat() {
	for _, h := range l.hosts {
		h.appliance.report()
	}
}

// WaitHeartbeat waits until every appliance has had a turn to talk to the DSM that began after the call.
func (l *Lab) WaitHeartbeat(ctx context.Context) error {
	var turns []<-chan struct{}
	for _, h := range l.hosts {
		turns = append(turns, h.appliance.nextBeat())
	}
	for _, turn := range turns {
		select {
		case <-turn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (a *appliance) nextBeat() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.beaten
}

// resync is the vCenter connector telling the DSM of every guest, as after a time in which it was deaf.
func (l *Lab) resync() {
	for _, g := range l.guests {
		l.dsm.SetPower(g.id, dsm.Power(g.powerNow()))
		l.dsm.SetMember(g.id, g.member())
	}
}
