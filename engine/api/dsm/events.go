package dsm

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Numbers of system events, from Trend Micro's documents (KA-0016311 for 2205).
const (
	UpdateRequested = 273
	UpdateDone      = 2204
	UpdateFailed    = 2205
)

// Event is a system event of a DSM.
type Event struct {
	ID          int // its own, rising
	Number      int // of its kind: 2205
	Title       string
	Description string
	TargetID    int
	Target      string
	Time        *time.Time // in this machine's clock; nil: the DSM does not say it so that it can be read
}

// Events reads the system events about one computer since a time of this machine's clock, the oldest first. REST v1 has
// none: it takes SOAP, and so user and password, whatever else the host is asked by.
func Events(ctx context.Context, api engine.API, computer int, since time.Time) ([]Event, error) {
	w, err := NewWatch(ctx, api, "read the events of the DSM", "REST v1 has no events")
	if err != nil {
		return nil, err
	}
	s, zone, ahead := w.s, w.zone, w.ahead
	stamp := func(t time.Time) string { return t.Add(ahead).UTC().Format("2006-01-02T15:04:05.000Z") }
	answer, err := s.call(ctx, "systemEventRetrieve",
		element{name: "timeFilter", children: []element{{name: "rangeFrom", text: stamp(since)}, {name: "rangeTo", text: stamp(time.Now().Add(time.Hour))}, {name: "type", text: "CUSTOM_RANGE"}}},
		element{name: "hostFilter", children: []element{{name: "hostID", text: strconv.Itoa(computer)}, {name: "type", text: "SPECIFIC_HOST"}}},
		element{name: "eventIdFilter", children: []element{{name: "id", text: "0"}, {name: "operator", text: "GREATER_THAN"}}},
		element{name: "includeNonHostEvents", text: "false"})
	if err != nil {
		return nil, err
	}
	var list []Event
	for _, n := range answer.child("systemEventRetrieveReturn").child("systemEvents").all("item") {
		e := Event{Title: n.text("event"), Description: n.text("description"), Target: n.text("target"),
			Time: ours(parseTime(n.text("time"), zone), ahead, time.Now())}
		e.ID, _ = strconv.Atoi(n.text("systemEventID"))
		e.Number, _ = strconv.Atoi(n.text("eventID"))
		e.TargetID, _ = strconv.Atoi(n.text("targetID"))
		if e.TargetID == computer && (e.Time == nil || !e.Time.Before(since)) { // the filters of an old DSM are not relied on
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b Event) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}
