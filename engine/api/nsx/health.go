package nsx

import (
	"context"
	"encoding/xml"
	"errors"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Host says which ESXi host is meant: NSX-T knows its name, NSX-V only its managed object id in the vCenter.
type Host struct{ Name, Ref string }

// Health is what a manager says of the appliances of one ESXi host. Words are NSX's own; what it does not say is empty.
type Health struct {
	Appliances []Appliance
}

// Appliance is one deployed service on the host.
type Appliance struct {
	Name       string // of the service (NSX-V) or of the appliance's VM (NSX-T)
	Ref        string // managed object id (NSX-V) or instance UUID (NSX-T) of its VM
	Deployment string // progressStatus: SUCCEEDED …; deployment_status: DEPLOYMENT_SUCCESSFUL …
	Runtime    string // operationalStatus: ENABLED …; runtime_status: RUNNING …
	Solution   string // serviceStatus: UP, DOWN, WARNING; solution_status: UP, DOWN
	Mux        string // mux_connected_status: UP, DOWN; only NSX-T tells
	Stale      bool   // what was heard of it is old
	Mismatch   bool   // Mux and appliance do not speak the same protocol
	Text       string // the error that goes with it
	// AsOf is when its health was last heard of; zero: NSX does not say.
	AsOf time.Time
}

// HealthOf asks how Guest Introspection is on a host.
func HealthOf(ctx context.Context, api engine.API, h Host) (Health, error) {
	g, err := of(api)
	if err != nil {
		return Health{}, err
	}
	return g.health(ctx, h)
}

// health of NSX-V: the agents of the host (nsxvapi.raml, /2.0/si/host/{hostID}/agents).
func (n v) health(ctx context.Context, h Host) (health Health, err error) {
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
		return Health{}, nil
	}
	for _, a := range list.Agents {
		health.Appliances = append(health.Appliances, Appliance{Name: a.Service, Ref: a.VM, Deployment: a.Progress, Runtime: a.Operational,
			Solution: a.Status, Text: strings.TrimSpace(a.Text)})
	}
	return health, err
}

// runtime is an InstanceRuntime: one appliance of a service on one host.
type runtime struct {
	ID         string `json:"id"`
	VM         string `json:"service_vm_id"`
	Runtime    string `json:"runtime_status"`
	Deployment string `json:"deployment_status"`
	Text       string `json:"error_message"`
}

type named struct {
	ID   string `json:"id"`
	Name string `json:"display_name"`
}

const servicesPath = "/api/v1/serviceinsertion/services"

// health of NSX-T: runtimes whose appliance runs on the host. A runtime does not name its host, its VM in the inventory does.
func (n t) health(ctx context.Context, h Host) (health Health, err error) {
	machines, err := list[machine](ctx, n, machinesPath, nil)
	if err != nil {
		return Health{}, err
	}
	here := map[string]string{} // instance UUID → name
	for _, m := range machines {
		if g := m.guest(); g.Service && g.Host == h.Name {
			here[g.ID] = g.Name
		}
	}
	services, err := list[named](ctx, n, servicesPath, nil)
	if err != nil {
		return Health{}, err
	}
	for _, s := range services {
		path := servicesPath + "/" + segment(s.ID) + "/service-instances"
		instances, err := list[named](ctx, n, path, nil)
		if err != nil {
			return Health{}, err
		}
		for _, i := range instances {
			if err := n.runtimes(ctx, path+"/"+segment(i.ID)+"/instance-runtimes", here, &health); err != nil {
				return Health{}, err
			}
		}
	}
	return health, nil
}

func (n t) runtimes(ctx context.Context, path string, here map[string]string, health *Health) error {
	runtimes, err := list[runtime](ctx, n, path, nil)
	if err != nil {
		return err
	}
	for _, r := range runtimes {
		name, ok := here[strings.ToLower(r.VM)]
		if !ok {
			continue
		}
		a := Appliance{Name: name, Ref: r.VM, Deployment: r.Deployment, Runtime: r.Runtime, Text: r.Text}
		if err := n.heard(ctx, path+"/"+segment(r.ID)+"/health-status", &a); err != nil {
			return err
		}
		health.Appliances = append(health.Appliances, a)
	}
	return nil
}

// heard adds the ServiceInstanceHealthStatus. Its fields are certain, its path is not: without it they stay empty.
func (n t) heard(ctx context.Context, path string, a *Appliance) error {
	var said struct {
		Solution string `json:"solution_status"`
		Mux      string `json:"mux_connected_status"`
		Stale    bool   `json:"is_stale"`
		Mismatch bool   `json:"is_sva_mux_incompatible"`
		Sync     string `json:"sync_time"`
	}
	err := n.get(ctx, path, &said)
	if errors.Is(err, errNotFound) {
		return nil
	}
	a.Solution, a.Mux, a.Stale, a.Mismatch = said.Solution, said.Mux, said.Stale, said.Mismatch
	a.AsOf, _ = time.Parse(time.RFC3339, said.Sync) // the format is not documented
	return err
}
