// Package services knows services: of systemd, of SysV init scripts, of ESXi and of Windows, drivers included: how each
// system is asked, what starts and stops them there, and how a restart is proven.
package services

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Service is a service of a host, and what is to become of it: the arguments of the module of that name.
type Service struct {
	Name    string `hcl:"name" executed:"true" doc:"Name of the service, as the system itself names it (Windows: the key name, not the display name)."`
	State   string `hcl:"state,optional" executed:"true" oneof:"started stopped restarted" doc:"What a step makes of it. A probe takes none."`
	Enabled *bool  `hcl:"enabled,optional" executed:"true" doc:"Whether it starts with the host. Windows: false means on demand; the start type of a driver is never changed. Not on ESXi."`

	manager manager
	verbs   []string // what the last Check found necessary, in order
}

// Status is what is known of a service.
type Status struct {
	Exists  bool    `hcl:"exists" doc:"Whether the host has a service of this name."`
	Running bool    `hcl:"running" doc:"Whether it runs. Necessary for health, not sufficient: vsepflt may run and have lost its connection."`
	Enabled *bool   `hcl:"enabled" doc:"Whether it starts with the host; null where the host does not say."`
	State   string  `hcl:"state" doc:"The system's own word: active, running, RUNNING …; \"missing\" when it does not exist, \"unknown\" when the host says nothing that can be understood."`
	PID     *int    `hcl:"pid" doc:"Process id of the running service; null for drivers and where the host does not tell."`
	Started *string `hcl:"started" doc:"Since when its process runs, RFC 3339 in the controller's time, to the second; null where the host does not tell."`

	stopped bool // neither running nor on its way up or down
	driver  bool // of Windows: it has no process
}

// manager is one kind of system that has services, and the service that it is asked about.
type manager interface {
	// look tells Exists, Running and State, with as few round trips as the system allows.
	look(ctx context.Context, host engine.Reader) (Status, error)
	// detail adds Enabled and PID.
	detail(ctx context.Context, host engine.Reader, st Status) (Status, error)
	// age is how long the running instance of st has been running, by the host's own clock; nil: it cannot tell.
	age(ctx context.Context, host engine.Reader, st Status) (*time.Duration, error)
	// commands are what do executes for a verb: start, stop, restart, enable or disable.
	commands(verb string, st Status) ([]engine.Command, error)
	do(ctx context.Context, host engine.Machine, verb string) error
	// prove shows that a restart happened after since, for systems where age cannot.
	prove(ctx context.Context, host engine.Reader, st Status, since time.Time) error
	words() (running, stopped string)
	list() string // the command with which a person finds out how it is really called
}

// Validate refuses names that no system allows, or that could be more than a name.
func (s *Service) Validate() error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune("/\\\"'*?[]%^&|<>!`;\n", r) }
	if s.Name == "" || s.Name[0] == '-' || s.Name[0] == '.' || strings.ContainsFunc(s.Name, bad) {
		return engine.BadArg{Arg: "name", Problem: fmt.Sprintf("%q is not the name of a service", s.Name)}
	}
	return nil
}

// Effects are those of a restart or a stop; stopping or disabling what protects a host weakens it.
func (s *Service) Effects() []engine.Effect {
	var effects []engine.Effect
	switch s.State {
	case "restarted":
		effects = append(effects, engine.EffectRestart)
	case "stopped":
		effects = append(effects, engine.EffectStop)
	}
	if protects[strings.ToLower(strings.TrimSuffix(s.Name, ".service"))] && (s.State == "stopped" || s.Enabled != nil && !*s.Enabled) {
		effects = append(effects, engine.EffectWeakens)
	}
	return effects
}

// protects are services that stand between a host and an attack. Other names are not judged.
var protects = map[string]bool{
	"ds_agent": true, "ds_am": true, "ds_filter": true, "vsepflt": true, "vsepd": true, "vnetflt": true, "vnetwfp": true,
	"vshield-endpoint-mux": true, "nsx-context-mux": true, "nsx-opsagent": true, "windefend": true, "mpssvc": true,
	"auditd": true, "firewalld": true, "nftables": true, "iptables": true,
}

// Probe tells how the service is.
func (s *Service) Probe(ctx context.Context, host engine.Reader) (any, error) {
	m, err := managerOf(ctx, host, s.Name)
	if err != nil {
		return nil, err
	}
	return whole(ctx, host, m)
}

// whole is everything that is known of the service.
func whole(ctx context.Context, host engine.Reader, m manager) (Status, error) {
	st, err := m.look(ctx, host)
	if err != nil || !st.Exists {
		return st, err
	}
	if st, err = m.detail(ctx, host, st); err != nil || !st.Running {
		return st, err
	}
	age, err := m.age(ctx, host, st)
	if err != nil || age == nil {
		return st, err
	}
	started := time.Now().Add(-*age).UTC().Format(time.RFC3339)
	st.Started = &started
	return st, nil
}

// Prove shows that the service was restarted after since, and runs.
func (s *Service) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	m := s.manager
	if m == nil { // another instance acted
		var err error
		if m, err = managerOf(ctx, host, s.Name); err != nil {
			return err
		}
	}
	st, err := m.look(ctx, host)
	if err != nil {
		return err
	}
	if !st.Running {
		return unproven(host, s.Name, "it is "+st.State)
	}
	if st, err = m.detail(ctx, host, st); err != nil {
		return err
	}
	age, err := m.age(ctx, host, st)
	switch {
	case err != nil:
		return err
	case age == nil:
		return m.prove(ctx, host, st, since)
	case *age > time.Since(since)+2*time.Second/ticks: // uptime and start are both cut off to ticks
		return unproven(host, s.Name, fmt.Sprintf("its process has been running for %s", age.Round(time.Second)))
	}
	return nil
}

// untold is unproven where the host has nothing that could prove it.
func untold(host engine.Reader, name, why string) error {
	return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "restart " + name, Msg: "it cannot be shown that it happened: " + why, Err: engine.ErrUnprovable}
}

func unproven(host engine.Reader, name, why string) error {
	return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "restart " + name, Msg: "it cannot be shown that it happened: " + why}
}
