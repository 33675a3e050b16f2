package vsphere

import (
	"context"
	"errors"
	"fmt"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// Drive is the CD drive of a machine: the first one, which is the one that vSphere puts the image of VMware Tools into.
type Drive struct {
	Exists bool
	Tools  bool   // the image of VMware Tools is in it: runtime.toolsInstallerMounted
	Image  string // what is connected: "[datastore1] iso/x.iso", or the kind of its backing; empty: nothing
}

// Media reads what is in the drive of a machine.
func Media(ctx context.Context, api engine.API, ref string) (Drive, error) {
	var d Drive
	err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		var vm mo.VirtualMachine
		if err := property.DefaultCollector(c).RetrieveOne(ctx, reference(ref), []string{"runtime.toolsInstallerMounted", "config.hardware.device"}, &vm); err != nil {
			return err
		}
		d = Drive{Tools: vm.Runtime.ToolsInstallerMounted}
		if vm.Config != nil {
			d.Exists, d.Image = firstDrive(vm.Config.Hardware.Device)
		}
		d.Exists = d.Exists || d.Tools
		return nil
	})
	return d, err
}

// firstDrive finds the first CD drive among devices, and what is connected to it.
func firstDrive(devices []types.BaseVirtualDevice) (exists bool, image string) {
	for _, x := range devices {
		drive, ok := x.(*types.VirtualCdrom)
		if !ok {
			continue
		}
		if drive.Connectable == nil || !drive.Connectable.Connected {
			return true, ""
		}
		switch b := drive.Backing.(type) {
		case *types.VirtualCdromIsoBackingInfo:
			return true, b.FileName
		case *types.VirtualCdromRemotePassthroughBackingInfo, *types.VirtualCdromRemoteAtapiBackingInfo:
			return true, "the drive of somebody's console"
		default:
			return true, "a drive of the ESXi host"
		}
	}
	return false, ""
}

// Mounting is the request that puts the image of VMware Tools into the drive of a machine. vSphere answers when it is
// connected; the guest shows the drive some seconds later.
func Mounting(vm VM) Request {
	return Request{text: fmt.Sprintf("MountToolsInstaller %s (%s)", vm.Ref, vm.Name), needs: need{"VirtualMachine.Interact.ToolsInstall", reference(vm.Ref)}, explain: explainMedia,
		send: func(ctx context.Context, c *vim25.Client) (answer, error) {
			_, err := methods.MountToolsInstaller(ctx, c, &types.MountToolsInstaller{This: reference(vm.Ref)})
			return answer{}, err
		}}
}

// Unmounting is the request that takes it out again.
func Unmounting(vm VM) Request {
	return Request{text: fmt.Sprintf("UnmountToolsInstaller %s (%s)", vm.Ref, vm.Name), needs: need{"VirtualMachine.Interact.ToolsInstall", reference(vm.Ref)}, explain: explainMedia,
		send: func(ctx context.Context, c *vim25.Client) (answer, error) {
			_, err := methods.UnmountToolsInstaller(ctx, c, &types.UnmountToolsInstaller{This: reference(vm.Ref)})
			return answer{}, err
		}}
}

// explainMedia explains the faults that the API documents for both calls.
func explainMedia(op string, err error) error {
	err = explain(op, err)
	hint := "vSphere refused or failed; the recent events of the machine say more"
	switch {
	case fault.Is(err, &types.NoPermission{}):
		hint = "the user's role lacks the privilege VirtualMachine.Interact.ToolsInstall"
	case fault.Is(err, &types.InvalidPowerState{}):
		hint = "the machine must be powered on"
	case fault.Is(err, &types.InvalidState{}):
		hint = "is another image in its CD drive? ask who put it there"
	case fault.Is(err, &types.VmConfigFault{}):
		hint = "the machine needs a CD drive"
	}
	var e *engine.Error
	if errors.As(err, &e) && e.Kind == engine.KindModule {
		e.Hint = hint
	}
	return err
}
