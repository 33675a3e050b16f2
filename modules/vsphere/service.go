package vsphere

import (
	"context"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// ESXiService looks at services of an ESXi host, or starts, stops and restarts one, through its vCenter.
func ESXiService() engine.Module {
	return engine.Module{
		Name: "esxi_service",
		Doc: `Looks at the services of an ESXi host through its vCenter, or starts, stops or restarts one.
The host that does it (on) is the vCenter, so no SSH is needed: that is how SSH itself (TSM-SSH) is turned on. A probe of a host that vCenter does not know or reach says found = false.
Starting TSM-SSH or TSM (the ESXi Shell) counts as weakens_security, and so does stopping a Mux. See playbooks/esxi-ssh.hcl for turning SSH on and giving it back as it was.
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

// Effects are those of the state: a shell of an ESXi host weakens it, and nobody misses one that is stopped.
func (s *esxiService) Effects() []engine.Effect {
	shell, mux, stops := strings.HasPrefix(s.Service, "TSM"), strings.Contains(strings.ToLower(s.Service), "mux"), s.State == "stopped"
	switch {
	case s.State == "restarted":
		return []engine.Effect{engine.EffectRestart}
	case shell && (s.State == "started" || s.Policy == "on" || s.Policy == "automatic"):
		return []engine.Effect{engine.EffectWeakens}
	case stops && mux: // none of the host's guests is protected then
		return []engine.Effect{engine.EffectStop, engine.EffectWeakens}
	case stops && !shell:
		return []engine.Effect{engine.EffectStop}
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
