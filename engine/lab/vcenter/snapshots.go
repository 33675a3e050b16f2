package vcenter

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// Snapshots are the names of a machine's snapshots, parents before children.
func (v *VCenter) Snapshots(vm string) (names []string) {
	machine, ok := v.model.Map().Get(v.refs[vm]).(*simulator.VirtualMachine)
	if !ok {
		return nil
	}
	v.model.Map().WithLock(v.own(), machine, func() {
		if machine.Snapshot != nil {
			names = snapshotNames(machine.Snapshot.RootSnapshotList)
		}
	})
	return names
}

// DropSnapshots makes every machine one that never had a snapshot.
func (v *VCenter) DropSnapshots() {
	for _, ref := range v.refs {
		machine, ok := v.model.Map().Get(ref).(*simulator.VirtualMachine)
		if !ok {
			continue
		}
		some := false
		v.model.Map().WithLock(v.own(), machine, func() { some = machine.Snapshot != nil })
		if !some {
			continue
		}
		if body, ok := machine.RemoveAllSnapshotsTask(v.own(), &types.RemoveAllSnapshots_Task{This: ref}).(*methods.RemoveAllSnapshots_TaskBody); ok {
			v.model.Map().Get(body.Res.Returnval).(*simulator.Task).Wait()
		}
	}
}

func snapshotNames(tree []types.VirtualMachineSnapshotTree) (names []string) {
	for _, s := range tree {
		names = append(append(names, s.Name), snapshotNames(s.ChildSnapshotList)...)
	}
	return names
}
