package nsx

import (
	"context"
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Host says which ESXi host is meant: NSX-T knows its name, NSX-V only its managed object id in the vCenter.
type Host struct{ Name, Ref string }

// Appliance is a service VM on an ESXi host. Words are NSX's own; what it does not say is empty.
type Appliance struct {
	Service    string // the service that it belongs to
	Ref        string // of its VM: managed object id (NSX-V), instance UUID (NSX-T)
	Deployment string // progressStatus: SUCCEEDED, IN_PROGRESS, FAILED; deployment_status: DEPLOYMENT_SUCCESSFUL …
	Runtime    string // operationalStatus: ENABLED …; runtime_status: RUNNING …
	Solution   string // serviceStatus: UP, DOWN, WARNING; solution_status: UP, DOWN
	Mux        string // mux_connected_status: UP, DOWN; only NSX-T tells
	Stale      bool   // what was heard of it is old
	Mismatch   bool   // Mux and appliance do not speak the same protocol
	Text       string // the error that goes with it
	// AsOf is when its health was last heard of, by the manager's clock; zero: NSX does not say.
	AsOf time.Time

	path string // of its health, NSX-T
}

// Deployments are the appliances of an estate at one moment, as far as they can be listed: of NSX-T. It is safe for use by
// several goroutines.
type Deployments struct {
	byHost map[string][]Appliance // NSX-T, by the host's name
}

// FetchDeployments lists what there is, without asking how it is.
func FetchDeployments(ctx context.Context, api engine.API) (*Deployments, error) {
	g, err := of(api)
	if err != nil {
		return nil, err
	}
	return g.deployments(ctx)
}

// Of asks how the appliances of a host are. why says what kept it from asking; no appliance and no why: there is none.
func (d *Deployments) Of(ctx context.Context, api engine.API, h Host) (list []Appliance, why string, err error) {
	g, err := of(api)
	if err != nil {
		return nil, "", err
	}
	return g.appliances(ctx, d, h)
}

func (v) deployments(context.Context) (*Deployments, error) { return &Deployments{}, nil }

// appliances of NSX-V are the agents of the host (nsxvapi.raml, /2.0/si/host/{hostID}/agents).
func (n v) appliances(ctx context.Context, _ *Deployments, h Host) (found []Appliance, why string, err error) {
	if h.Ref == "" {
		return nil, "NSX-V names ESXi hosts by their managed object id, and that is not known", nil
	}
	var list struct {
		XMLName xml.Name `xml:"fabricAgents"`
		Agents  []struct {
			Service     string `xml:"serviceName"`
			Operational string `xml:"operationalStatus"`
			Progress    string `xml:"progressStatus"`
			VM          string `xml:"vmId"`
			Status      string `xml:"serviceStatus>status"`
			Text        string `xml:"serviceStatus>errorDescription"`
		} `xml:"agent"`
	}
	err = n.get(ctx, "/api/2.0/si/host/"+segment(h.Ref)+"/agents", &list)
	if errors.Is(err, errNotFound) {
		return nil, "NSX knows no ESXi host " + h.Ref, nil
	}
	for _, a := range list.Agents {
		found = append(found, Appliance{Service: a.Service, Ref: a.VM, Deployment: a.Progress, Runtime: a.Operational, Solution: a.Status, Text: strings.TrimSpace(a.Text)})
	}
	return found, "", err
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"display_name"`
}

const servicesPath = "/api/v1/serviceinsertion/services"

// deployments of NSX-T: runtimes of service instances of services. A runtime does not name its host; its VM in the inventory does.
func (n t) deployments(ctx context.Context) (*Deployments, error) {
	machines, err := list[machine](ctx, n, machinesPath, nil)
	if err != nil {
		return nil, err
	}
	hosts := map[string]string{} // instance UUID → name of the host
	for _, m := range machines {
		hosts[strings.ToLower(m.ExternalID)] = m.Source.Name
	}
	services, err := list[named](ctx, n, servicesPath, nil)
	if err != nil {
		return nil, err
	}
	d := &Deployments{byHost: map[string][]Appliance{}}
	for _, s := range services {
		path := servicesPath + "/" + segment(s.ID) + "/service-instances"
		instances, err := list[named](ctx, n, path, nil)
		if err != nil {
			return nil, err
		}
		for _, i := range instances {
			if err := n.runtimes(ctx, d, s.Name, path+"/"+segment(i.ID)+"/instance-runtimes", hosts); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

func (n t) runtimes(ctx context.Context, d *Deployments, service, path string, hosts map[string]string) error {
	runtimes, err := list[struct { // InstanceRuntime: one appliance on one host
		ID         string `json:"id"`
		VM         string `json:"service_vm_id"`
		Runtime    string `json:"runtime_status"`
		Deployment string `json:"deployment_status"`
		Text       string `json:"error_message"`
	}](ctx, n, path, nil)
	if err != nil {
		return err
	}
	for _, r := range runtimes {
		host := hosts[strings.ToLower(r.VM)]
		d.byHost[host] = append(d.byHost[host], Appliance{Service: service, Ref: r.VM, Deployment: r.Deployment, Runtime: r.Runtime,
			Text: r.Text, path: path + "/" + segment(r.ID) + "/health-status"})
	}
	return nil
}

// appliances asks for the ServiceInstanceHealthStatus of each. Its fields are certain, its path is not: where there is none
// they stay empty.
func (n t) appliances(ctx context.Context, d *Deployments, h Host) (found []Appliance, why string, err error) {
	if h.Name == "" {
		return nil, "NSX-T names ESXi hosts by their name, and that is not known", nil
	}
	for _, a := range d.byHost[h.Name] {
		var said struct {
			Solution string `json:"solution_status"`
			Mux      string `json:"mux_connected_status"`
			Stale    bool   `json:"is_stale"`
			Mismatch bool   `json:"is_sva_mux_incompatible"`
			Sync     string `json:"sync_time"`
		}
		if err := n.get(ctx, a.path, &said); err != nil && !errors.Is(err, errNotFound) {
			return nil, "", err
		}
		a.Solution, a.Mux, a.Stale, a.Mismatch, a.AsOf = said.Solution, said.Mux, said.Stale, said.Mismatch, stamp(said.Sync)
		found = append(found, a)
	}
	return found, "", nil
}

// stamp reads a time whose format is not documented: RFC 3339, or milliseconds since 1970; anything else is none.
func stamp(s string) time.Time {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && ms > 0 {
		return time.UnixMilli(ms)
	}
	at, _ := time.Parse(time.RFC3339, s)
	return at
}
