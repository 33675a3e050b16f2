package deepsecurity

import (
	"context"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// Apply looks once more, clears what may be cleared, and sees whether it stays so.
func (c *clearErrors) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	may, left, err := c.choose(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, g := range may {
		if err := send(ctx, host, diff, dsm.ClearErrors(g.ID)); err != nil {
			return nil, err
		}
	}
	if err := c.stay(ctx, host, may); err != nil {
		return nil, err
	}
	cleared := []string{}
	for _, g := range may {
		cleared = append(cleared, g.Label())
	}
	return Cleared{Cleared: cleared, Left: left}, nil
}

// choose looks at those that Check has found.
func (c *clearErrors) choose(ctx context.Context, host engine.Reader) (may []dsm.Computer, left []string, err error) {
	for _, g := range c.found {
		if g, err = c.watch.Look(ctx, g); err != nil {
			return nil, nil, engine.Blame(err, host.Name())
		}
		switch why := c.refuses(g); {
		case g.State == dsm.Online:
		case why != "":
			left, c.alone = append(left, g.Label()+": "+why), append(c.alone, g.ID)
		default:
			may = append(may, g)
		}
	}
	if len(left) > 0 && !c.Leave {
		return nil, nil, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "clear errors", Msg: "the cause is not gone, so nothing was cleared: " + strings.Join(left, "; "),
			Hint: "mend the cause first; leave_others = true clears the errors of the other guests"}
	}
	return may, left, nil
}

// stay waits until the appliances have reported since, by the DSM's own times, and looks whether an error is back.
func (c *clearErrors) stay(ctx context.Context, host engine.Reader, cleared []dsm.Computer) error {
	before, err := c.again(ctx, host, cleared)
	if err != nil || len(before) == 0 {
		return err
	}
	err = follow(ctx, c.Wait, c.Every, func(ctx context.Context) (bool, error) {
		now, err := c.again(ctx, host, before)
		if err == nil {
			before = unconfirmed(before, now)
		}
		return err == nil && len(before) == 0, err
	})
	if err == nil {
		return nil
	}
	return inVain(ctx, host, err, engine.Error{Op: "clear errors of " + before[0].Label(),
		Msg:  fmt.Sprintf("they were cleared, and within %s its appliance has not reported that the engine is online (%s)", c.Wait, strings.Join(before[0].Messages, "; ")),
		Hint: `a step "ds_agent" with heartbeat = true makes the appliance report at once`})
}

// again looks at guests whose errors were cleared. One that is called offline again is an error.
func (c *clearErrors) again(ctx context.Context, host engine.Reader, cleared []dsm.Computer) ([]dsm.Computer, error) {
	now := make([]dsm.Computer, len(cleared))
	for i, g := range cleared {
		var err error
		if now[i], err = c.watch.Look(ctx, g); err != nil {
			return nil, engine.Blame(err, host.Name())
		}
		if offlineIsShown(now[i]) {
			return nil, &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "clear errors of " + g.Label(), Msg: "the error has returned: " + strings.Join(now[i].Messages, "; "),
				Hint: "its cause is not gone, although the engine reported well; treat it as offline"}
		}
	}
	return now, nil
}

// unconfirmed are those of before of which the appliance has not reported since that they are well.
func unconfirmed(before, now []dsm.Computer) []dsm.Computer {
	var left []dsm.Computer
	for i, g := range before {
		reported := now[i].AsOf != nil && g.AsOf != nil && now[i].AsOf.After(*g.AsOf)
		if !reported || now[i].State != dsm.Online {
			left = append(left, g)
		}
	}
	return left
}
