package vsphere

import (
	"context"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
)

// need is a privilege on an object of the inventory without which vSphere refuses a request.
type need struct {
	privilege string
	on        types.ManagedObjectReference // a machine or an ESXi host
}

// Lacks names the privilege that the request needs and the connection's user does not have; "": the user has it, or vSphere
// does not tell. It changes nothing. Having it is no promise: vSphere may want others besides, on other objects.
func (r Request) Lacks(ctx context.Context, api engine.API) (privilege string, err error) {
	err = do(Asking(ctx), api, func(ctx context.Context, l *login) error {
		manager := l.client.ServiceContent.AuthorizationManager
		if manager == nil {
			return nil
		}
		answer, err := methods.HasPrivilegeOnEntities(ctx, l.client, &types.HasPrivilegeOnEntities{This: *manager, Entity: []types.ManagedObjectReference{r.needs.on},
			SessionId: l.key, PrivId: []string{r.needs.privilege}})
		switch {
		case err != nil && soap.IsSoapFault(err) && !fault.Is(err, &types.NotAuthenticated{}):
			return nil // who may not ask is told so by what is refused
		case err != nil:
			return err
		}
		for _, e := range answer.Returnval {
			for _, p := range e.PrivAvailability {
				if !p.IsGranted {
					privilege = p.PrivId
				}
			}
		}
		return nil
	})
	return privilege, err
}
