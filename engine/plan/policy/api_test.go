package policy_test

import (
	"fmt"
	"testing"

	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/policy"
)

// A vCenter that restarts a service on ten ESXi hosts is one host that does it; ten are acted on.
func TestHostsBehindAnAPICount(t *testing.T) {
	d := &plan.Document{Playbook: plan.Playbook{Path: "engine-offline.hcl"}, Hosts: []plan.Host{{Name: "vc", Groups: []string{"vcenter"}, Connection: "https", Identity: "SHA256:v"}}}
	for n := range 10 {
		name := fmt.Sprintf("esx%d", n)
		d.Hosts = append(d.Hosts, plan.Host{Name: name, Groups: []string{"esxi"}, Connection: "ssh"}) // never contacted: it has no identity
		d.Items = append(d.Items, step("p/step.mux", name, "vc", "esxi_mux"))
	}
	p := permissive()
	for _, c := range []struct {
		most      map[string]int
		permitted bool
	}{
		{map[string]int{"all": 1}, false}, {map[string]int{"all": 10}, false}, {map[string]int{"all": 11}, true},
		{map[string]int{"vcenter": 1}, false}, {map[string]int{"vcenter": 1, "esxi": 9}, false}, {map[string]int{"vcenter": 1, "esxi": 10}, true},
	} {
		p.MaxHosts = c.most
		if v := policy.Judge(p, d, policy.Facts{Now: now}); v.Permitted != c.permitted {
			t.Errorf("%v: %+v", c.most, v.Refusals())
		}
	}
}
