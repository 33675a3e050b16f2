package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// Service is one of an ESXi host (HostService of the vSphere API). Neither its process nor its start time is told.
type Service struct {
	Key, Label        string // "TSM-SSH", "SSH"
	Running, Required bool
	Policy            string // on: starts with the host; automatic: with its firewall rule; off: by hand
}

// Services are those of an ESXi host, sorted by key, and the managed object id of what starts and stops them.
type Services struct {
	System string // "serviceSystem-22"
	Host   string // name of the ESXi host
	List   []Service
	on     types.ManagedObjectReference // the ESXi host
}

// Find gives the service with this key.
func (s Services) Find(key string) (Service, bool) {
	i := slices.IndexFunc(s.List, func(x Service) bool { return x.Key == key })
	if i < 0 {
		return Service{}, false
	}
	return s.List[i], true
}

// FindHosts gives the ESXi hosts with this managed object id; without one, those with this name.
func (e *Estate) FindHosts(ref, name string) []Host {
	var found []Host
	for _, h := range e.Hosts {
		if ref != "" && h.Ref == ref || ref == "" && name != "" && h.Name == name {
			found = append(found, h)
		}
	}
	return found
}

// ServicesOf reads the services of an ESXi host anew.
func ServicesOf(ctx context.Context, api engine.API, h Host) (Services, error) {
	s := Services{Host: h.Name, on: types.ManagedObjectReference{Type: "HostSystem", Value: h.Ref}}
	err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		system, err := manager(ctx, c, h, "configManager.serviceSystem")
		if err != nil {
			return err
		}
		var content mo.HostServiceSystem
		if err := property.DefaultCollector(c).RetrieveOne(ctx, system, []string{"serviceInfo"}, &content); err != nil {
			return err
		}
		s.System, s.List = system.Value, nil
		for _, x := range content.ServiceInfo.Service {
			s.List = append(s.List, Service{Key: x.Key, Label: x.Label, Running: x.Running, Required: x.Required, Policy: x.Policy})
		}
		slices.SortFunc(s.List, func(a, b Service) int { return strings.Compare(a.Key, b.Key) })
		return nil
	})
	return s, err
}

// manager finds one of the objects that configure an ESXi host.
func manager(ctx context.Context, c *vim25.Client, h Host, property string) (types.ManagedObjectReference, error) {
	var host mo.HostSystem
	if err := readHost(ctx, c, h, []string{property}, &host); err != nil {
		return types.ManagedObjectReference{}, err
	}
	ref := host.ConfigManager.ServiceSystem
	if property == "configManager.hostAccessManager" {
		ref = host.ConfigManager.HostAccessManager
	}
	if ref == nil {
		return types.ManagedObjectReference{}, fmt.Errorf("vSphere does not tell the %s of %s", property, h.Name)
	}
	return *ref, nil
}

func readHost(ctx context.Context, c *vim25.Client, h Host, names []string, to *mo.HostSystem) error {
	var content []types.ObjectContent
	if err := property.DefaultCollector(c).Retrieve(ctx, []types.ManagedObjectReference{{Type: "HostSystem", Value: h.Ref}}, names, &content); err != nil {
		return err
	}
	var list []mo.HostSystem
	if err := load(content, &list); err != nil || len(list) != 1 {
		return errors.Join(err, fmt.Errorf("vSphere tells nothing about %s", h.Ref))
	}
	*to = list[0]
	return nil
}

// Starting, Stopping and Restarting are the requests that do it to a service. They are answered when it is done.
func (s Services) Starting(key string) Request {
	return s.request("StartService", key, "", func(ctx context.Context, c *vim25.Client, this types.ManagedObjectReference) error {
		_, err := methods.StartService(ctx, c, &types.StartService{This: this, Id: key})
		return err
	})
}

// Stopping see Starting.
func (s Services) Stopping(key string) Request {
	return s.request("StopService", key, "", func(ctx context.Context, c *vim25.Client, this types.ManagedObjectReference) error {
		_, err := methods.StopService(ctx, c, &types.StopService{This: this, Id: key})
		return err
	})
}

// Restarting see Starting.
func (s Services) Restarting(key string) Request {
	return s.request("RestartService", key, "", func(ctx context.Context, c *vim25.Client, this types.ManagedObjectReference) error {
		_, err := methods.RestartService(ctx, c, &types.RestartService{This: this, Id: key})
		return err
	})
}

// Governing is the request that changes when a service starts: on, off or automatic.
func (s Services) Governing(key, policy string) Request {
	return s.request("UpdateServicePolicy", key, " policy="+policy, func(ctx context.Context, c *vim25.Client, this types.ManagedObjectReference) error {
		_, err := methods.UpdateServicePolicy(ctx, c, &types.UpdateServicePolicy{This: this, Id: key, Policy: policy})
		return err
	})
}

func (s Services) request(method, key, more string, call func(context.Context, *vim25.Client, types.ManagedObjectReference) error) Request {
	this := types.ManagedObjectReference{Type: "HostServiceSystem", Value: s.System}
	return Request{text: fmt.Sprintf("%s %s id=%s%s (%s)", method, s.System, key, more, s.Host), needs: need{"Host.Config.NetService", s.on},
		already: func(err error) bool { return fault.Is(err, &types.InvalidState{}) },
		send: func(ctx context.Context, c *vim25.Client) (answer, error) {
			return answer{}, call(ctx, c, this)
		}}
}

// Lockdown is who may come in to an ESXi host besides its vCenter.
type Lockdown struct {
	Mode string // lockdownDisabled, lockdownNormal, lockdownStrict
	// Exceptions are the accounts that it does not concern; Known is false when vSphere does not tell them.
	Exceptions []string
	Known      bool
}

// On tells whether the host is locked down.
func (l Lockdown) On() bool { return l.Mode != string(types.HostLockdownModeLockdownDisabled) }

// LockdownOf reads it. Before vSphere 6.0 there was one mode only (config.adminDisabled), and no exceptions.
func LockdownOf(ctx context.Context, api engine.API, h Host) (Lockdown, error) {
	var l Lockdown
	err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		var host mo.HostSystem
		if err := readHost(ctx, c, h, []string{"config.lockdownMode", "config.adminDisabled", "configManager.hostAccessManager"}, &host); err != nil {
			return err
		}
		l = Lockdown{Mode: string(types.HostLockdownModeLockdownDisabled)}
		switch {
		case host.Config == nil:
			return errors.New("vSphere does not tell the configuration of the ESXi host: it is not connected, or the user may not read it")
		case host.Config.LockdownMode != "":
			l.Mode = string(host.Config.LockdownMode)
		case host.Config.AdminDisabled != nil && *host.Config.AdminDisabled:
			l.Mode = string(types.HostLockdownModeLockdownNormal)
		}
		if access := host.ConfigManager.HostAccessManager; l.On() && access != nil {
			answer, err := methods.QueryLockdownExceptions(ctx, c, &types.QueryLockdownExceptions{This: *access})
			switch {
			case err == nil:
				l.Known, l.Exceptions = true, answer.Returnval
			case fault.Is(err, &types.NotAuthenticated{}) || !soap.IsSoapFault(err):
				return err
			} // else vSphere has refused it: who may not ask does not know
		}
		return nil
	})
	return l, err
}
