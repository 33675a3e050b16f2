package vsphere

import (
	"context"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// ESXiService looks at services of an ESXi host, or starts, stops and restarts one, through its vCenter.
func ESXiService() engine.Module {
	return engine.Module{
		Name: "esxi_service",
		Doc: `Looks at the services of an ESXi host through its vCenter, or starts, stops or restarts one.
The host that does it (on) is the vCenter, so no SSH is needed: that is how SSH itself (TSM-SSH) is turned on. A probe of a host that vCenter does not know or reach says found = false.
Starting TSM-SSH or TSM (the ESXi Shell) counts as weakens_security. See playbooks/esxi-ssh.hcl for turning SSH on and giving it back as it was.
restarted is done whatever the state. vSphere tells neither the process nor the start time of a service: what is proven is that the host answered the restart without a fault, and that the service runs. Nobody can tell afterwards whether a restart that was cut off happened: resume asks.
Some ESXi hosts list their Mux (a key with "mux" in it): it can then be restarted without SSH.`,
		New:     func() any { return &esxiService{} },
		Result:  Services{},
		Targets: []string{"vsphere"},
	}
}

type esxiService struct {
	Name    string `hcl:"name,optional" executed:"true" doc:"Name of the ESXi host in vCenter, exact."`
	Ref     string `hcl:"ref,optional" executed:"true" doc:"Managed object id of the ESXi host (\"host-21\"), instead of the name: esxi_ref of the source vsphere."`
	Service string `hcl:"service,optional" executed:"true" doc:"Key of the service: TSM-SSH (SSH), TSM (ESXi Shell), ntpd, vpxa … A probe without it tells of all in services."`
	State   string `hcl:"state,optional" executed:"true" oneof:"started stopped restarted" doc:"What a step makes of it. A probe takes none."`
	Policy  string `hcl:"policy,optional" executed:"true" oneof:"on off automatic" doc:"When a step lets it start: on (with the ESXi host), automatic (with its firewall rule) or off (by hand). It neither starts nor stops it."`

	requests []vsphere.Request // of the last Check
	answered bool              // a restart, without a fault
}

// Services is what vCenter says of the services of an ESXi host.
type Services struct {
	Found    bool               `hcl:"found" doc:"Whether vCenter knows and reaches exactly one such ESXi host."`
	Message  string             `hcl:"message" doc:"Why it was not found; empty otherwise."`
	Exists   bool               `hcl:"exists" doc:"Whether it has the service; false without service."`
	Running  bool               `hcl:"running" doc:"Whether the service runs."`
	Policy   string             `hcl:"policy" doc:"on, off or automatic; empty without the service."`
	Services map[string]Service `hcl:"services" doc:"All services by key."`
}

// Service is one service.
type Service struct {
	Label    string `hcl:"label" doc:"What vCenter calls it: SSH."`
	Running  bool   `hcl:"running" doc:"Whether it runs."`
	Policy   string `hcl:"policy" doc:"on, off or automatic."`
	Required bool   `hcl:"required" doc:"Whether it cannot be turned off."`
}

// Validate refuses a step that says of no host or no service.
func (s *esxiService) Validate() error {
	switch acts := s.State != "" || s.Policy != ""; {
	case acts && s.Service == "":
		return engine.BadArg{Arg: "service", Problem: "must say which service is meant"}
	case acts && s.Name == "" && s.Ref == "":
		return engine.BadArg{Arg: "name", Problem: "or ref must say which ESXi host is meant"}
	}
	return nil
}

// Effects are those of the state: a shell of an ESXi host weakens it.
func (s *esxiService) Effects() []engine.Effect {
	switch shell := strings.HasPrefix(s.Service, "TSM"); {
	case s.State == "restarted":
		return []engine.Effect{engine.EffectRestart}
	case shell && (s.State == "started" || s.Policy == "on" || s.Policy == "automatic"):
		return []engine.Effect{engine.EffectWeakens}
	}
	return nil
}

// Probe asks.
func (s *esxiService) Probe(ctx context.Context, host engine.Reader) (any, error) {
	h, why, err := which{s.Name, s.Ref}.find(ctx, host)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return Services{Message: why}, nil
	}
	list, err := s.look(ctx, host, h)
	if err != nil {
		return nil, err
	}
	return s.result(list), nil
}

func (s *esxiService) look(ctx context.Context, host engine.Reader, h vsphere.Host) (vsphere.Services, error) {
	api, err := host.API(ctx)
	if err != nil {
		return vsphere.Services{}, err
	}
	list, err := vsphere.ServicesOf(ctx, api, h)
	return list, engine.Blame(err, host.Name())
}

func (s *esxiService) result(list vsphere.Services) Services {
	r := Services{Found: true, Services: map[string]Service{}}
	for _, x := range list.List {
		r.Services[x.Key] = Service{Label: x.Label, Running: x.Running, Policy: x.Policy, Required: x.Required}
		if x.Key == s.Service {
			r.Exists, r.Running, r.Policy = true, x.Running, x.Policy
		}
	}
	return r
}

// Check tells by which requests the service would become what it should be.
func (s *esxiService) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if s.State == "" && s.Policy == "" {
		return engine.Diff{}, engine.BadArg{Arg: "state", Problem: "or policy must say what a step makes of the service"}
	}
	list, now, err := s.now(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	diff := s.compare(list, now)
	if now.Required && s.State == "stopped" && !diff.Empty() {
		return engine.Diff{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "stop " + s.Service + " of " + list.Host, Msg: "the ESXi host cannot do without it"}
	}
	for _, r := range s.requests {
		diff.Commands = append(diff.Commands, r.String())
	}
	if len(s.requests) == 0 {
		return diff, nil
	}
	return warned(ctx, host, diff, s.requests[0]) // all need the same
}

// now reads the service anew.
func (s *esxiService) now(ctx context.Context, host engine.Reader) (vsphere.Services, vsphere.Service, error) {
	h, err := which{s.Name, s.Ref}.must(ctx, host)
	if err != nil {
		return vsphere.Services{}, vsphere.Service{}, err
	}
	list, err := s.look(ctx, host, h)
	if err != nil {
		return list, vsphere.Service{}, err
	}
	now, ok := list.Find(s.Service)
	if !ok {
		keys := make([]string, len(list.List))
		for i, x := range list.List {
			keys[i] = x.Key
		}
		err = &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "find the service " + s.Service, Msg: h.Name + " does not list it",
			Hint: "it has " + strings.Join(keys, ", ")}
	}
	return list, now, err
}

// compare says what differs, and keeps the requests that change it.
func (s *esxiService) compare(list vsphere.Services, now vsphere.Service) (diff engine.Diff) {
	s.requests = nil
	what := s.Service + " of " + list.Host
	switch {
	case s.State == "restarted":
		diff.Act = "restart " + what
		diff.Note = "vSphere cannot show that it happened, only that the ESXi host answered it and that the service runs"
		s.requests = append(s.requests, list.Restarting(s.Service))
	case s.State == "started" && !now.Running:
		diff.Changes = append(diff.Changes, engine.Change{What: what, Before: "stopped", After: "running"})
		s.requests = append(s.requests, list.Starting(s.Service))
	case s.State == "stopped" && now.Running:
		diff.Changes = append(diff.Changes, engine.Change{What: what, Before: "running", After: "stopped"})
		s.requests = append(s.requests, list.Stopping(s.Service))
	}
	if s.Policy != "" && s.Policy != now.Policy {
		diff.Changes = append(diff.Changes, engine.Change{What: "policy of " + what, Before: now.Policy, After: s.Policy})
		s.requests = append(s.requests, list.Governing(s.Service, s.Policy))
	}
	if diff.Empty() {
		diff.Note = what + " is " + map[bool]string{true: "running", false: "stopped"}[now.Running] + ", its policy " + now.Policy
	}
	return diff
}

// Apply sends the requests of Check, each of which is answered when it is done.
func (s *esxiService) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	for _, r := range s.requests {
		if _, err := send(ctx, host, diff, r); err != nil {
			return nil, err
		}
	}
	s.answered = true
	list, _, err := s.now(ctx, host)
	if err != nil {
		return nil, err
	}
	return s.result(list), nil
}

// Prove shows as much as vSphere tells: that the host answered the restart, and that the service runs.
func (s *esxiService) Prove(ctx context.Context, host engine.Reader, _ time.Time) error {
	list, now, err := s.now(ctx, host)
	switch what := s.Service + " of " + list.Host; {
	case err != nil:
		return err
	case !now.Running:
		return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "restart " + what, Msg: "it does not run", Hint: "look at the log of the ESXi host; then start it"}
	case !s.answered:
		return &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "restart " + what,
			Msg:  "it runs, and nobody can tell since when: vSphere tells neither the process nor the start time of a service",
			Hint: "is what it serves back? If not, restart it again", Err: engine.ErrUnprovable}
	}
	return nil
}
