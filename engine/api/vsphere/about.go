package vsphere

import (
	"context"
	"time"

	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"

	"github.com/dsplay/dsplay/engine"
)

// About is what answers at the other end of a session.
type About struct {
	Product string    // "VMware vCenter Server 8.0.2 build-22617221"
	Time    time.Time // of its clock, to less than a second when the answer came
}

// Hello logs in and asks for nothing but the product and the time.
func Hello(ctx context.Context, api engine.API) (About, error) {
	var a About
	err := Do(Asking(ctx), api, func(ctx context.Context, c *vim25.Client) error {
		a.Product = c.ServiceContent.About.FullName
		now, err := methods.GetCurrentTime(ctx, c)
		if err == nil {
			a.Time = *now
		}
		return err
	})
	return a, err
}
