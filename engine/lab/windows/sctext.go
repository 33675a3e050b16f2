package windows

import (
	"io"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
	"github.com/dsplay/dsplay/engine/lab/windows/sctext"
)

// text is the block that sc prints; the name stands there as it was asked for.
func (s *service) text(name string, extended bool) string {
	return sctext.Query(name, sctext.Status{Kind: s.kind, State: int(s.state), Accepts: s.accepts(), Exit: s.exit, PID: s.pid}, extended)
}

// accepts are the flags under the state.
func (s *service) accepts() string {
	last := "IGNORES_SHUTDOWN"
	if !s.driver() && s.state == running {
		last = "ACCEPTS_SHUTDOWN"
	}
	stoppable := "STOPPABLE"
	if s.state != running || s.pinned {
		stoppable = "NOT_STOPPABLE"
	}
	return stoppable + ", NOT_PAUSABLE, " + last
}

func (g *Guest) scConfigured(p *cmdexe.Process, name string) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.find(name)
	if s == nil {
		return g.scFailed(p, "OpenService", errNoService)
	}
	account := "LocalSystem"
	if s.driver() {
		account = ""
	}
	_, _ = io.WriteString(p.Stdout, sctext.Configured(name, g.say("SUCCESS"), sctext.Config{
		Kind: s.kind, Start: s.start, Image: s.image, Group: s.group, Display: s.display,
		Depends: map[bool]string{true: "FltMgr"}[s.name == "vsepflt"], Account: account,
	}))
	return 0
}
