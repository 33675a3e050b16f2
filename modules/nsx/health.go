package nsx

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/nsx"
)

// Health looks at Guest Introspection on one ESXi host.
func Health() engine.Module {
	return engine.Module{
		Name: "nsx_health",
		Doc: `Asks NSX how Guest Introspection is on one ESXi host: the appliance of the service, and the connection between it and the Mux.
The host that does it (on) is the NSX manager: kind nsx (NSX-V) or nsxt (NSX-T, NSX 4). NSX-T knows the host by its name, NSX-V by its managed object id only; a source "vsphere" gives it as self.esxi_ref.
The state is up; degraded (NSX-V warns, or a deployment goes on); down (the appliance or its connection to the Mux is down, or its deployment has failed); or unknown, with a message: NSX does not say, or what it heard is old.
NSX sees connections and not what goes through them: an appliance or a Mux that hangs may be up here. The engines themselves are in DSM (ds_computers).`,
		New:     func() any { return &health{} },
		Result:  Introspection{},
		Targets: []string{"nsx", "nsxt"},
	}
}

type health struct {
	ESXi    string `hcl:"esxi,optional" doc:"Name of the ESXi host in vCenter; needed on NSX-T."`
	Ref     string `hcl:"ref,optional" doc:"Managed object id of the ESXi host in vCenter (host-10); needed on NSX-V."`
	Service string `hcl:"service,optional" doc:"Name of the service in NSX, exact; without it every service on the host counts."`
}

// Introspection is what NSX says of one ESXi host.
type Introspection struct {
	Found      bool     `hcl:"found" doc:"Whether NSX has an appliance of the service on the host."`
	State      string   `hcl:"state" doc:"up, degraded, down or unknown; of several appliances the worst."`
	Solution   string   `hcl:"solution" doc:"NSX's own word for what runs on the appliance: UP, DOWN, WARNING; empty when it does not say."`
	Mux        string   `hcl:"mux" doc:"NSX's own word for the connection between Mux and appliance: UP, DOWN; empty on NSX-V, which does not tell."`
	Deployment string   `hcl:"deployment" doc:"NSX's own word: SUCCEEDED, DEPLOYMENT_SUCCESSFUL, IN_PROGRESS …"`
	Runtime    string   `hcl:"runtime" doc:"NSX's own word: ENABLED, RUNNING, STOPPED …"`
	Appliances []string `hcl:"appliances" doc:"The VMs of the appliances: managed object ids on NSX-V, instance UUIDs on NSX-T."`
	AsOf       *string  `hcl:"as_of" doc:"When NSX last heard of it, RFC 3339, by the clock of the manager; null when it does not say."`
	Message    string   `hcl:"message" doc:"What is wrong, or why the state is unknown; empty otherwise."`
}

// The states, the worst first.
const (
	stateDown     = "down"
	stateDegraded = "degraded"
	stateUnknown  = "unknown"
	stateUp       = "up"
)

var worst = []string{stateDown, stateDegraded, stateUnknown, stateUp}

// Validate refuses a host that is none.
func (m *health) Validate() error {
	if m.ESXi == "" && m.Ref == "" {
		return engine.BadArg{Arg: "esxi", Problem: "or ref must say which ESXi host is meant"}
	}
	return nil
}

// Probe asks. What is deployed is read once per pass, how it is once per host.
func (m *health) Probe(ctx context.Context, host engine.Reader) (any, error) {
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	d, err := host.Once(ctx, "nsx deployments", func(ctx context.Context) (any, error) {
		d, err := nsx.FetchDeployments(ctx, api)
		return d, engine.Blame(err, host.Name())
	})
	if err != nil {
		return nil, err
	}
	list, why, err := d.(*nsx.Deployments).Of(ctx, api, nsx.Host{Name: m.ESXi, Ref: m.Ref})
	if err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	list = slices.DeleteFunc(list, func(a nsx.Appliance) bool { return m.Service != "" && a.Service != m.Service })
	switch {
	case why != "":
		return Introspection{State: stateUnknown, Message: why}, nil
	case len(list) == 0:
		return Introspection{State: stateUnknown, Message: "NSX has no appliance of the service on this host: is the host prepared, and the service deployed on its cluster?"}, nil
	}
	return introspection(list), nil
}

// introspection is that of the worst appliance.
func introspection(list []nsx.Appliance) Introspection {
	slices.SortStableFunc(list, func(a, b nsx.Appliance) int { return rank(a) - rank(b) })
	a := list[0]
	state, message := judge(a)
	r := Introspection{Found: true, State: state, Message: message, Solution: a.Solution, Mux: a.Mux, Deployment: a.Deployment, Runtime: a.Runtime}
	for _, a := range list {
		r.Appliances = append(r.Appliances, a.Ref)
	}
	slices.Sort(r.Appliances)
	if !a.AsOf.IsZero() {
		text := a.AsOf.UTC().Format(time.RFC3339)
		r.AsOf = &text
	}
	return r
}

func rank(a nsx.Appliance) int {
	state, _ := judge(a)
	return slices.Index(worst, state)
}

// judge decides. A word of NSX that is not known decides nothing: it never makes a host up.
func judge(a nsx.Appliance) (state, message string) {
	deployment, solution, mux := strings.ToUpper(a.Deployment), strings.ToUpper(a.Solution), strings.ToUpper(a.Mux)
	switch {
	case strings.Contains(deployment, "FAIL"):
		state, message = stateDown, "its deployment has failed"
	case a.Stale:
		state, message = stateUnknown, "what NSX heard of it is old"
	case a.Mismatch:
		state, message = stateDown, "Mux and appliance do not speak the same protocol: their versions do not fit"
	case solution == "DOWN":
		state, message = stateDown, "the service on the appliance is down"
	case mux == "DOWN":
		state, message = stateDown, "the Mux is not connected to the appliance"
	case solution == "WARNING":
		state, message = stateDegraded, "NSX warns"
	case strings.Contains(deployment, "PROGRESS"):
		state, message = stateDegraded, "its deployment goes on"
	case solution == "UP" && (mux == "UP" || mux == ""):
		return stateUp, ""
	default:
		state, message = stateUnknown, fmt.Sprintf("NSX does not say how it is (service %q, connection %q)", a.Solution, a.Mux)
	}
	if a.Text != "" {
		message += ": " + a.Text
	}
	return state, message
}
