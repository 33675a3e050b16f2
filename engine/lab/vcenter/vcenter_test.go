package vcenter_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/dsplay/dsplay/engine/lab/vcenter"
)

type seen struct {
	mu    sync.Mutex
	lines []string
	power []string
}

func (s *seen) add(list *[]string, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, line)
}

func start(t *testing.T, hosts, guests int) (*vcenter.VCenter, *url.URL, *seen) {
	t.Helper()
	s := &seen{}
	cfg := vcenter.Config{User: "ops@vsphere.local", Password: "s3cret",
		Record:   func(user, text string, mutates bool) { s.add(&s.lines, fmt.Sprintf("%s|%s|%v", user, text, mutates)) },
		Changed:  func(vm string, p vcenter.Power) { s.add(&s.power, vm+" "+string(p)) },
		Rebooted: func(vm string) { s.add(&s.power, vm+" rebooted") },
	}
	for h := range hosts {
		host := fmt.Sprintf("esx%d", h+1)
		cfg.Hosts = append(cfg.Hosts, host)
		for g := range guests {
			cfg.VMs = append(cfg.VMs, vcenter.VM{Name: fmt.Sprintf("guest%d-%d", h+1, g+1), Host: host,
				UUID: fmt.Sprintf("421e1137-5c49-56e4-%04d-%012d", h, g), InstanceUUID: fmt.Sprintf("501e1137-5c49-56e4-%04d-%012d", h, g), Power: vcenter.On})
		}
	}
	v, err := vcenter.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	server := httptest.NewTLSServer(v)
	t.Cleanup(server.Close)
	u, _ := url.Parse(server.URL + "/sdk")
	return v, u, s
}

func login(t *testing.T, u *url.URL, password string) (*govmomi.Client, error) {
	t.Helper()
	with := *u
	with.User = url.UserPassword("ops@vsphere.local", password)
	return govmomi.NewClient(t.Context(), &with, true)
}

func find(t *testing.T, c *govmomi.Client, uuid string) *object.VirtualMachine {
	t.Helper()
	ref, err := object.NewSearchIndex(c.Client).FindByUuid(t.Context(), nil, uuid, true, nil)
	if err != nil || ref == nil {
		t.Fatalf("FindByUuid %s: %v %v", uuid, ref, err)
	}
	return object.NewVirtualMachine(c.Client, ref.Reference())
}

func wait(t *testing.T, task *object.Task, err error) error {
	t.Helper()
	if err != nil {
		return err
	}
	return task.Wait(t.Context())
}

func TestWrongPasswordIsRefused(t *testing.T) {
	_, u, _ := start(t, 1, 1)
	if _, err := login(t, u, "wrong"); err == nil || !strings.Contains(err.Error(), "incorrect user name or password") && !strings.Contains(err.Error(), "Login failure") {
		t.Errorf("login with a wrong password: %v", err)
	}
}

func TestInventory(t *testing.T) {
	_, u, _ := start(t, 3, 4)
	c, err := login(t, u, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	m, err := view.NewManager(c.Client).CreateContainerView(ctx, c.ServiceContent.RootFolder, []string{"VirtualMachine", "HostSystem"}, true)
	if err != nil {
		t.Fatal(err)
	}
	var vms []mo.VirtualMachine
	var hosts []mo.HostSystem
	if err := m.Retrieve(ctx, []string{"VirtualMachine"}, []string{"name", "config.uuid", "runtime.host", "runtime.powerState", "guest.toolsRunningStatus"}, &vms); err != nil {
		t.Fatal(err)
	}
	if err := m.Retrieve(ctx, []string{"HostSystem"}, []string{"name", "vm", "parent"}, &hosts); err != nil {
		t.Fatal(err)
	}
	on := map[string]string{}
	for _, h := range hosts {
		on[h.Self.Value] = h.Name
		if len(h.Vm) != 4 {
			t.Errorf("%s has %d machines, want 4", h.Name, len(h.Vm))
		}
	}
	if len(hosts) != 3 || len(vms) != 12 {
		t.Fatalf("%d hosts, %d machines", len(hosts), len(vms))
	}
	for _, vm := range vms {
		if host := on[vm.Runtime.Host.Value]; "guest"+strings.TrimPrefix(host, "esx") != strings.Split(vm.Name, "-")[0] {
			t.Errorf("%s runs on %s", vm.Name, host)
		}
		if vm.Runtime.PowerState != "poweredOn" || vm.Guest.ToolsRunningStatus != "guestToolsRunning" {
			t.Errorf("%s is %s, %s", vm.Name, vm.Runtime.PowerState, vm.Guest.ToolsRunningStatus)
		}
	}
}

func TestPowerRoundTrip(t *testing.T) {
	v, u, s := start(t, 2, 2)
	c, err := login(t, u, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	vm := find(t, c, "421e1137-5c49-56e4-0001-000000000001")
	v.Set("guest2-2", vcenter.State{Power: vcenter.Standby})
	v.Set("guest2-2", vcenter.State{Power: vcenter.Suspended})
	if len(s.power) != 0 {
		t.Errorf("the lab's own changes came back: %v", s.power)
	}
	if p, _ := vm.PowerState(t.Context()); p != "suspended" {
		t.Errorf("power is %s after Set", p)
	}
	task, err := vm.PowerOn(t.Context())
	if err := wait(t, task, err); err != nil {
		t.Fatal(err)
	}
	task, err = vm.Suspend(t.Context())
	if err := wait(t, task, err); err != nil {
		t.Fatal(err)
	}
	task, err = vm.Suspend(t.Context())
	if err := wait(t, task, err); err == nil {
		t.Error("a second suspend succeeded")
	}
	if want := []string{"guest2-2 on", "guest2-2 suspended"}; !slices.Equal(s.power, want) {
		t.Errorf("told %v, want %v", s.power, want)
	}
	if !slices.ContainsFunc(s.lines, func(l string) bool {
		return strings.HasPrefix(l, "ops@vsphere.local|PowerOnVM_Task VirtualMachine:") && strings.HasSuffix(l, "(guest2-2)|true")
	}) {
		t.Errorf("no PowerOn in %v", s.lines)
	}
	for _, l := range s.lines {
		if strings.HasSuffix(l, "|true") && !strings.Contains(l, "PowerOnVM") && !strings.Contains(l, "SuspendVM") || strings.Contains(l, "s3cret") {
			t.Errorf("recorded %q", l)
		}
	}
}

func TestReboot(t *testing.T) {
	v, u, s := start(t, 1, 1)
	c, err := login(t, u, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	vm := find(t, c, "421e1137-5c49-56e4-0000-000000000000")
	if err := vm.RebootGuest(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.Set("guest1-1", vcenter.State{Power: vcenter.On, Tools: false})
	if err := vm.RebootGuest(t.Context()); err == nil || !soap.IsSoapFault(err) {
		t.Errorf("reboot without Tools: %v", err)
	}
	if want := []string{"guest1-1 rebooted"}; !slices.Equal(s.power, want) {
		t.Errorf("told %v, want %v", s.power, want)
	}
}

// TestMany holds the reason for copying: the simulator's own way takes three minutes for this many.
func TestMany(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a big estate")
	}
	_, u, _ := start(t, 20, 50)
	c, err := login(t, u, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	var vms []mo.VirtualMachine
	m, err := view.NewManager(c.Client).CreateContainerView(context.Background(), c.ServiceContent.RootFolder, []string{"VirtualMachine"}, true)
	if err == nil {
		err = m.Retrieve(t.Context(), []string{"VirtualMachine"}, []string{"name"}, &vms)
	}
	if err != nil || len(vms) != 1000 {
		t.Errorf("%d machines, %v", len(vms), err)
	}
}
