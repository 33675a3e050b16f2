package deepsecurity

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// ClearErrors clears errors that a DSM goes on showing after their cause is gone.
func ClearErrors() engine.Module {
	return engine.Module{
		Name: "ds_clear_errors",
		Doc: `Clears the errors that a Deep Security Manager goes on showing of guests whose engine is well again ("Clear Warnings/Errors" of the console), waits for a heartbeat, and looks whether they return.
Clearing mends nothing. So it is done only where this module's own look says that the cause is gone: the engine reports well, its appliance is in touch, and DSM shows it as offline all the same (error_shown of ds_computer). A guest whose engine is offline is refused, with the reason, and nothing is cleared; with leave_others = true the others are cleared.
DSM clears every warning and error of the computer at once, whatever it is about: the plan shows all of them.
Afterwards it waits until the appliance has reported once more (heartbeats come every ten minutes unless ds_agent has been asked for one). An error that is back then is a failure that says so: the cause was not gone, whatever the engine reported. That is also how a DSM is found out that contradicts itself.
It is SOAP's on every version (hostClearWarningsErrors), because REST v1 has no such call: the host needs user and password, besides an API key or alone, and SOAP must be switched on in the DSM.`,
		New:     func() any { return &clearErrors{Wait: "15m", Every: "15s", MaxAge: defaultMaxAge} },
		Result:  Cleared{},
		Targets: []string{"dsm"},
	}
}

type clearErrors struct {
	BIOSUUIDs []*string `hcl:"bios_uuids" executed:"true" doc:"BIOS UUIDs of the guests, as vCenter's config.uuid."`
	Leave     bool      `hcl:"leave_others,optional" doc:"Leave alone guests of which the cause is not gone or that DSM does not know for certain, instead of refusing all."`
	Wait      string    `hcl:"wait,optional" doc:"How long to wait for the next heartbeat of the appliance."`
	Every     string    `hcl:"every,optional" doc:"How often the DSM is asked meanwhile."`
	MaxAge    string    `hcl:"max_age,optional" doc:"An engine of which DSM heard longer ago than this does not count as well."`

	found []dsm.Computer // by the last Check: those that show an error
	alone []int          // ids of those that Apply has left alone
	watch *dsm.Watch
}

// Cleared is what became of the errors.
type Cleared struct {
	Cleared []string `hcl:"cleared" doc:"Guests whose errors were cleared and did not return with the next heartbeat, sorted."`
	Left    []string `hcl:"left" doc:"Guests that were left alone, each with the reason, sorted."`
}

// Validate refuses what is no duration.
func (c *clearErrors) Validate() error {
	if _, err := maxAge(c.MaxAge); err != nil {
		return err
	}
	return durations(map[string]string{"wait": c.Wait, "every": c.Every})
}

// Check looks at each guest. What is still wrong stands in the note; whether it is by then, Apply looks again: in a plan the
// cause is there, and something before this step is to mend it.
func (c *clearErrors) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	var err error
	if c.watch == nil {
		if c.watch, err = c.newWatch(ctx, host); err != nil {
			return engine.Diff{}, err
		}
	}
	all, err := c.look(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	var diff engine.Diff
	var notYet []string
	c.found = nil
	for _, g := range all {
		why := c.refuses(g)
		switch {
		case !g.Found && !c.Leave:
			return engine.Diff{}, &engine.Error{Kind: engine.KindModule, Host: host.Name(), Op: "clear errors", Msg: why, Hint: "leave_others = true leaves such a guest alone"}
		case !g.Found || !offlineIsShown(g) || slices.Contains(c.alone, g.ID):
			continue
		case why != "":
			notYet = append(notYet, g.Label()+": "+why)
		}
		c.found = append(c.found, g)
		act := dsm.ClearErrors(g.ID)
		diff.Commands = append(diff.Commands, act.Text)
		diff.Changes = append(diff.Changes, engine.Change{What: "errors shown of " + g.Label(), Before: strings.Join(g.Messages, "; "), After: "none"})
	}
	switch {
	case diff.Empty():
		diff.Note = "DSM shows no engine of them as offline"
	case len(notYet) > 0:
		diff.Note = "only if the cause is gone by then; now: " + strings.Join(notYet, "; ")
	}
	return diff, nil
}

func (c *clearErrors) newWatch(ctx context.Context, host engine.Reader) (*dsm.Watch, error) {
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	w, err := dsm.NewWatch(ctx, api, "clear errors in the DSM", "REST v1 cannot do it")
	return w, engine.Blame(err, host.Name())
}

// look asks the DSM of every guest, now, and in the order of their names.
func (c *clearErrors) look(ctx context.Context, host engine.Reader) ([]dsm.Computer, error) {
	all := make([]dsm.Computer, len(c.BIOSUUIDs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for i, uuid := range c.BIOSUUIDs {
		group.Go(func() error {
			if uuid == nil {
				uuid = new(string)
			}
			g, err := computerOf(ctx, host, *uuid, "")
			if err == nil && g.Found {
				g, err = c.watch.Look(ctx, g)
			}
			all[i] = g
			return engine.Blame(err, host.Name())
		})
	}
	err := group.Wait()
	slices.SortStableFunc(all, func(a, b dsm.Computer) int { return cmp.Compare(a.Label(), b.Label()) })
	return all, err
}

// together is how many guests are asked for at once: a DSM answers each from its database.
const together = 8

// offlineIsShown tells whether clearing is about what is shown of a guest, now or once its cause is gone.
func offlineIsShown(g dsm.Computer) bool { return g.State == dsm.Offline || len(g.Leftover) > 0 }

// refuses says why the errors of a guest are not to be cleared; "": they may be.
func (c *clearErrors) refuses(g dsm.Computer) string {
	limit, _ := maxAge(c.MaxAge) // Validate has read it
	switch {
	case !g.Found:
		return strings.Join(g.Messages, "; ")
	case g.IsAppliance:
		return "it is an appliance, not a guest"
	case len(g.Leftover) == 0:
		return "its engine is " + string(g.State) + " (" + strings.Join(g.Messages, "; ") + ")"
	case !lingers(g, limit) && g.AsOf != nil:
		return "DSM heard of it " + rough(time.Since(*g.AsOf)) + " ago, so nobody knows how its engine is"
	case g.AsOf == nil:
		return "DSM does not say when it last heard of it, so nobody knows how its engine is"
	}
	return ""
}
