package vsphere_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vmware/govmomi/simulator"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/engine/api/vsphere/vspheretest"
	"github.com/dsplay/dsplay/engine/transport/https"
)

var (
	hosts = []vspheretest.Host{{Name: "esx1"}, {Name: "esx2", Maintenance: true}}
	vms   = []vspheretest.VM{
		{Name: "guest1", UUID: "50000000-0000-0000-0000-000000000001", BIOSUUID: "42000000-0000-0000-0000-000000000001", Host: "esx2", Address: "198.51.100.1"},
		{Name: "guest2", UUID: "50000000-0000-0000-0000-000000000002", BIOSUUID: "42000000-0000-0000-0000-000000000002", Power: "suspended"},
		{Name: "clone2", UUID: "50000000-0000-0000-0000-000000000003", BIOSUUID: "42000000-0000-0000-0000-000000000002"},
		{Name: "image", UUID: "50000000-0000-0000-0000-000000000004", BIOSUUID: "42000000-0000-0000-0000-000000000004", Template: true},
	}
)

func connect(t *testing.T, s *vspheretest.Server, password string) engine.API {
	t.Helper()
	settings := https.Transport{}.Settings().(*https.Settings)
	settings.Kind, settings.Port, settings.Fingerprint = "vsphere", s.Port, s.Fingerprint
	settings.User, settings.Password = vspheretest.User, engine.Plain(password)
	conn, err := https.Transport{}.Open(t.Context(), &engine.Host{Name: "vc1", Address: s.Address, Connection: engine.Connection{Type: "https", Settings: settings}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(engine.API)
}

func fetch(t *testing.T, api engine.API) *vsphere.Estate {
	t.Helper()
	e, err := vsphere.Fetch(t.Context(), api)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func names(list []vsphere.VM) string {
	var out []string
	for _, vm := range list {
		out = append(out, vm.Name)
	}
	return strings.Join(out, " ")
}

func TestEstateIsReadAtOnce(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	e := fetch(t, connect(t, s, vspheretest.Password))
	if names(e.VMs) != "clone2 guest1 guest2 image" || len(e.Hosts) != 2 || !e.Hosts[1].Maintenance || e.Hosts[0].Version == "" {
		t.Fatalf("%+v", e)
	}
	if vm := e.VMs[1]; vm.ESXi != "esx2" || vm.Address != "198.51.100.1" || vm.Ref != s.Ref(t, "guest1") {
		t.Errorf("%+v", vm)
	}
	if n := s.Calls("RetrievePropertiesEx"); n != 2 {
		t.Errorf("%d requests for properties", n)
	}
	for _, c := range []struct{ uuid, bios, name, want string }{
		{"50000000-0000-0000-0000-000000000001", "", "", "guest1"},
		{"50000000-0000-0000-0000-00000000000F", "42000000-0000-0000-0000-000000000001", "guest1", ""},
		{"", "42000000-0000-0000-0000-000000000001", "", "guest1"},
		{"", "42000000-0000-0000-0000-000000000002", "", "clone2 guest2"},
		{"", "42000000-0000-0000-0000-000000000002", "guest2", "guest2"},
		{"", "42000000-0000-0000-0000-000000000002", "other", "clone2 guest2"},
		{"", "", "guest1", "guest1"},
		{"", "", "image", ""},
		{"", "", "", ""},
	} {
		if got := names(e.Find(c.uuid, c.bios, c.name)); got != c.want {
			t.Errorf("%v: found %q", c, got)
		}
	}
}

func TestSessionIsSharedAndEnded(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	api := connect(t, s, vspheretest.Password)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := vsphere.Fetch(context.WithoutCancel(t.Context()), api); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := api.Close(); err != nil || s.Calls("Login") != 1 || s.Calls("Logout") != 1 {
		t.Errorf("%d logins, %d logouts, %v", s.Calls("Login"), s.Calls("Logout"), err)
	}
}

func TestExpiredSessionIsReplacedOnce(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	api := connect(t, s, vspheretest.Password)
	fetch(t, api)
	s.Expire()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := vsphere.Fetch(context.WithoutCancel(t.Context()), api); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.Calls("Login"); n != 2 {
		t.Errorf("%d logins", n)
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	api := connect(t, s, "wrong")
	for range 3 {
		_, err := vsphere.Fetch(t.Context(), api)
		if engine.KindOf(err) != engine.KindAuth || engine.HintOf(err) == "" || strings.Contains(fmt.Sprint(err), "wrong") {
			t.Fatalf("want auth, got %v", err)
		}
	}
	if n := s.Calls("Login"); n != 1 {
		t.Errorf("%d logins", n)
	}
}

func TestBusyVCenterIsAskedAgain(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	api := connect(t, s, vspheretest.Password)
	s.Busy(2)
	fetch(t, api)
	s.Busy(1)
	_, err := vsphere.PoweringOn(vsphere.VM{Ref: s.Ref(t, "guest2")}).Do(t.Context(), api)
	if s.Busy(0); engine.KindOf(err) != engine.KindProtocol || s.Calls("PowerOnVM_Task") != 1 {
		t.Errorf("an act is not repeated: %v after %d calls", err, s.Calls("PowerOnVM_Task"))
	}
}

func TestPowerOn(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	api := connect(t, s, vspheretest.Password)
	ref := s.Ref(t, "guest2")
	for range 2 { // the second finds it on
		if _, err := vsphere.PoweringOn(vsphere.VM{Ref: ref}).Do(t.Context(), api); err != nil {
			t.Fatal(err)
		}
	}
	if vm, err := fetch(t, api).Look(t.Context(), api, ref); err != nil || vm.Power != "poweredOn" || vm.Name != "guest2" || vm.ESXi != "esx1" {
		t.Errorf("%+v %v", vm, err)
	}
	s.Service.AddFaultRule(&simulator.FaultInjectionRule{MethodName: "PowerOnVM_Task", ObjectType: "VirtualMachine", ObjectName: "*",
		Probability: 1, MaxCount: 1, FaultType: simulator.FaultTypeGeneric, Message: "no capacity", Enabled: true})
	if _, err := vsphere.PoweringOn(vsphere.VM{Ref: ref}).Do(t.Context(), api); engine.KindOf(err) != engine.KindModule || engine.HintOf(err) == "" {
		t.Errorf("want an explained failure, got %v", err)
	}
	if _, err := vsphere.PoweringOn(vsphere.VM{Ref: "vm-99999"}).Do(t.Context(), api); engine.KindOf(err) != engine.KindModule || !strings.Contains(fmt.Sprint(err), "vm-99999") {
		t.Errorf("a machine that does not exist: %v", err)
	}
}

func TestAsleep(t *testing.T) {
	for _, c := range []struct {
		vm     vsphere.VM
		asleep bool
	}{
		{vsphere.VM{Power: "poweredOn", GuestState: "running", ToolsRunning: "guestToolsRunning"}, false},
		{vsphere.VM{Power: "poweredOff"}, true},
		{vsphere.VM{Power: "suspended", GuestState: "running"}, true},
		{vsphere.VM{Power: "poweredOn", GuestState: "Standby"}, true},
		{vsphere.VM{Power: "poweredOn", GuestState: "notrunning", ToolsVersion: "guestToolsCurrent"}, true},
		{vsphere.VM{Power: "poweredOn", GuestState: "notRunning", ToolsVersion: "guestToolsNotInstalled"}, false},
		{vsphere.VM{Power: "poweredOn", GuestState: "notRunning", ToolsRunning: "guestToolsExecutingScripts"}, false},
		{vsphere.VM{Power: "poweredOn", GuestState: "unknown"}, false},
		{vsphere.VM{Power: "poweredOn", GuestState: "running", Connection: "disconnected"}, true},
		{vsphere.VM{}, true},
	} {
		if got := c.vm.Asleep(); (got != "") != c.asleep {
			t.Errorf("%+v: %q", c.vm, got)
		}
	}
}
