package vcenter

import (
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// rights answers what the user may do; the simulator's own AuthorizationManager says yes to everything.
type rights struct {
	mo.GuestAliasManager // any managed object, as drives
	v                    *VCenter
}

func newRights(v *VCenter) *rights {
	r := &rights{v: v}
	r.Self = types.ManagedObjectReference{Type: "LabRights", Value: "lab"} // no object of the inventory has it
	return r
}

// direct sends the question to rights.
func (r *rights) direct(method *simulator.Method) {
	if method.Name == "HasPrivilegeOnEntities" {
		method.This = r.Self
	}
}

// HasPrivilegeOnEntities tells of every privilege whether the user has it: of a session that is not the caller's own, nothing.
func (r *rights) HasPrivilegeOnEntities(ctx *simulator.Context, req *types.HasPrivilegeOnEntities) soap.HasFault {
	body := new(methods.HasPrivilegeOnEntitiesBody)
	if ctx.Session == nil || req.SessionId != ctx.Session.Key {
		body.Fault_ = simulator.Fault("", &types.InvalidArgument{InvalidProperty: "sessionId"})
		return body
	}
	body.Res = new(types.HasPrivilegeOnEntitiesResponse)
	for _, entity := range req.Entity {
		e := types.EntityPrivilege{Entity: entity}
		for _, id := range req.PrivId {
			e.PrivAvailability = append(e.PrivAvailability, types.PrivilegeAvailability{PrivId: id, IsGranted: !r.v.readonly.Load() || strings.HasPrefix(id, "System.")})
		}
		body.Res.Returnval = append(body.Res.Returnval, e)
	}
	return body
}

// privileges are what the methods need, as the documents of the API say.
var privileges = map[string]string{
	"StartService": "Host.Config.NetService", "StopService": "Host.Config.NetService", "RestartService": "Host.Config.NetService",
	"UpdateServicePolicy": "Host.Config.NetService", "ChangeLockdownMode": "Host.Config.Settings",
	"PowerOnVM_Task": "VirtualMachine.Interact.PowerOn", "RebootGuest": "VirtualMachine.Interact.Reset",
	"CreateSnapshot_Task": "VirtualMachine.State.CreateSnapshot", "RemoveSnapshot_Task": "VirtualMachine.State.RemoveSnapshot",
	"MountToolsInstaller": "VirtualMachine.Interact.ToolsInstall", "UnmountToolsInstaller": "VirtualMachine.Interact.ToolsInstall",
}

// ReadOnly takes every right to change something away from the user, or gives it back.
func (v *VCenter) ReadOnly(on bool) { v.readonly.Store(on) }

func (v *VCenter) forbidden(method *simulator.Method) types.BaseMethodFault {
	privilege := privileges[method.Name]
	if privilege == "" {
		privilege = "System.Modify"
	}
	return &types.NoPermission{Object: &method.This, PrivilegeId: privilege}
}
