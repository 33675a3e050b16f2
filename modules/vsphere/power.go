package vsphere

import (
	"context"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

const poweredOn = "poweredOn"

// Check tells whether the machine has to be powered on. Which machine is meant is looked up in the estate of the
// pass; its power is asked for anew, because the check after the step must see what the step did.
func (v *vm) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if v.Power == "" {
		return engine.Diff{}, engine.BadArg{Arg: "power", Problem: `must be "on" in a step`}
	}
	found, err := v.find(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	if len(found) != 1 {
		return engine.Diff{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "find the machine", Msg: v.why(found),
			Hint: "guard the step with when = probe.NAME.found"}
	}
	now, err := v.look(ctx, host, found[0].Ref)
	if err != nil {
		return engine.Diff{}, err
	}
	v.ref = now.Ref
	if now.Power == poweredOn {
		return engine.Diff{Note: now.Name + " is " + poweredOn}, nil
	}
	return engine.Diff{
		Changes:  []engine.Change{{What: "power", Before: now.Power, After: poweredOn}},
		Commands: []string{"PowerOnVM_Task " + now.Ref + " (" + now.Name + ")"},
	}, nil
}

// Apply powers the machine on and waits until vSphere has done it; the guest may still be booting.
func (v *vm) Apply(ctx context.Context, host engine.Machine, _ engine.Diff) (any, error) {
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	if err := vsphere.PowerOn(ctx, api, v.ref); err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	now, err := v.look(ctx, host, v.ref)
	if err != nil {
		return nil, err
	}
	return machine(now), nil
}

// look reads a machine of the estate anew.
func (v *vm) look(ctx context.Context, host engine.Reader, ref string) (vsphere.VM, error) {
	api, err := host.API(ctx)
	if err != nil {
		return vsphere.VM{}, err
	}
	estate, err := fetch(ctx, host)
	if err != nil {
		return vsphere.VM{}, err
	}
	now, err := estate.Look(ctx, api, ref)
	return now, engine.Blame(err, host.Name())
}
