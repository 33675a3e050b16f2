// Package esxi knows the Mux: the service of an ESXi host that carries file events of its guests to the security
// appliance (Guest Introspection). Each generation of NSX has its own.
package esxi

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/initd"
)

// Mux looks at the Mux of an ESXi host or restarts it.
func Mux() engine.Module {
	return engine.Module{
		Name: "esxi_mux",
		Doc: `Looks at the Mux of an ESXi host (Guest Introspection), or restarts it.
The guests go on running; until the Mux is back they are not protected, and access to files may pause.
A host without a Mux is not prepared for Guest Introspection: a probe says so, a step fails.`,
		New:     func() any { return &Args{Service: auto} },
		Result:  Status{},
		Targets: []string{string(engine.ESXi)},
	}
}

const auto = "auto"

// generations are the scripts of the Mux and what they belong to, the newer one first. There is no ESXi service
// nsx-gi-file: that is a package of Linux guests.
var generations = []struct{ script, name string }{
	{"nsx-context-mux", "nsx-t"},      // NSX-T 2 and 3, NSX 4
	{"vShield-Endpoint-Mux", "nsx-v"}, // vShield Endpoint, NSX-V 6
}

// Args are the arguments.
type Args struct {
	Service string `hcl:"service,optional" executed:"true" doc:"Script in /etc/init.d; auto picks nsx-context-mux or vShield-Endpoint-Mux, the running one if a migration left both."`
	State   string `hcl:"state,optional" executed:"true" oneof:"restarted" doc:"What a step does with it. A probe takes none."`

	before []string // the processes that ran before this instance acted
}

// Status is what is known of the Mux.
type Status struct {
	Prepared   bool   `hcl:"prepared" doc:"Whether the host has a Mux at all."`
	Service    string `hcl:"service" doc:"Its script in /etc/init.d; empty when there is none."`
	Running    bool   `hcl:"running" doc:"Whether its script says that it runs."`
	Generation string `hcl:"generation" doc:"nsx-t or nsx-v; empty when there is none, or for another script."`
}

var scriptName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// Validate refuses what cannot be a script in /etc/init.d.
func (a *Args) Validate() error {
	if !scriptName.MatchString(a.Service) {
		return engine.BadArg{Arg: "service", Problem: `must be "auto" or the name of a script in /etc/init.d`}
	}
	return nil
}

// Effects are those of a restart.
func (a *Args) Effects() []engine.Effect { return []engine.Effect{engine.EffectRestart} }

// Probe tells which Mux the host has, and how it is.
func (a *Args) Probe(ctx context.Context, host engine.Reader) (any, error) {
	return a.look(ctx, host)
}

// look asks every script that comes into question, in one round trip.
func (a *Args) look(ctx context.Context, host engine.Reader) (Status, error) {
	scripts := []string{a.Service}
	if a.Service == auto {
		scripts = nil
		for _, g := range generations {
			scripts = append(scripts, g.script)
		}
	}
	text := fmt.Sprintf(`for s in %s; do [ -x /etc/init.d/$s ] && echo "MUX=$s" && /etc/init.d/$s status 2>&1; done; true`, strings.Join(scripts, " "))
	out, err := host.Run(ctx, engine.Command{Shell: text})
	if err != nil {
		return Status{}, err
	}
	return pick(out.Stdout), nil
}

// pick reads the answer: of several the first that runs, else the first.
func pick(text string) Status {
	var found Status
	for _, part := range strings.Split("\n"+text, "\nMUX=")[1:] {
		script, said, _ := strings.Cut(part, "\n")
		s := Status{Prepared: true, Service: strings.TrimSpace(script), Running: initd.Parse(said).Running}
		for _, g := range generations {
			if g.script == s.Service {
				s.Generation = g.name
			}
		}
		if !found.Prepared || s.Running && !found.Running {
			found = s
		}
	}
	return found
}

// Check announces the restart.
func (a *Args) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if a.State == "" {
		return engine.Diff{}, engine.BadArg{Arg: "state", Problem: `is missing: a step says state = "restarted"`}
	}
	s, err := a.prepared(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	line, err := host.Line(ctx, initd.Act(s.Service, "restart"))
	diff := engine.Diff{Act: "restart " + s.Service, Commands: []string{line}}
	if !s.Running {
		diff.Note = s.Service + " is not running"
	}
	return diff, err
}

func (a *Args) prepared(ctx context.Context, host engine.Reader) (Status, error) {
	s, err := a.look(ctx, host)
	if err != nil || s.Prepared {
		return s, err
	}
	return s, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "esxi_mux", Msg: "this ESXi host is not prepared for Guest Introspection",
		Hint: "look at the service deployment of its cluster in NSX; on the host: esxcli software vib list | grep -i mux"}
}

// Apply restarts it and waits until its script says that it runs.
func (a *Args) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	s, err := a.prepared(ctx, host)
	if err != nil {
		return nil, err
	}
	if a.before, err = initd.Processes(ctx, host, s.Service); err != nil {
		return nil, err
	}
	if err := initd.Done(ctx, host, s.Service, "restart"); err != nil {
		return nil, err
	}
	return a.look(ctx, host)
}

// Prove shows that it was restarted after since; see initd.Prove for what ESXi can tell.
func (a *Args) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	s, err := a.prepared(ctx, host)
	if err != nil {
		return err
	}
	return initd.Prove(ctx, host, s.Service, since, a.before)
}
