package vcenter

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine/lab/guestops"
)

// creating guards what the simulator keeps in variables of its package (its evaluation license, written by every
// Create): several labs may start in one process.
var creating sync.Mutex

// build makes one datacenter with one cluster, its hosts, and the machines as copies of one that the simulator made.
func (v *VCenter) build() error {
	creating.Lock()
	defer creating.Unlock()
	v.model = simulator.VPX()
	v.model.Host, v.model.Cluster, v.model.ClusterHost, v.model.Machine, v.model.Portgroup = 0, 1, 1, 1, 0
	v.model.ServiceContent.About.InstanceUuid = uuid.NewSHA1(uuid.NameSpaceDNS, sum(v.cfg.Hosts)).String()
	if err := v.model.Create(); err != nil {
		return err
	}
	hosts, err := v.addHosts()
	if err != nil {
		return err
	}
	template, ok := v.model.Map().Any("VirtualMachine").(*simulator.VirtualMachine)
	if !ok {
		return errors.New("the simulator made no machine to copy")
	}
	for _, vm := range v.cfg.VMs {
		host := hosts[vm.Host]
		if host == nil {
			return fmt.Errorf("%s is to run on %q, which is no host", vm.Name, vm.Host)
		}
		v.place(template, host, vm)
	}
	v.drop(template)
	return nil
}

func sum(names []string) []byte {
	h := sha256.Sum256(fmt.Append(nil, names))
	return h[:]
}

// addHosts renames the first host, on which the template runs, and adds the others to its cluster.
func (v *VCenter) addHosts() (map[string]*simulator.HostSystem, error) {
	registry := v.model.Map()
	first := registry.Any("HostSystem").(*simulator.HostSystem)
	first.Name, first.Summary.Config.Name = v.cfg.Hosts[0], v.cfg.Hosts[0]
	hosts := map[string]*simulator.HostSystem{v.cfg.Hosts[0]: first}
	cluster := registry.Any("ClusterComputeResource").(*simulator.ClusterComputeResource)
	cluster.Name = "cluster1"
	tasks := map[string]*simulator.Task{}
	for _, name := range v.cfg.Hosts[1:] {
		task, err := v.addHost(cluster, name)
		if err != nil {
			return nil, err
		}
		tasks[name] = task
	}
	for name, task := range tasks {
		task.Wait()
		ref, ok := task.Info.Result.(types.ManagedObjectReference)
		if !ok {
			return nil, fmt.Errorf("add host %s: %v", name, task.Info.Error)
		}
		host := registry.Get(ref).(*simulator.HostSystem)
		host.Datastore, host.Network = first.Datastore, first.Network
		hosts[name] = host
	}
	for name, host := range hosts {
		v.names[host.Self] = name
	}
	v.addAgents(hosts)
	return hosts, nil
}

// addHost calls the simulator below its SOAP layer, whose property collector makes every task cost 40 ms.
func (v *VCenter) addHost(cluster *simulator.ClusterComputeResource, name string) (*simulator.Task, error) {
	request := &types.AddHost_Task{This: cluster.Self, Spec: types.HostConnectSpec{HostName: name}, AsConnected: true}
	body, ok := cluster.AddHostTask(v.own(), request).(*methods.AddHost_TaskBody)
	if !ok || body.Fault() != nil {
		return nil, fmt.Errorf("add host %s: %v", name, body.Fault())
	}
	return v.model.Map().Get(body.Res.Returnval).(*simulator.Task), nil
}

// place puts a copy of template on host. Copies share what the lab never changes: storage, devices.
func (v *VCenter) place(template *simulator.VirtualMachine, host *simulator.HostSystem, vm VM) {
	registry := v.model.Map()
	c := *template
	config, guest, guestSummary := *template.Config, types.GuestInfo{}, types.VirtualMachineGuestSummary{}
	c.Config, c.Guest, c.Summary.Guest = &config, &guest, &guestSummary
	c.Layout, c.LayoutEx = ownLayout(template)
	c.Self = types.ManagedObjectReference{}
	c.Name, config.Name, config.Uuid, config.InstanceUuid = vm.Name, vm.Name, vm.UUID, vm.InstanceUUID
	config.GuestId, config.GuestFullName = vm.GuestID, vm.GuestName
	config.Files.LogDirectory = fmt.Sprintf("[%s] %s/", datastore, vm.Name)
	config.Files.VmPathName = fmt.Sprintf("[LocalDS_0] %s/%s.vmx", vm.Name, vm.Name)
	guest.GuestId, guest.GuestFullName, guest.HostName, guest.IpAddress = vm.GuestID, vm.GuestName, vm.HostName, vm.Address
	guest.GuestFamily, guest.ToolsInstallType = family(vm.GuestID), "guestToolsTypeMSI"
	if guest.GuestFamily != guestops.Windows {
		guest.ToolsInstallType = "guestToolsTypeOpenVMTools"
	}
	guest.ToolsVersionStatus2, guest.ToolsVersion = "guestToolsCurrent", "12352"
	c.Runtime.Host, c.Runtime.PowerState = &host.Self, types.VirtualMachinePowerStatePoweredOff
	c.Summary.Runtime = c.Runtime
	c.Summary.Config.Name, c.Summary.Config.Uuid, c.Summary.Config.InstanceUuid = vm.Name, vm.UUID, vm.InstanceUUID
	c.Summary.Config.GuestId, c.Summary.Config.GuestFullName, c.Summary.Config.VmPathName = vm.GuestID, vm.GuestName, config.Files.VmPathName
	guestSummary.HostName, guestSummary.IpAddress = vm.HostName, vm.Address
	registry.Put(&c)
	c.Summary.Vm = &c.Self
	v.refs[vm.Name], v.names[c.Self] = c.Self, vm.Name
	host.Vm = append(host.Vm, c.Self)
	v.link(&c)
	v.Insert(vm.Name, vm.Image)
	v.Set(vm.Name, State{Power: vm.Power, Tools: true})
}

// ownLayout is a copy of what snapshots change.
func ownLayout(template *simulator.VirtualMachine) (*types.VirtualMachineFileLayout, *types.VirtualMachineFileLayoutEx) {
	layout, extended := *template.Layout, *template.LayoutEx
	layout.Snapshot, extended.Snapshot, extended.File = slices.Clone(layout.Snapshot), slices.Clone(extended.Snapshot), slices.Clone(extended.File)
	return &layout, &extended
}

// family is what VMware Tools say of a guest with this id.
func family(guestID string) string {
	if strings.HasPrefix(guestID, "win") {
		return guestops.Windows
	}
	return guestops.Linux
}

// link makes the machine known to its folder, its resource pool, its datastores and networks.
func (v *VCenter) link(c *simulator.VirtualMachine) {
	registry := v.model.Map()
	if f, ok := registry.Get(*c.Parent).(*simulator.Folder); ok {
		f.ChildEntity = append(f.ChildEntity, c.Self)
	}
	if p, ok := registry.Get(*c.ResourcePool).(*simulator.ResourcePool); ok {
		p.Vm = append(p.Vm, c.Self)
	}
	for _, ref := range c.Datastore {
		if d, ok := registry.Get(ref).(*simulator.Datastore); ok {
			d.Vm = append(d.Vm, c.Self)
		}
	}
}

// drop removes the template and every reference to it.
func (v *VCenter) drop(template *simulator.VirtualMachine) {
	registry := v.model.Map()
	simulator.RemoveReference(&registry.Get(*template.Parent).(*simulator.Folder).ChildEntity, template.Self)
	simulator.RemoveReference(&registry.Get(*template.ResourcePool).(*simulator.ResourcePool).Vm, template.Self)
	simulator.RemoveReference(&registry.Get(*template.Runtime.Host).(*simulator.HostSystem).Vm, template.Self)
	for _, ref := range template.Datastore {
		simulator.RemoveReference(&registry.Get(ref).(*simulator.Datastore).Vm, template.Self)
	}
	registry.Remove(v.own(), template.Self)
}
