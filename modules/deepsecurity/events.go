package deepsecurity

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// Events reads system events of one computer.
func Events() engine.Module {
	return engine.Module{
		Name: "ds_events",
		Doc: `Reads the system events of a Deep Security Manager about one computer, since a time.
REST v1 has no events: the host needs user and password for SOAP, besides an API key or alone. A computer that is not found, or not for certain, has no events, and message says why.
Known ids: 273 security update requested, 2204 pattern update successful, 2205 pattern update failed. Texts are in the language of the API user.`,
		New:     func() any { return &events{Since: "24h"} },
		Result:  EventList{},
		Targets: []string{"dsm"},
	}
}

type events struct {
	BIOSUUID string `hcl:"bios_uuid" doc:"BIOS UUID of the computer, as vCenter's config.uuid."`
	Name     string `hcl:"name,optional" doc:"Display or host name in DSM, used only to choose among computers that have the same BIOS UUID."`
	Since    string `hcl:"since,optional" doc:"How far back (\"24h\"), or since when (RFC 3339), in the time of this machine."`
	IDs      []int  `hcl:"ids,optional" doc:"Numbers of the kinds of events that are wanted, such as 2204; all without it."`
}

// EventView is one system event.
type EventView struct {
	ID          int     `hcl:"id" doc:"Number of its kind: 2204."`
	Seq         int     `hcl:"seq" doc:"Its own number, which rises."`
	Title       string  `hcl:"title" doc:"What kind of event it is, in the DSM's words."`
	Description string  `hcl:"description" doc:"What happened."`
	Time        *string `hcl:"time" doc:"When, RFC 3339, in the time of this machine; null when the DSM does not say it so that it can be read."`
}

// EventList is what was found.
type EventList struct {
	Found   bool        `hcl:"found" doc:"Whether DSM has exactly one computer that is meant."`
	Message string      `hcl:"message" doc:"Why it was not found; empty otherwise."`
	Count   int         `hcl:"count" doc:"How many events there are."`
	Events  []EventView `hcl:"events" doc:"The events, the oldest first."`
	Last    *EventView  `hcl:"last" doc:"The newest; null when there is none."`
}

// Validate refuses a since that is no time.
func (e *events) Validate() error {
	_, err := sinceWhen("since", e.Since)
	return err
}

// sinceWhen is a time, or a duration back from now.
func sinceWhen(arg, text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return time.Time{}, engine.BadArg{Arg: arg, Problem: `must be a duration such as "24h" or a time such as "2026-01-31T08:00:00Z", not ` + strconv.Quote(text)}
	}
	return time.Now().Add(-d), nil
}

// Probe reads.
func (e *events) Probe(ctx context.Context, host engine.Reader) (any, error) {
	since, err := sinceWhen("since", e.Since)
	if err != nil {
		return nil, err
	}
	c, err := computerOf(ctx, host, e.BIOSUUID, e.Name)
	if err != nil {
		return nil, err
	}
	if !c.Found {
		return EventList{Message: c.Messages[0]}, nil
	}
	list, err := read(ctx, host, c.ID, since, e.IDs...)
	if err != nil {
		return nil, err
	}
	r := EventList{Found: true, Count: len(list)}
	for _, one := range list {
		r.Events = append(r.Events, EventView{one.Number, one.ID, one.Title, one.Description, stamp(one.Time)})
	}
	if len(list) > 0 {
		r.Last = &r.Events[len(list)-1]
	}
	return r, nil
}

// computerOf finds a computer in the list that is read once per pass.
func computerOf(ctx context.Context, host engine.Reader, uuid, name string) (dsm.Computer, error) {
	d, err := directory(ctx, host)
	if err != nil {
		return dsm.Computer{}, err
	}
	c, err := d.Computer(ctx, uuid, name)
	return c, engine.Blame(err, host.Name())
}

// read gives the events of these kinds; none named: of all.
func read(ctx context.Context, host engine.Reader, computer int, since time.Time, kinds ...int) ([]dsm.Event, error) {
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	list, err := dsm.Events(ctx, api, computer, since)
	if err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	return slices.DeleteFunc(list, func(e dsm.Event) bool { return len(kinds) > 0 && !slices.Contains(kinds, e.Number) }), nil
}
