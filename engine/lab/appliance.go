package lab

import (
	"context"
	"io"
	"sync"
	"time"

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

	mu     sync.Mutex
	unix   *unix.DSVA
	beats  int
	missed int // heartbeats in a row
	last   time.Time
	beaten chan struct{} // closed and replaced when its turn to talk to the DSM has come
}

func (a *appliance) newMachine() *unix.DSVA {
	return unix.NewDSVA(unix.DSVAConfig{Name: a.name, Clock: a.lab.clock, SudoPassword: a.password, Manager: dsmName, Heartbeat: a.soon})
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

// talks tells whether the agent sends heartbeats. One that is stuck does.
func (a *appliance) talks() bool {
	s := a.machine().State()
	return s.Up && s.AgentRunning && s.Activated
}

// contact is the lab time from dsa_control -m to the heartbeat: "in the next few seconds".
const contact = 3 * time.Second

// soon is dsa_control -m.
func (a *appliance) soon() (httpStatus int) {
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
	return DSVA{Name: a.name, Address: a.ip, ESXi: a.host.name, AgentRunning: s.AgentRunning, AgentHealthy: s.AgentRunning && !s.AgentStuck && s.Activated,
		AgentRestarts: s.AgentRestarts, Heartbeats: a.beats, LastHeartbeat: a.last}
}
