package deepsecurity

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// Computers looks at several guests in a DSM.
func Computers() engine.Module {
	return engine.Module{
		Name: "ds_computers",
		Doc: `Asks a Deep Security Manager how the agentless anti-malware engines of several guests are, and sorts them by state.
It is ds_computer for a list: the same rules, the same single reading of the manager's list. Each guest is in exactly one of the lists, by its display name in DSM, or by its BIOS UUID where DSM has no single computer of that UUID. Appliances are in none.
as_of is the oldest report among the guests that are online, so that a goal does not take yesterday's answer for today's; one guest that is silent for ever does not hold it back.`,
		New:     func() any { return &computers{MaxAge: defaultMaxAge} },
		Result:  Guests{},
		Targets: []string{"dsm"},
	}
}

type computers struct {
	BIOSUUIDs []*string `hcl:"bios_uuids" doc:"BIOS UUIDs of the guests, as vCenter's config.uuid. One that is null or empty counts as a guest whose state is unknown."`
	MaxAge    string    `hcl:"max_age,optional" doc:"An \"online\" that DSM heard of longer ago than this is unknown."`
}

// Guests is what the DSM says of several guests.
type Guests struct {
	Online      []string `hcl:"online" doc:"Guests whose engine is online, sorted."`
	Offline     []string `hcl:"offline" doc:"Guests whose engine is offline, sorted."`
	Off         []string `hcl:"off" doc:"Guests that are off, suspended or in standby, or whose anti-malware is switched off, sorted."`
	Unsupported []string `hcl:"unsupported" doc:"Guests that no appliance protects, sorted."`
	Unknown     []string `hcl:"unknown" doc:"Guests of which DSM cannot say, or not for certain, sorted."`
	Shown       []string `hcl:"error_shown" doc:"Those of unknown that DSM calls offline although their engine reports well: an error that stays shown until it is cleared (ds_clear_errors), sorted."`
	AsOf        *string  `hcl:"as_of" doc:"The oldest last report among those online or in error_shown, RFC 3339, in the time of this machine; null when DSM says it of none."`
}

// Validate refuses a max_age that is no duration.
func (c *computers) Validate() error {
	_, err := maxAge(c.MaxAge)
	return err
}

// Probe asks.
func (c *computers) Probe(ctx context.Context, host engine.Reader) (any, error) {
	limit, err := maxAge(c.MaxAge)
	if err != nil {
		return nil, err
	}
	d, err := directory(ctx, host)
	if err != nil {
		return nil, err
	}
	found := make([]dsm.Computer, len(c.BIOSUUIDs))
	group, ctx := errgroup.WithContext(ctx) // the directory bounds how many are on their way at once
	for i, uuid := range c.BIOSUUIDs {
		group.Go(func() (err error) {
			if uuid == nil {
				uuid = new(string)
			}
			found[i], err = d.Computer(ctx, *uuid, "")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	return sorted(found, limit), nil
}

func sorted(found []dsm.Computer, limit time.Duration) Guests {
	var g Guests
	lists := map[dsm.State]*[]string{dsm.Online: &g.Online, dsm.Offline: &g.Offline, dsm.Off: &g.Off,
		dsm.Unsupported: &g.Unsupported, dsm.Unknown: &g.Unknown}
	var oldest *time.Time
	for _, c := range found {
		if c.IsAppliance {
			continue
		}
		state, _ := verdict(c, limit)
		*lists[state] = append(*lists[state], c.Label())
		shown := lingers(c, limit)
		if shown {
			g.Shown = append(g.Shown, c.Label())
		}
		if (state == dsm.Online || shown) && c.AsOf != nil && (oldest == nil || c.AsOf.Before(*oldest)) {
			oldest = c.AsOf
		}
	}
	for _, list := range lists {
		slices.Sort(*list)
	}
	slices.Sort(g.Shown)
	g.AsOf = stamp(oldest)
	return g
}
