// Package engine is the vocabulary of dsplay: hosts, connections, modules, playbooks, results and events,
// and the seams between the packages that make them. It knows no file format, no protocol and no module.
package engine

import (
	"context"
	"time"
)

// Wait waits for d or for the end of ctx, whichever is first; the error is that of ctx.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
