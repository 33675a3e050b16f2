package vsphere

import (
	"context"
	"errors"
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

// PowerOn powers a machine on, or resumes a suspended one, and waits until vSphere has done so. One that is on
// already is no failure. It ends with ctx; the task then goes on in vSphere.
func PowerOn(ctx context.Context, api engine.API, ref string) error {
	var started types.ManagedObjectReference
	err := Do(ctx, api, func(ctx context.Context, c *vim25.Client) error {
		answer, err := methods.PowerOnVM_Task(ctx, c, &types.PowerOnVM_Task{This: reference(ref)})
		if err == nil {
			started = answer.Returnval
		}
		return err
	})
	if err == nil {
		_, err = wait(ctx, api, "power on", started)
	}
	if isOn(err) {
		return nil
	}
	return powerError(ref, err)
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
	if err == nil {
		return false
	}
	on := false
	fault.In(err, func(f types.BaseMethodFault, _ string, _ []types.LocalizableMessage) bool {
		if state, ok := f.(*types.InvalidPowerState); ok {
			on = state.ExistingState == types.VirtualMachinePowerStatePoweredOn
		}
		return on
	})
	return on
}

func powerError(ref string, err error) error {
	err = explain("PowerOnVM_Task "+ref, err)
	var e *engine.Error
	if errors.As(err, &e) && e.Kind == engine.KindModule && e.Hint == "" {
		e.Hint = "vSphere refused or failed; its recent tasks of the machine say more"
	}
	return err
}
