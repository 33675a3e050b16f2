package vsphere

import (
	"context"
	"fmt"
	"slices"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// ESXiLockdown looks whether an ESXi host is locked down.
func ESXiLockdown() engine.Module {
	return engine.Module{
		Name: "esxi_lockdown",
		Doc: `Looks whether an ESXi host is in lockdown mode, which keeps everybody but its exceptions from logging in over SSH.
The host that does it (on) is the vCenter. There is no step: leaving lockdown mode is an administrator's decision, in vCenter.
Each login that is refused counts as a wrong password, and ESXi locks accounts after some of them: look before you connect.`,
		New:     func() any { return &lockdown{User: "root"} },
		Result:  Lockdown{},
		Targets: []string{"vsphere"},
	}
}

type lockdown struct {
	Name string `hcl:"name,optional" executed:"true" doc:"Name of the ESXi host in vCenter, exact."`
	Ref  string `hcl:"ref,optional" executed:"true" doc:"Managed object id of the ESXi host (\"host-21\"), instead of the name: esxi_ref of the source vsphere."`
	User string `hcl:"user,optional" doc:"The account of which ssh tells."`
}

// Lockdown is what vCenter says of the lockdown of an ESXi host.
type Lockdown struct {
	Found           bool     `hcl:"found" doc:"Whether vCenter knows and reaches exactly one such ESXi host."`
	Mode            string   `hcl:"mode" doc:"lockdownDisabled, lockdownNormal or lockdownStrict; empty when it was not found."`
	Exceptions      []string `hcl:"exceptions" doc:"Accounts that it does not concern; empty while it is disabled."`
	ExceptionsKnown bool     `hcl:"exceptions_known" doc:"Whether vCenter told them; false while it is disabled."`
	Refused         bool     `hcl:"refused" doc:"Whether lockdown keeps the user from logging in over SSH; true, too, when nobody told whether it is excepted."`
	Message         string   `hcl:"message" doc:"Why it is refused, or was not found; empty otherwise."`
}

// Validate refuses what says of no account.
func (l *lockdown) Validate() error {
	if l.User == "" {
		return engine.BadArg{Arg: "user", Problem: "must name an account"}
	}
	return nil
}

// Probe asks.
func (l *lockdown) Probe(ctx context.Context, host engine.Reader) (any, error) {
	h, why, err := which{l.Name, l.Ref}.find(ctx, host)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return Lockdown{Message: why}, nil
	}
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	now, err := vsphere.LockdownOf(ctx, api, h)
	if err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	r := Lockdown{Found: true, Mode: now.Mode, Exceptions: now.Exceptions, ExceptionsKnown: now.Known}
	if now.On() && !slices.Contains(now.Exceptions, l.User) {
		r.Refused, r.Message = true, fmt.Sprintf("%s is in lockdown mode (%s), and %s is not among its exceptions", h.Name, now.Mode, l.User)
		if !now.Known {
			r.Message = fmt.Sprintf("%s is in lockdown mode (%s), and vCenter does not tell its exceptions", h.Name, now.Mode)
		}
	}
	return r, nil
}
