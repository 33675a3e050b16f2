// Package nsx knows guests and hosts as an NSX manager sees them: the tag that makes a guest protected, and how Guest
// Introspection is on an ESXi host.
package nsx

import (
	"context"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/nsx"
)

// directory is the tags of all guests, fetched once for all probes of a pass.
func directory(ctx context.Context, host engine.Reader) (*nsx.Directory, error) {
	d, err := host.Once(ctx, "nsx directory", func(ctx context.Context) (any, error) {
		api, err := host.API(ctx)
		if err != nil {
			return nil, err
		}
		d, err := nsx.Fetch(ctx, api)
		return d, engine.Blame(err, host.Name())
	})
	if err != nil {
		return nil, err
	}
	return d.(*nsx.Directory), nil
}
