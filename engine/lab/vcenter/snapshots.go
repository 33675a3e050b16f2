package vcenter

import (
	"github.com/vmware/govmomi/simulator"
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

func snapshotNames(tree []types.VirtualMachineSnapshotTree) (names []string) {
	for _, s := range tree {
		names = append(append(names, s.Name), snapshotNames(s.ChildSnapshotList)...)
	}
	return names
}
