package appliance

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const (
	queryPath   = "/opt/ds_agent/dsa_query"
	controlPath = "/opt/ds_agent/dsa_control"
)

func query(what string) engine.Command {
	return engine.Command{Argv: []string{queryPath, "-c", what}, AnyOK: true}
}

// ask adds what the agent says of itself. An agent that does not answer is an answer, too.
func (s *Status) ask(ctx context.Context, host engine.Reader) error {
	status, err := host.Run(ctx, query("GetAgentStatus"))
	if err != nil {
		return err
	}
	parts, err := host.Run(ctx, query("GetComponentInfo"))
	if err != nil {
		return err
	}
	agent, component := read(status.Stdout), read(parts.Stdout)
	s.Answers = status.Code == 0 && parts.Code == 0 && len(agent) > 0 && len(component) > 0
	if !s.Answers {
		bad := status
		if status.Code == 0 && len(agent) > 0 {
			bad = parts
		}
		s.Message = fmt.Sprintf("dsa_query gets no answer (exit code %d): %s", bad.Code, cmp.Or(told(bad), "no text"))
	}
	s.AgentState, s.DSM = agent["AgentStatus.agentState"], agent["AgentStatus.dsmUrl"]
	if age := sinceContact(agent); age != nil {
		at := time.Now().Add(-*age).UTC().Format(time.RFC3339)
		s.LastContact = &at
	}
	s.Mode = component["Component.AM.mode"]
	s.DriverOffline = s.Mode == "driver-offline" || component["Component.AM.driverOffline"] == "true"
	s.Version, s.Engine = component["Component.CORE.version"], component["Component.AM.version.engine.ATSE"]
	return nil
}

// read takes "key: value" lines apart. Between them stand lines of an index, such as "AgentStatus.5: dsmUrl", whose keys end
// in a number.
func read(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n")+" ", ": ")
		if _, err := strconv.Atoi(key[strings.LastIndexByte(key, '.')+1:]); !ok || err == nil {
			continue
		}
		values[key] = strings.TrimSpace(value)
	}
	return values
}

// sinceContact is how long ago the last session with the DSM was, by the appliance's own clock, so that neither its zone nor
// its being wrong matters; nil: it does not say.
func sinceContact(agent map[string]string) *time.Duration {
	last, ok1 := clock(agent["AgentStatus.lastAgentToManagerSession"])
	now, ok2 := clock(agent["AgentStatus.currentTime"])
	if !ok1 || !ok2 || now.Before(last) {
		return nil
	}
	age := now.Sub(last)
	return &age
}

func clock(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
