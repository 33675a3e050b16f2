package vsphere

import (
	"context"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

const poweredOn = "poweredOn"

// Check tells whether the machine has to be powered on, or announces the reboot of its guest.
func (v *vm) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	if v.Power == "" && v.Guest == "" {
		return engine.Diff{}, engine.BadArg{Arg: "power", Problem: `must be "on" in a step, or guest "rebooted"`}
	}
	now, err := v.one(ctx, host)
	switch {
	case err != nil:
		return engine.Diff{}, err
	case v.Guest != "":
		return v.checkReboot(ctx, host, now)
	case now.Power == poweredOn:
		return engine.Diff{Note: now.Name + " is " + poweredOn}, nil
	}
	v.request = vsphere.PoweringOn(now)
	return warned(ctx, host, engine.Diff{
		Changes:  []engine.Change{{What: "power", Before: now.Power, After: poweredOn}},
		Commands: []string{v.request.String()},
	}, v.request)
}

// one is the machine of a step. Which one is meant is looked up in the estate of the pass; how it is, is asked for anew,
// because the check after the step must see what the step did.
func (v *vm) one(ctx context.Context, host engine.Reader) (vsphere.VM, error) {
	found, err := v.key().must(ctx, host)
	if err != nil {
		return vsphere.VM{}, err
	}
	v.ref = found.Ref
	return anew(ctx, host, found.Ref)
}

// Apply powers the machine on and waits until vSphere has done it; the guest may still be booting. Or it reboots the guest,
// and waits for its VMware Tools.
func (v *vm) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	if err := v.act(ctx, host, diff); err != nil {
		return nil, err
	}
	now, err := anew(ctx, host, v.ref)
	if err != nil {
		return nil, err
	}
	return machine(now), nil
}

func (v *vm) act(ctx context.Context, host engine.Machine, diff engine.Diff) error {
	if v.Guest != "" {
		return v.reboot(ctx, host, diff)
	}
	_, err := send(ctx, host, diff, v.request)
	return err
}

// anew reads a machine of the estate once more.
func anew(ctx context.Context, host engine.Reader, ref string) (vsphere.VM, error) {
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
