package dsm

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// together is how many hostGetStatus are on their way at once: a DSM answers each from its database.
const together = 8

// fetchSOAP reads the list of all computers with the BIOS UUIDs, which hostRetrieveAll does not have. The state, the
// appliance and the ESXi host of one is a call each (hostGetStatus), made when it is asked for.
func fetchSOAP(ctx context.Context, api engine.API) (*Directory, error) {
	s := &soap{api: api}
	var computers []Computer
	for _, level := range []string{"MEDIUM", "HIGH"} { // which level has virtualUuid is not documented
		list, err := s.details(ctx, level)
		if err != nil {
			return nil, err
		}
		if computers = list; haveUUIDs(list) {
			break
		}
	}
	zone, ahead, err := s.clock(ctx)
	if err != nil {
		return nil, err
	}
	d := newDirectory("soap", "", ahead, computers)
	slots := make(chan struct{}, together)
	d.detail = func(ctx context.Context, c Computer) (Computer, error) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-ctx.Done():
			return c, ctx.Err()
		}
		return s.status(ctx, c, zone, ahead)
	}
	return d, nil
}

func haveUUIDs(list []Computer) bool {
	for _, c := range list {
		if c.BIOSUUID != "" {
			return true
		}
	}
	return len(list) == 0
}

func (s *soap) details(ctx context.Context, level string) ([]Computer, error) {
	none := func(name string) element { return element{name: name, text: "0"} }
	filter := element{name: "hostFilter", children: []element{none("hostGroupID"), none("hostID"), none("securityProfileID"), {name: "type", text: "ALL_HOSTS"}}}
	answer, err := s.call(ctx, "hostDetailRetrieve", filter, element{name: "hostDetailLevel", text: level})
	if err != nil {
		return nil, err
	}
	var list []Computer
	for _, n := range answer.all("hostDetailRetrieveReturn") {
		id, err := strconv.Atoi(n.text("ID"))
		if err != nil || n.text("hostType") == "ESX" {
			continue
		}
		list = append(list, Computer{Found: true, ID: id, Name: n.text("name"), DisplayName: n.text("displayName"),
			BIOSUUID: UUID(n.text("virtualUuid")), IsAppliance: n.text("hostType") == "APPLIANCE", State: Unsupported})
	}
	return list, nil
}

// clock gives the manager's zone, where it shows one, and how far it is ahead. A manager that does not tell its time
// is judged by the Date header of its answers.
func (s *soap) clock(ctx context.Context) (*time.Location, time.Duration, error) {
	answer, err := s.send(ctx, "getManagerTime", true)
	if engine.IsUnreachable(err) {
		return nil, 0, err
	}
	text := answer.text("getManagerTimeReturn")
	if t := parseTime(text, nil); !t.IsZero() {
		return zoneOf(text), beyond(time.Until(t)), nil
	}
	return nil, s.skew(), nil
}

// status completes c. An exception of the DSM about this one computer is an answer: its state is not known.
func (s *soap) status(ctx context.Context, c Computer, zone *time.Location, ahead time.Duration) (Computer, error) {
	answer, err := s.call(ctx, "hostGetStatus", element{name: "id", text: strconv.Itoa(c.ID)})
	var f *fault
	switch {
	case errors.As(err, &f) && f.err.Kind == engine.KindModule:
		c.State, c.Messages = Unknown, []string{f.Error()}
		return c, nil
	case err != nil:
		return c, err
	}
	n := answer.child("hostGetStatusReturn")
	c.Appliance, c.ESXi = n.text("applianceName"), n.text("esxServerName")
	e, heard := readStatus(n)
	c.Agentless, c.State, c.Messages, c.Leftover = e.agentless, e.judge(), e.messages(), e.shown()
	c.AsOf = ours(parseTime(heard, zone), ahead, time.Now())
	return c, nil
}

// readStatus reads a HostStatusTransport: the item of the appliance, of which there is at most one, and, when no agent
// is beside it, the overall texts, which otherwise mix both. heard is its last communication.
func readStatus(n node) (e evidence, heard string) {
	items := n.child("protectionStatusTransports").all("item")
	for _, item := range items {
		if item.text("protectionType") != "APPLIANCE" {
			continue
		}
		state := item.text("state")
		e.agentless = true
		e.asleep = state == "VM_STOPPED" || state == "VM_PAUSED" || state == "STANDBY"
		e.silent = state == "OFFLINE"
		e.general = []string{item.text("status"), item.text("stateDescription")}
		e.malware = []string{item.text("antiMalwareStatus")}
		heard = item.text("lastSuccessfulCommunication")
	}
	if e.agentless && len(items) == 1 {
		e.general = append(e.general, n.text("overallStatus"))
		e.malware = append(e.malware, n.text("overallAntiMalwareStatus"))
		if heard == "" {
			heard = n.text("overallLastSuccessfulCommunication")
		}
	}
	return e, heard
}
