package vcenter

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// ToolsImage is what MountToolsInstaller puts into the drive of a Windows machine: the path on the ESXi host (high).
const ToolsImage = "[] /usr/lib/vmware/isoimages/windows.iso"

// drives answers the calls about CD drives and the image of VMware Tools, which the simulator does not know.
//
// What is certain: the first drive is used (VMware's documents of Tools), runtime.toolsInstallerMounted tells of it, and that
// Tools need not run. That a machine that is not powered on is refused with InvalidPowerState: high. That another image in the
// drive is refused with InvalidState, and a machine without a drive with VmConfigFault: unverified, the faults that the API
// lists for the method. That taking out what is not in is no fault: unverified.
type drives struct {
	mo.GuestAliasManager // any managed object: the simulator's searches look at each one as such
	v                    *VCenter
}

func newDrives(v *VCenter) *drives {
	d := &drives{v: v}
	d.Self = types.ManagedObjectReference{Type: "LabDrives", Value: "lab"} // no object of the inventory has it
	return d
}

// direct sends the calls to drives, wherever they are addressed to; the body still says which machine is meant.
func (d *drives) direct(method *simulator.Method) {
	if method.Name == "MountToolsInstaller" || method.Name == "UnmountToolsInstaller" {
		method.This = d.Self
	}
}

// MountToolsInstaller puts the image in.
func (d *drives) MountToolsInstaller(ctx *simulator.Context, req *types.MountToolsInstaller) soap.HasFault {
	body := new(methods.MountToolsInstallerBody)
	vm, fault := d.machine(req.This)
	if fault == nil {
		ctx.Map.WithLock(ctx, vm, func() {
			if fault = mountable(vm); fault == nil {
				ctx.Map.Update(ctx, vm, with(vm, ToolsImage))
			}
		})
	}
	if fault != nil {
		body.Fault_ = simulator.Fault("", fault)
		return body
	}
	d.tell(vm, ToolsImage)
	body.Res = new(types.MountToolsInstallerResponse)
	return body
}

// mountable says why the image cannot be put in; nil: it can.
func mountable(vm *simulator.VirtualMachine) types.BaseMethodFault {
	drive := driveOf(vm)
	switch {
	case vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn:
		return &types.InvalidPowerState{RequestedState: types.VirtualMachinePowerStatePoweredOn, ExistingState: vm.Runtime.PowerState}
	case drive == nil:
		return new(types.VmConfigFault)
	case imageOf(drive) != "" && imageOf(drive) != ToolsImage:
		return new(types.InvalidState)
	}
	return nil
}

// UnmountToolsInstaller takes it out.
func (d *drives) UnmountToolsInstaller(ctx *simulator.Context, req *types.UnmountToolsInstaller) soap.HasFault {
	body := new(methods.UnmountToolsInstallerBody)
	vm, fault := d.machine(req.This)
	if fault != nil {
		body.Fault_ = simulator.Fault("", fault)
		return body
	}
	mounted := false
	ctx.Map.WithLock(ctx, vm, func() {
		if mounted = vm.Runtime.ToolsInstallerMounted; mounted {
			ctx.Map.Update(ctx, vm, with(vm, ""))
		}
	})
	if mounted {
		d.tell(vm, "")
	}
	body.Res = new(types.UnmountToolsInstallerResponse)
	return body
}

func (d *drives) machine(ref types.ManagedObjectReference) (*simulator.VirtualMachine, types.BaseMethodFault) {
	if vm, ok := d.v.model.Map().Get(ref).(*simulator.VirtualMachine); ok {
		return vm, nil
	}
	return nil, &types.ManagedObjectNotFound{Obj: ref}
}

func (d *drives) tell(vm *simulator.VirtualMachine, image string) {
	if d.v.cfg.Inserted != nil {
		d.v.cfg.Inserted(d.v.names[vm.Self], image)
	}
}

// Insert makes a machine's drive hold an image: "" none, ToolsImage, or another one; a drive that was removed comes back. It does not come back through Inserted.
func (v *VCenter) Insert(vm, image string) {
	registry := v.model.Map()
	if machine, ok := registry.Get(v.refs[vm]).(*simulator.VirtualMachine); ok {
		registry.AtomicUpdate(v.own(), machine, with(machine, image))
	}
}

// Image is what is in a machine's drive.
func (v *VCenter) Image(vm string) (image string) {
	registry := v.model.Map()
	if machine, ok := registry.Get(v.refs[vm]).(*simulator.VirtualMachine); ok {
		registry.WithLock(v.own(), machine, func() {
			if drive := driveOf(machine); drive != nil {
				image = imageOf(drive)
			}
		})
	}
	return image
}

// RemoveDrive takes the CD drive itself away, with what is in it.
func (v *VCenter) RemoveDrive(vm string) {
	registry := v.model.Map()
	if machine, ok := registry.Get(v.refs[vm]).(*simulator.VirtualMachine); ok {
		registry.AtomicUpdate(v.own(), machine, properties("", slices.DeleteFunc(slices.Clone(machine.Config.Hardware.Device), func(d types.BaseVirtualDevice) bool {
			_, drive := d.(*types.VirtualCdrom)
			return drive
		})))
	}
}

// with are the properties of a machine with an image in its drive. Machines share their devices until then.
func with(vm *simulator.VirtualMachine, image string) []types.PropertyChange {
	devices := slices.Clone(vm.Config.Hardware.Device)
	if driveOf(vm) == nil {
		devices = append(devices, new(types.VirtualCdrom))
	}
	for i, d := range devices {
		if old, ok := d.(*types.VirtualCdrom); ok {
			drive := *old
			drive.Connectable = &types.VirtualDeviceConnectInfo{AllowGuestControl: true, Connected: image != ""}
			drive.Backing = &types.VirtualCdromIsoBackingInfo{VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: image}}
			devices[i] = &drive
			break
		}
	}
	return properties(image, devices)
}

func properties(image string, devices []types.BaseVirtualDevice) []types.PropertyChange {
	return []types.PropertyChange{
		{Name: "runtime.toolsInstallerMounted", Val: image == ToolsImage},
		{Name: "summary.runtime.toolsInstallerMounted", Val: image == ToolsImage},
		{Name: "config.hardware.device", Val: devices},
	}
}

func driveOf(vm *simulator.VirtualMachine) *types.VirtualCdrom {
	for _, d := range vm.Config.Hardware.Device {
		if drive, ok := d.(*types.VirtualCdrom); ok {
			return drive
		}
	}
	return nil
}

// imageOf is what is connected.
func imageOf(drive *types.VirtualCdrom) string {
	if backing, ok := drive.Backing.(*types.VirtualCdromIsoBackingInfo); ok && drive.Connectable != nil && drive.Connectable.Connected {
		return backing.FileName
	}
	return ""
}
