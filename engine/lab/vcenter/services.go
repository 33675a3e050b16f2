package vcenter

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Service is a line of the list of services of an ESXi host (HostService of the vSphere API).
type Service struct {
	Key, Label        string
	Running, Required bool
	Policy            string // "on": starts with the host; "automatic": with its firewall rule; "off": by hand
	Ruleset           []string
}

// Errors of an Agent. Every other one is a HostConfigFault.
var (
	ErrState     = errors.New("the service is in this state already")
	ErrNoService = errors.New("there is no such service")
)

// Agent is the management agent of an ESXi host: it does there what a vCenter is asked to do.
type Agent interface {
	Services() []Service
	Start(key string) error
	Stop(key string) error
	Restart(key string) error
	SetPolicy(key, policy string) error
	// Exceptions are the accounts that lockdown mode does not concern.
	Exceptions() []string
	SetLockdown(mode types.HostLockdownMode)
}

// addAgents gives every host a service system and an access manager of its own; govmomi's simulator has neither.
func (v *VCenter) addAgents(hosts map[string]*simulator.HostSystem) {
	registry := v.model.Map()
	for name, host := range hosts {
		host.Config.Service = nil // vSphere's copy of the list; this vCenter tells it at one place only
		host.Config.LockdownMode = types.HostLockdownModeLockdownDisabled
		if v.cfg.Agent == nil {
			continue
		}
		services := &serviceSystem{agent: func() Agent { return v.cfg.Agent(name) }}
		services.Self = types.ManagedObjectReference{Type: "HostServiceSystem", Value: "serviceSystem-" + number(host.Self)}
		access := &accessManager{host: name, v: v}
		access.Self = types.ManagedObjectReference{Type: "HostAccessManager", Value: "hostAccessManager-" + number(host.Self)}
		registry.Put(services)
		registry.Put(access)
		host.ConfigManager.ServiceSystem, host.ConfigManager.HostAccessManager = &services.Self, &access.Self
		v.names[services.Self], v.names[access.Self] = name, name
	}
}

// number is the part of a managed object id behind "host-".
func number(ref types.ManagedObjectReference) string {
	for i := range ref.Value {
		if ref.Value[i] == '-' {
			return ref.Value[i+1:]
		}
	}
	return ref.Value
}

// SetLockdown is what the vCenter tells of an ESXi host.
func (v *VCenter) SetLockdown(host string, mode types.HostLockdownMode) {
	v.configure(host, func(config *types.HostConfigInfo) { config.LockdownMode = mode })
}

// configure changes what the vCenter knows of an ESXi host.
func (v *VCenter) configure(host string, change func(config *types.HostConfigInfo)) {
	for ref, name := range v.names {
		if h, ok := v.model.Map().Get(ref).(*simulator.HostSystem); ok && name == host {
			v.model.Map().WithLock(v.own(), h, func() {
				config := *h.Config // who reads has the old one
				change(&config)
				h.Config = &config
			})
		}
	}
}

// serviceSystem is the HostServiceSystem of one host.
type serviceSystem struct {
	mo.HostServiceSystem
	agent func() Agent
}

// Get is what the property collector shows: the services as they are now.
func (s *serviceSystem) Get() mo.Reference {
	now := &mo.HostServiceSystem{}
	now.Self = s.Self
	for _, x := range s.agent().Services() {
		now.ServiceInfo.Service = append(now.ServiceInfo.Service, types.HostService{Key: x.Key, Label: x.Label, Required: x.Required,
			Running: x.Running, Policy: x.Policy, Ruleset: x.Ruleset})
	}
	return now
}

// StartService starts a service that does not run.
func (s *serviceSystem) StartService(req *types.StartService) soap.HasFault {
	body := new(methods.StartServiceBody)
	if body.Fault_ = said(s.agent().Start(req.Id)); body.Fault_ == nil {
		body.Res = new(types.StartServiceResponse)
	}
	return body
}

// StopService stops a service that runs.
func (s *serviceSystem) StopService(req *types.StopService) soap.HasFault {
	body := new(methods.StopServiceBody)
	if body.Fault_ = said(s.agent().Stop(req.Id)); body.Fault_ == nil {
		body.Res = new(types.StopServiceResponse)
	}
	return body
}

// RestartService stops and starts a service.
func (s *serviceSystem) RestartService(req *types.RestartService) soap.HasFault {
	body := new(methods.RestartServiceBody)
	if body.Fault_ = said(s.agent().Restart(req.Id)); body.Fault_ == nil {
		body.Res = new(types.RestartServiceResponse)
	}
	return body
}

// UpdateServicePolicy says when a service starts. It neither starts nor stops it.
func (s *serviceSystem) UpdateServicePolicy(req *types.UpdateServicePolicy) soap.HasFault {
	body := new(methods.UpdateServicePolicyBody)
	switch req.Policy {
	case "on", "off", "automatic":
		body.Fault_ = said(s.agent().SetPolicy(req.Id, req.Policy))
	default:
		body.Fault_ = simulator.Fault("", &types.InvalidArgument{InvalidProperty: "policy"})
	}
	if body.Fault_ == nil {
		body.Res = new(types.UpdateServicePolicyResponse)
	}
	return body
}

// said makes an error of an Agent a fault of the API; which ones these methods have, its documents say.
func said(err error) *soap.Fault {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrState):
		return simulator.Fault(err.Error(), new(types.InvalidState))
	case errors.Is(err, ErrNoService):
		return simulator.Fault(err.Error(), new(types.NotFound))
	}
	return simulator.Fault(err.Error(), new(types.HostConfigFault))
}

// accessManager is the HostAccessManager of one host.
type accessManager struct {
	mo.HostAccessManager
	host string
	v    *VCenter
}

// QueryLockdownExceptions lists the accounts that lockdown mode does not concern.
func (m *accessManager) QueryLockdownExceptions(*types.QueryLockdownExceptions) soap.HasFault {
	return &methods.QueryLockdownExceptionsBody{Res: &types.QueryLockdownExceptionsResponse{Returnval: m.v.cfg.Agent(m.host).Exceptions()}}
}

// ChangeLockdownMode turns lockdown mode on and off.
func (m *accessManager) ChangeLockdownMode(req *types.ChangeLockdownMode) soap.HasFault {
	m.v.cfg.Agent(m.host).SetLockdown(req.Mode)
	return &methods.ChangeLockdownModeBody{Res: new(types.ChangeLockdownModeResponse)}
}

// arguments are those by which requests to the same object differ, as " id=TSM-SSH policy=off".
func arguments(body any) (text string) {
	req := reflect.Indirect(reflect.ValueOf(body))
	if req.Kind() != reflect.Struct {
		return ""
	}
	for _, name := range []string{"Id", "Policy", "Mode", "Name", "Description", "Memory", "Quiesce", "RemoveChildren"} {
		f := req.FieldByName(name)
		value := fmt.Sprint(f)
		switch {
		case !f.IsValid() || f.Kind() != reflect.String && f.Kind() != reflect.Bool:
			continue
		case name == "Name" || name == "Description": // people write them
			value = strconv.Quote(value)
		}
		text += fmt.Sprintf(" %c%s=%s", name[0]+'a'-'A', name[1:], value)
	}
	return text
}
