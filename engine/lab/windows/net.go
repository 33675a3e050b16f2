package windows

import (
	"context"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/touch"
	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// net is "net start NAME" and "net stop NAME"; it takes display names too.
func (g *Guest) net(ctx context.Context, p *cmdexe.Process) uint32 {
	verb, name := strings.ToLower(at(p.Argv, 0)), at(p.Argv, 1)
	if verb != "start" && verb != "stop" || name == "" {
		return g.fail(p, 1, "net %s is not simulated", verb)
	}
	touch.Mark(ctx)
	g.mu.Lock()
	s := g.find(name)
	for _, other := range g.services {
		if s == nil && strings.EqualFold(other.display, name) {
			s = other
		}
	}
	g.mu.Unlock()
	switch {
	case s == nil:
		return g.netFailed(p, 2185, "The service name is invalid.")
	case !g.administrator(p.User):
		return g.systemError(p, errDenied)
	case verb == "stop":
		return g.netStop(ctx, p, s)
	}
	return g.netStart(ctx, p, s)
}

func (g *Guest) netStart(ctx context.Context, p *cmdexe.Process, s *service) uint32 {
	switch code := g.startService(ctx, s.name); code {
	case 0:
	case errAlreadyRunning:
		return g.netFailed(p, 2182, "The requested service has already been started.")
	default:
		return g.systemError(p, code)
	}
	line(p, g.say("The %s service is starting."), s.display)
	if !g.settled(ctx, s, startPending) {
		return 2
	}
	return line(p, g.say("The %s service was started successfully.")+"\r\n", s.display)
}

func (g *Guest) netStop(ctx context.Context, p *cmdexe.Process, s *service) uint32 {
	switch code := g.stopService(ctx, s.name); code {
	case 0:
	case errNotStarted:
		return g.netFailed(p, 3521, "The %s service is not started.", s.display)
	default:
		return g.systemError(p, code)
	}
	line(p, g.say("The %s service is stopping."), s.display)
	if !g.settled(ctx, s, stopPending) {
		return 2
	}
	return line(p, g.say("The %s service was stopped successfully.")+"\r\n", s.display)
}

// settled waits until a service has left a pending state.
func (g *Guest) settled(ctx context.Context, s *service, pending state) bool {
	for {
		g.mu.Lock()
		now := s.state
		g.mu.Unlock()
		if now != pending {
			return true
		}
		if g.cfg.Clock.Wait(ctx, s.takes/8) != nil {
			return false
		}
	}
}

func (g *Guest) systemError(p *cmdexe.Process, code uint32) uint32 {
	g.fail(p, 2, "System error %d has occurred.\r\n", code)
	return g.fail(p, 2, "%s\r\n", g.message(code))
}

func (g *Guest) netFailed(p *cmdexe.Process, help int, english string, args ...any) uint32 {
	g.fail(p, 2, english, args...)
	g.fail(p, 2, "")
	g.fail(p, 2, "More help is available by typing NET HELPMSG %d.", help)
	return g.fail(p, 2, "")
}
