package vsphere_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere/vspheretest"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/vsphere"
)

// Where VMware Tools tell no uptime, that they go and come back is the evidence, and the plan says so. Another instance has
// not seen it, and does not claim it.
func TestRebootWithoutUptime(t *testing.T) {
	s := vspheretest.Start(t, []vspheretest.Host{{Name: "esx1"}}, []vspheretest.VM{{Name: "guest1"}})
	registry := s.Service.Context.Map
	registry.Get(*registry.Get(vim25.ServiceInstance).(*simulator.ServiceInstance).Content.PerfManager).(*simulator.PerformanceManager).PerfCounter = nil
	h := connect(t, s)
	args := map[string]any{"name": "guest1", "guest": "rebooted", "wait": "30s"}
	instance := moduletest.New(t, vsphere.VM(), args)
	diff, err := instance.(engine.Checker).Check(t.Context(), h)
	if err != nil || !strings.Contains(diff.Note, "go and come back") {
		t.Fatalf("%+v, %v", diff, err)
	}
	tools := func(state string) {
		ctx := s.Service.Context
		for _, x := range ctx.Map.All("VirtualMachine") {
			fresh := *ctx
			ctx.Map.AtomicUpdate(&fresh, x.(*simulator.VirtualMachine), []types.PropertyChange{{Name: "guest.toolsRunningStatus", Val: state}})
		}
	}
	ended := make(chan struct{})
	go func() { // the guest
		defer close(ended)
		for s.Calls("RebootGuest") == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond) // the simulator has judged its Tools by then
		tools("guestToolsNotRunning")
		for looks := s.Calls("RetrievePropertiesEx"); s.Calls("RetrievePropertiesEx") < looks+2; {
			time.Sleep(10 * time.Millisecond)
		}
		tools("guestToolsRunning")
	}()
	if _, err := instance.(engine.Applier).Apply(t.Context(), h, diff); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := instance.(engine.Prover).Prove(t.Context(), h, time.Now()); err != nil {
		t.Error(err)
	}
	if err := moduletest.New(t, vsphere.VM(), args).(engine.Prover).Prove(t.Context(), h, time.Now()); engine.KindOf(err) != engine.KindCheck {
		t.Errorf("another instance claims it: %v", err)
	}
}
