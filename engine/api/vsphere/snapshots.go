package vsphere

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// Snapshot is one of a machine.
type Snapshot struct {
	Ref, Name, Description string
	Created                time.Time // by the clock of the vCenter or of the ESXi host
}

// SnapshotsOf reads the snapshots of a machine anew, parents before children.
func SnapshotsOf(ctx context.Context, api engine.API, vm VM) ([]Snapshot, error) {
	var list []Snapshot
	err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		list = nil
		var content []types.ObjectContent // without snapshots a machine does not have the property
		if err := property.DefaultCollector(c).Retrieve(ctx, []types.ManagedObjectReference{reference(vm.Ref)}, []string{"snapshot"}, &content); err != nil {
			return err
		}
		var found []mo.VirtualMachine
		if err := load(content, &found); err != nil {
			return err
		}
		if len(found) == 1 && found[0].Snapshot != nil {
			list = flat(found[0].Snapshot.RootSnapshotList)
		}
		return nil
	})
	return list, err
}

func flat(tree []types.VirtualMachineSnapshotTree) (list []Snapshot) {
	for _, s := range tree {
		list = append(list, Snapshot{Ref: s.Snapshot.Value, Name: escapes.Replace(s.Name), Description: s.Description, Created: s.CreateTime})
		list = append(list, flat(s.ChildSnapshotList)...)
	}
	return list
}

// Snapping is the request for a snapshot of the disks: without memory, so the machine is not held up for long, and without
// quiescing, for which VMware Tools would have to answer.
func Snapping(vm VM, name, description string) Request {
	return Request{text: fmt.Sprintf("CreateSnapshot_Task %s name=%q description=%q memory=false quiesce=false (%s)", vm.Ref, name, description, vm.Name), needs: need{"VirtualMachine.State.CreateSnapshot", reference(vm.Ref)},
		send: func(ctx context.Context, c *vim25.Client) (a answer, err error) {
			r, err := methods.CreateSnapshot_Task(ctx, c, &types.CreateSnapshot_Task{This: reference(vm.Ref), Name: name, Description: description})
			if err == nil {
				a.task = r.Returnval
			}
			return a, err
		}}
}

// Dropping is the request that removes this snapshot and no other: its children stay, with what it held.
func Dropping(vm VM, s Snapshot) Request {
	return Request{text: fmt.Sprintf("RemoveSnapshot_Task %s removeChildren=false (%s of %s)", s.Ref, strings.TrimSpace(s.Name), vm.Name), needs: need{"VirtualMachine.State.RemoveSnapshot", reference(vm.Ref)},
		send: func(ctx context.Context, c *vim25.Client) (a answer, err error) {
			r, err := methods.RemoveSnapshot_Task(ctx, c, &types.RemoveSnapshot_Task{This: types.ManagedObjectReference{Type: "VirtualMachineSnapshot", Value: s.Ref}})
			if err == nil {
				a.task = r.Returnval
			}
			return a, err
		}}
}
