package vsphere

import (
	"context"
	"fmt"
	"time"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/task"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// Look reads one machine anew. The name of its ESXi host is that of the estate.
func (e *Estate) Look(ctx context.Context, api engine.API, ref string) (VM, error) {
	var vm VM
	err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		var content []types.ObjectContent
		if err := property.DefaultCollector(c).Retrieve(ctx, []types.ManagedObjectReference{reference(ref)}, vmProperties, &content); err != nil {
			return err
		}
		var list []mo.VirtualMachine
		if err := load(content, &list); err != nil {
			return err
		}
		if len(list) != 1 {
			return fmt.Errorf("vSphere tells nothing about %s", ref)
		}
		vm = newVM(list[0])
		e.nameHost(&vm)
		return nil
	})
	return vm, err
}

// PoweringOn is the request that powers a machine on, or resumes a suspended one.
func PoweringOn(vm VM) Request {
	return Request{text: fmt.Sprintf("PowerOnVM_Task %s (%s)", vm.Ref, vm.Name), needs: need{"VirtualMachine.Interact.PowerOn", reference(vm.Ref)}, already: isOn,
		send: func(ctx context.Context, c *vim25.Client) (a answer, err error) {
			r, err := methods.PowerOnVM_Task(ctx, c, &types.PowerOnVM_Task{This: reference(vm.Ref)})
			if err == nil {
				a.task = r.Returnval
			}
			return a, err
		}}
}

func reference(ref string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "VirtualMachine", Value: ref}
}

// wait looks at the task until it has ended, and gives the managed object id of its result, if it has one. It does not let vSphere hold the request until something changes
// (WaitForUpdates): a proxy or request_timeout would cut that, and it would look like a lost connection.
func wait(ctx context.Context, api engine.API, op string, ref types.ManagedObjectReference) (string, error) {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		var t mo.Task
		err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
			return property.DefaultCollector(c).RetrieveOne(ctx, ref, []string{"info.state", "info.error", "info.result"}, &t)
		})
		switch {
		case err != nil:
			return "", err
		case t.Info.State == types.TaskInfoStateSuccess:
			result, _ := t.Info.Result.(types.ManagedObjectReference)
			return result.Value, nil
		case t.Info.State == types.TaskInfoStateError:
			return "", &task.Error{LocalizedMethodFault: t.Info.Error}
		}
		if err := engine.Wait(ctx, pause); err != nil {
			return "", &engine.Error{Kind: engine.KindTimeout, Op: op, Msg: "the task has not ended; it goes on in vSphere", Err: err,
				Hint: "look at the recent tasks of the machine: it may wait for the answer to a question"}
		}
	}
}

func isOn(err error) bool {
	on := false
	fault.In(err, func(f types.BaseMethodFault, _ string, _ []types.LocalizableMessage) bool {
		if state, ok := f.(*types.InvalidPowerState); ok {
			on = state.ExistingState == types.VirtualMachinePowerStatePoweredOn
		}
		return on
	})
	return on
}
