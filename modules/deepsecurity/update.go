package deepsecurity

import (
	"context"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// SecurityUpdate starts a security update of one computer, or tells how the last one ended.
func SecurityUpdate() engine.Module {
	return engine.Module{
		Name: "ds_update",
		Doc: `Starts a security update of one computer in a Deep Security Manager and waits for its outcome; as a probe it tells how the last one ended.
The outcome is system event 2204 (successful) or 2205 (failed) about that computer, which takes SOAP: the host needs user and password, besides an API key or alone. Without them nothing is started, because nobody would learn how it ended.
It is started over REST by a scheduled task that runs once and is deleted again, over SOAP by hostUpdateComponent, whose type and component id are not documented (component_type, component_id).
cause is read from the DSM's words and is a hint: tls, proxy_auth, dns, timeout, signature_expired, relay_old, licence, unreachable or unknown; only -24 / IAURELAY_STATUS_DIGITAL_SIGNATURE_CERT_EXPIRE (KA-0016311) is documented. What is on the way, tls_path tells.`,
		New:     func() any { return &update{Wait: "30m", Every: "15s", Since: "168h", Kind: "0", Component: "0"} },
		Result:  Updated{},
		Targets: []string{"dsm"},
	}
}

type update struct {
	BIOSUUID  string `hcl:"bios_uuid" executed:"true" doc:"BIOS UUID of the computer, as vCenter's config.uuid."`
	Name      string `hcl:"name,optional" executed:"true" doc:"Display or host name in DSM, used only to choose among computers that have the same BIOS UUID."`
	Newer     string `hcl:"unless_newer_than,optional" doc:"Nothing is started where the last update was successful and is younger than this: \"24h\"."`
	Wait      string `hcl:"wait,optional" doc:"How long to wait for the outcome."`
	Every     string `hcl:"every,optional" doc:"How often the DSM is asked meanwhile."`
	Since     string `hcl:"since,optional" doc:"How far back to look for the last update."`
	Kind      string `hcl:"component_type,optional" executed:"true" doc:"type of hostUpdateComponent, over SOAP only."`
	Component string `hcl:"component_id,optional" executed:"true" doc:"id of hostUpdateComponent, over SOAP only."`

	computer dsm.Computer
	start    dsm.Job
}

// Updated is how an update ended.
type Updated struct {
	Found       bool    `hcl:"found" doc:"Whether DSM has exactly one computer that is meant."`
	Outcome     string  `hcl:"outcome" doc:"successful, failed, or unknown when no event says it."`
	Cause       string  `hcl:"cause" doc:"Why it failed, in one word; none when it did not."`
	Description string  `hcl:"description" doc:"The event's own words, or why the computer was not found."`
	Time        *string `hcl:"time" doc:"When it ended, RFC 3339, in the time of this machine; null when that is not known."`
}

// Validate refuses what is no duration.
func (u *update) Validate() error {
	return durations(map[string]string{"wait": u.Wait, "every": u.Every, "since": u.Since}, "unless_newer_than", u.Newer)
}

// Probe tells how the last update ended.
func (u *update) Probe(ctx context.Context, host engine.Reader) (any, error) {
	c, err := computerOf(ctx, host, u.BIOSUUID, u.Name)
	if err != nil {
		return nil, err
	}
	if !c.Found {
		return Updated{Outcome: "unknown", Cause: "unknown", Description: c.Messages[0]}, nil
	}
	last, err := u.last(ctx, host, c.ID)
	if err != nil {
		return nil, err
	}
	return updated(last), nil
}

// last is the newest outcome; nil: there is none.
func (u *update) last(ctx context.Context, host engine.Reader, computer int) (*dsm.Event, error) {
	since, err := sinceWhen("since", u.Since)
	if err != nil {
		return nil, err
	}
	list, err := read(ctx, host, computer, since, dsm.UpdateDone, dsm.UpdateFailed)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[len(list)-1], nil
}

func updated(e *dsm.Event) Updated {
	if e == nil {
		return Updated{Found: true, Outcome: "unknown", Cause: "unknown"}
	}
	r := Updated{Found: true, Outcome: "successful", Cause: "none", Description: e.Description, Time: stamp(e.Time)}
	if e.Number == dsm.UpdateFailed {
		r.Outcome, r.Cause = "failed", causeOf(e.Description)
	}
	return r
}

// Check looks for the computer, and whether its last update is young enough. What the outcome will be read from is tried
// before anything is started.
func (u *update) Check(ctx context.Context, host engine.Reader) (engine.Diff, error) {
	c, err := mustFind(ctx, host, u.BIOSUUID, u.Name)
	if err != nil {
		return engine.Diff{}, err
	}
	last, err := u.last(ctx, host, c.ID)
	if err != nil {
		return engine.Diff{}, err
	}
	if newer, err := time.ParseDuration(u.Newer); err == nil && last != nil && last.Number == dsm.UpdateDone && last.Time != nil && time.Since(*last.Time) < newer {
		return engine.Diff{Note: "its last update was successful, less than " + u.Newer + " ago"}, nil
	}
	d, err := directory(ctx, host)
	if err != nil {
		return engine.Diff{}, err
	}
	u.computer, u.start = c, dsm.StartUpdate(d.API, c.ID, u.Kind, u.Component)
	return engine.Diff{Act: "start a security update of " + c.Label(), Commands: u.start.Commands()}, nil
}

// Apply starts it and waits for an event that was not there before.
func (u *update) Apply(ctx context.Context, host engine.Machine, diff engine.Diff) (any, error) {
	before, err := u.last(ctx, host, u.computer.ID)
	if err != nil {
		return nil, err
	}
	clean, err := begin(ctx, host, diff, u.start)
	if err != nil {
		return nil, err
	}
	event, err := u.outcome(ctx, host, before)
	if err == nil && event.Number == dsm.UpdateFailed {
		err = u.failure(host, event)
	}
	if err = afterwards(ctx, host, "delete the scheduled task of the update", clean, err); err != nil {
		return nil, err
	}
	return updated(event), nil
}

// outcome waits for it.
func (u *update) outcome(ctx context.Context, host engine.Reader, before *dsm.Event) (*dsm.Event, error) {
	var event *dsm.Event
	err := follow(ctx, u.Wait, u.Every, func(ctx context.Context) (bool, error) {
		last, err := u.last(ctx, host, u.computer.ID)
		if last != nil && (before == nil || last.ID > before.ID) {
			event = last
		}
		return event != nil, err
	})
	return event, inVain(ctx, host, err, engine.Error{Op: "wait for the outcome of the update of " + u.computer.Label(),
		Msg: "no event 2204 or 2205 came within " + u.Wait, Hint: "look at the computer in the console: it may be off, or its update may still run"})
}

// Prove wants a successful update that ended after since. One that was requested since and has not ended is not proven, nor is
// it to be started once more.
func (u *update) Prove(ctx context.Context, host engine.Reader, since time.Time) error {
	c, err := mustFind(ctx, host, u.BIOSUUID, u.Name)
	if err != nil {
		return err
	}
	list, err := read(ctx, host, c.ID, since.Add(-time.Second), dsm.UpdateRequested, dsm.UpdateDone, dsm.UpdateFailed) // times of events may be cut to seconds
	if err != nil {
		return err
	}
	u.computer = c
	ended := slices.DeleteFunc(slices.Clone(list), func(e dsm.Event) bool { return e.Number == dsm.UpdateRequested })
	e := &engine.Error{Kind: engine.KindCheck, Host: host.Name(), Op: "prove the update of " + c.Label(), Msg: "no event 2204 or 2205 since " + since.UTC().Format(time.RFC3339)}
	switch {
	case len(ended) > 0 && ended[len(ended)-1].Number == dsm.UpdateFailed:
		return u.failure(host, &ended[len(ended)-1])
	case len(ended) > 0:
		return nil
	case len(list) > 0:
		e.Msg, e.Hint, e.Err = "it was requested, and has not ended", "wait for event 2204 or 2205 of the computer", engine.ErrUnprovable
	}
	return e
}
