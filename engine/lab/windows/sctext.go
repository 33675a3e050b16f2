package windows

import (
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine/lab/windows/cmdexe"
)

// text is the block that sc prints; the name stands there as it was asked for.
func (s *service) text(name string, extended bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\r\nSERVICE_NAME: %s \r\n", name)
	field := func(label, text string) { fmt.Fprintf(&b, "        %-19s: %s\r\n", label, text) }
	field("TYPE", fmt.Sprintf("%x  %s  ", s.kind, kindName(s.kind)))
	field("STATE", fmt.Sprintf("%d  %s ", s.state, s.state))
	fmt.Fprintf(&b, "                                (%s)\r\n", s.accepts())
	field("WIN32_EXIT_CODE", fmt.Sprintf("%d  (0x%x)", s.exit, s.exit))
	field("SERVICE_EXIT_CODE", "0  (0x0)")
	checkpoint, hint := 0, 0
	if s.state == startPending || s.state == stopPending {
		checkpoint, hint = 1, 0x7d0
	}
	field("CHECKPOINT", fmt.Sprintf("0x%x", checkpoint))
	field("WAIT_HINT", fmt.Sprintf("0x%x", hint))
	if extended {
		field("PID", fmt.Sprint(s.pid))
		field("FLAGS", "")
	}
	return b.String()
}

func kindName(kind int) string {
	return map[int]string{1: "KERNEL_DRIVER", 2: "FILE_SYSTEM_DRIVER", 0x10: "WIN32_OWN_PROCESS", 0x20: "WIN32_SHARE_PROCESS"}[kind]
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
	fmt.Fprintf(p.Stdout, "[SC] QueryServiceConfig %s\r\n\r\nSERVICE_NAME: %s\r\n", g.say("SUCCESS"), name)
	field := func(label, text string) { fmt.Fprintf(p.Stdout, "        %-19s: %s\r\n", label, text) }
	field("TYPE", fmt.Sprintf("%x  %s ", s.kind, kindName(s.kind)))
	field("START_TYPE", fmt.Sprintf("%d   %s", s.start, startNames[s.start]))
	field("ERROR_CONTROL", "1   NORMAL")
	field("BINARY_PATH_NAME", s.image)
	field("LOAD_ORDER_GROUP", s.group)
	field("TAG", "0")
	field("DISPLAY_NAME", s.display)
	field("DEPENDENCIES", map[bool]string{true: "FltMgr"}[s.name == "vsepflt"])
	account := "LocalSystem"
	if s.driver() {
		account = ""
	}
	field("SERVICE_START_NAME", account)
	return 0
}
