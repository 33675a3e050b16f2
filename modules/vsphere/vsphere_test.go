package vsphere_test

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vmware/govmomi/simulator"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere/vspheretest"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/vsphere"
)

// scenario is one file in testdata: arguments and a vCenter, and what the module makes of them. A step is checked,
// applied and checked again. A new case is a new file. REF in a text is the managed object id of the first machine.
type scenario struct {
	Why     string             `json:"why"`
	As      string             `json:"as"` // "probe" or "step"
	Args    map[string]any     `json:"args"`
	Hosts   []vspheretest.Host `json:"hosts"`
	VMs     []vspheretest.VM   `json:"vms"`
	Busy    int                `json:"busy"`  // so many calls are refused with 503
	Fault   string             `json:"fault"` // PowerOnVM_Task fails with this message
	Result  map[string]any     `json:"result"`
	Change  *engine.Change     `json:"change"`
	Command string             `json:"command"`
	Note    string             `json:"note"`
	Invalid string             `json:"invalid"` // Validate refuses this argument
	Error   string             `json:"error"`
}

func TestCases(t *testing.T) {
	moduletest.Each(t, "testdata/*.json", 16, func(t *testing.T, c *scenario) { c.run(t) })
}

func (c *scenario) run(t *testing.T) {
	instance := moduletest.New(t, vsphere.VM(), c.Args)
	err := instance.(engine.Validator).Validate()
	var bad engine.BadArg
	if c.Invalid != "" {
		if !errors.As(err, &bad) || bad.Arg != c.Invalid {
			t.Errorf("Validate: %v, want a BadArg for %s", err, c.Invalid)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	s := vspheretest.Start(t, c.Hosts, c.VMs)
	s.Busy(c.Busy)
	if c.Fault != "" {
		s.Service.AddFaultRule(&simulator.FaultInjectionRule{MethodName: "PowerOnVM_Task", ObjectType: "VirtualMachine", ObjectName: "*",
			Probability: 1, FaultType: simulator.FaultTypeGeneric, Message: c.Fault, Enabled: true})
	}
	h := connect(t, s)
	var result any
	if c.As == "probe" {
		result, err = instance.(engine.Prober).Probe(t.Context(), h)
	} else {
		result, err = c.step(t, s, h, instance)
	}
	switch {
	case c.Error != "" && (err == nil || !strings.Contains(err.Error(), c.Error)):
		t.Errorf("error %v, want %q", err, c.Error)
	case c.Error == "" && err != nil:
		t.Error(err)
	case err == nil && result != nil:
		moduletest.Compare(t, vsphere.VM(), result, c.Result)
	}
}

func (c *scenario) step(t *testing.T, s *vspheretest.Server, h *moduletest.APIHost, instance any) (any, error) {
	diff, err := instance.(engine.Checker).Check(t.Context(), h)
	if err != nil {
		return nil, err
	}
	if again, err := instance.(engine.Checker).Check(t.Context(), h); err != nil || !reflect.DeepEqual(diff, again) {
		t.Errorf("asked twice in the same world: %+v and %+v, %v", diff, again, err)
	}
	if c.Change == nil {
		if !diff.Empty() || diff.Note != c.Note || c.Note == "" {
			t.Errorf("want nothing to do and the note %q: %+v", c.Note, diff)
		}
		return nil, nil
	}
	command := strings.ReplaceAll(c.Command, "REF", s.Ref(t, c.VMs[0].Name))
	if len(diff.Changes) != 1 || diff.Changes[0] != *c.Change || len(diff.Commands) != 1 || diff.Commands[0] != command {
		t.Errorf("diff %+v, want %+v by %q", diff, *c.Change, command)
	}
	if e := instance.(engine.Effecter).Effects(); len(e) != 1 || e[0] != engine.EffectPower {
		t.Errorf("effects %v", e)
	}
	result, err := instance.(engine.Applier).Apply(t.Context(), h, diff)
	if err != nil {
		return nil, err
	}
	if after, err := instance.(engine.Checker).Check(t.Context(), h); err != nil || !after.Empty() {
		t.Errorf("a difference remains: %+v, %v", after, err)
	}
	return result, nil
}

func connect(t *testing.T, s *vspheretest.Server) *moduletest.APIHost {
	t.Helper()
	settings := https.Transport{}.Settings().(*https.Settings)
	settings.Kind, settings.Port, settings.Fingerprint = "vsphere", s.Port, s.Fingerprint
	settings.User, settings.Password = vspheretest.User, engine.Plain(vspheretest.Password)
	conn, err := https.Transport{}.Open(t.Context(), &engine.Host{Name: "vc1", Address: s.Address, Connection: engine.Connection{Type: "https", Settings: settings}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return moduletest.OnAPI("vc1", conn.(engine.API))
}

func TestManyProbesAreOneBulkRequest(t *testing.T) {
	var vms []vspheretest.VM
	for i := range 20 {
		vms = append(vms, vspheretest.VM{Name: "guest" + strconv.Itoa(i), UUID: "50000000-0000-0000-0000-0000000000" + strconv.Itoa(10+i)})
	}
	s := vspheretest.Start(t, []vspheretest.Host{{Name: "esx1"}}, vms)
	h := connect(t, s)
	var wg sync.WaitGroup
	for _, vm := range vms {
		wg.Go(func() {
			instance := moduletest.New(t, vsphere.VM(), map[string]any{"uuid": vm.UUID})
			got, err := instance.(engine.Prober).Probe(context.WithoutCancel(t.Context()), h)
			if err != nil || got.(vsphere.Machine).Name != vm.Name {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := s.Calls("RetrievePropertiesEx"); n != 2 {
		t.Errorf("%d requests for 20 probes, want one for the machines and one for the hosts", n)
	}
}
