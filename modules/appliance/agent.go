// Package appliance knows the agent of a Deep Security appliance (DSVA) as its own shell shows it: the service ds_agent, what
// dsa_query says of it, and dsa_control -m.
//
// Options, keys and texts are those of Trend Micro's help and of scripts that work with them; see each. What would destroy
// the activation of an appliance (dsa_control -r) is not here, whatever the arguments.
package appliance

import (
	"context"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/services"
)

const agentName = "ds_agent"

// Agent looks at the agent of an appliance, starts or restarts it, or makes it contact its DSM.
func Agent() engine.Module {
	return engine.Module{
		Name: "ds_agent",
		Doc: `Looks at ds_agent of a Deep Security appliance, starts or restarts it, or makes it contact its DSM now.
The host that does it (on) is the appliance, over SSH, with sudo: /opt/ds_agent is root's. It is the service ds_agent, and dsa_query of it.
What dsa_query says is about the appliance's own agent, not about a guest: an appliance may call itself well while it protects nobody. Whether a guest is protected only the DSM says (ds_computer).
state = "restarted" is proven by a process that is younger than the step. heartbeat = true runs dsa_control -m, which ends with 0 even when the DSM refuses it: its text counts. With both, the agent is restarted, and asked for a heartbeat once it answers, so that the DSM need not wait up to ten minutes to hear of it.
A DSM that answers 403 (untrusted peer) does not accept the appliance's certificate: a restart does not help, an activation in the DSM does. This module never resets an agent (dsa_control -r).`,
		New:     func() any { return &Args{} },
		Result:  Status{},
		Targets: []string{string(engine.POSIX)},
	}
}

// Args are the arguments.
type Args struct {
	State     string `hcl:"state,optional" executed:"true" oneof:"started restarted" doc:"What a step makes of the agent. A probe takes none."`
	Heartbeat bool   `hcl:"heartbeat,optional" executed:"true" doc:"Whether a step makes it contact its DSM now (dsa_control -m), after a restart if there is one."`

	service  *services.Service // of the last Check
	accepted bool              // this instance has read that the DSM accepted the heartbeat
}

// Status is what the appliance says of its agent.
type Status struct {
	Exists        bool    `hcl:"exists" doc:"Whether the host has a service ds_agent."`
	Running       bool    `hcl:"running" doc:"Whether it runs."`
	State         string  `hcl:"state" doc:"The system's own word for that; \"missing\" when it does not exist."`
	PID           *int    `hcl:"pid" doc:"Its process id; null when it does not run, or the host does not tell."`
	Started       *string `hcl:"started" doc:"Since when its process runs, RFC 3339, in the time of this machine; null when it does not run, or the host does not tell."`
	Answers       bool    `hcl:"answers" doc:"Whether dsa_query gets an answer from it."`
	AgentState    string  `hcl:"agent_state" doc:"Its own verdict (AgentStatus.agentState): green …; empty when it does not say."`
	DSM           string  `hcl:"dsm" doc:"URL of its DSM; empty when it has none: it is not activated."`
	LastContact   *string `hcl:"last_contact" doc:"When it last had a session with its DSM, RFC 3339, in the time of this machine; null when it does not say."`
	Mode          string  `hcl:"mode" doc:"Component.AM.mode: on, off or driver-offline; empty when it does not say."`
	DriverOffline bool    `hcl:"driver_offline" doc:"Whether it says that the driver of its anti-malware is offline (by the mode, or by AM.driverOffline)."`
	Version       string  `hcl:"version" doc:"Version of the agent (Component.CORE.version); empty when it does not say."`
	Engine        string  `hcl:"engine_version" doc:"Version of its scan engine; empty when it does not say."`
	Healthy       bool    `hcl:"healthy" doc:"Whether it runs, answers, has a DSM, and its driver is not offline. Necessary for its guests, not sufficient."`
	Message       string  `hcl:"message" doc:"Why it is not healthy; empty otherwise."`
}

// Effects are those of a restart.
func (a *Args) Effects() []engine.Effect {
	if a.State == "restarted" {
		return []engine.Effect{engine.EffectRestart}
	}
	return nil
}

// Probe tells how the agent is.
func (a *Args) Probe(ctx context.Context, host engine.Reader) (any, error) { return look(ctx, host) }

func look(ctx context.Context, host engine.Reader) (Status, error) {
	found, err := (&services.Service{Name: agentName}).Probe(ctx, host)
	if err != nil {
		return Status{}, err
	}
	st := found.(services.Status)
	s := Status{Exists: st.Exists, Running: st.Running, State: st.State, PID: st.PID, Started: st.Started}
	if st.Running {
		if err := s.ask(ctx, host); err != nil {
			return Status{}, err
		}
	}
	s.judge()
	return s, nil
}

// judge says why it is not healthy. A message that is there already is what dsa_query said instead of an answer.
func (s *Status) judge() {
	switch {
	case !s.Exists:
		s.Message = "the host has no service ds_agent: is it an appliance?"
	case !s.Running:
		s.Message = "ds_agent is " + s.State
	case s.Message != "":
	case s.DSM == "":
		s.Message = "it knows no DSM: it is not activated"
	case s.DriverOffline:
		s.Message = "its anti-malware driver is offline"
	}
	s.Healthy = s.Message == ""
}

// told is what dsa_query said instead of an answer, on one line.
func told(out engine.Output) string {
	return strings.Join(strings.Fields(out.Stdout+" "+out.Stderr), " ")
}
