package machine

import (
	"context"
	"slices"

	"github.com/dsplay/dsplay/engine"
)

// Acting is h for Apply: Do executes only lines that are in allowed, the Commands of the diff that was planned.
func (h *Host) Acting(allowed []string) engine.Machine { return &acting{h, allowed} }

type acting struct {
	*Host
	allowed []string
}

func (a *acting) Do(ctx context.Context, c engine.Command) (engine.Output, error) {
	return a.do(ctx, c, func(line string) error {
		if slices.Contains(a.allowed, line) {
			return nil
		}
		return notAnnounced(a.host.Name, line)
	})
}
