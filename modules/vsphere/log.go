package vsphere

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
)

// Log looks into a machine's vmware.log.
func Log() engine.Module {
	return engine.Module{
		Name: "vm_log",
		Doc: `Looks into a machine's vmware.log for what the driver of NSX File Introspection (vsepflt) in its guest says: when it was loaded, and when it connected to the Mux of the ESXi host.
That is the first sign that the engine of a guest is back, minutes before Deep Security Manager hears of it; it is no promise that it still is, because nothing is written when the connection is lost. So a goal asks for a connection that is young: max_age.
Nothing there means nothing: the driver writes to this log only where its logging is set so (in the guest HKLM\SYSTEM\CurrentControlSet\services\vsepflt\Parameters: log_dest and log_level, see VMware's documents on troubleshooting Guest Introspection), and a log begins anew when a machine is powered on.
The host that does it (on) is the vCenter; the file comes over its HTTPS (/folder) and needs Datastore.Browse, no login on the ESXi host. Times are those of the ESXi host, taken as the vCenter's.`,
		New:     func() any { return &vmLog{} },
		Result:  LogView{},
		Targets: []string{"vsphere"},
	}
}

type vmLog struct {
	UUID     string `hcl:"uuid,optional" executed:"true" doc:"Instance UUID: config.instanceUuid in vCenter, unique there."`
	BIOSUUID string `hcl:"bios_uuid,optional" executed:"true" doc:"BIOS UUID: config.uuid in vCenter; clones may share it."`
	Name     string `hcl:"name,optional" executed:"true" doc:"Name in vCenter, exact; it may not be unique."`
	MaxAge   string `hcl:"max_age,optional" doc:"A connection that is older does not count as connected, like 15m; without it every one counts."`
}

// LogView is what the log says.
type LogView struct {
	Found       bool     `hcl:"found" doc:"Whether exactly one machine is meant."`
	Name        string   `hcl:"name" doc:"Its name in vCenter; empty when it was not found."`
	Path        string   `hcl:"path" doc:"Where the log is: \"[datastore1] guest1/vmware.log\"; empty when nobody knows."`
	Readable    bool     `hcl:"readable" doc:"Whether the log could be read."`
	Connected   bool     `hcl:"connected" doc:"Whether the last connection to the Mux that is written there is young enough; false also when nothing is known."`
	Connections int      `hcl:"connections" doc:"How often it connected since the log began."`
	ConnectedAt *string  `hcl:"connected_at" doc:"When it connected last, as the log has it; null when nothing is written there."`
	LoadedAt    *string  `hcl:"loaded_at" doc:"When the driver was loaded last, as the log has it; null when nothing is written there."`
	Lines       []string `hcl:"lines" doc:"The last lines of the driver, at most ten, the oldest first."`
	Message     string   `hcl:"message" doc:"Why nothing is known; empty otherwise."`
	AsOf        *string  `hcl:"as_of" doc:"When it connected last, RFC 3339, in the time of this machine; null when nothing is written there."`
}

const lastLines = 10

// Validate refuses a max_age that is no duration.
func (l *vmLog) Validate() error {
	if d, err := time.ParseDuration(l.MaxAge); l.MaxAge != "" && (err != nil || d <= 0) {
		return engine.BadArg{Arg: "max_age", Problem: fmt.Sprintf("must be a duration such as \"15m\", not %q", l.MaxAge)}
	}
	return nil
}

// Probe reads.
func (l *vmLog) Probe(ctx context.Context, host engine.Reader) (any, error) {
	found, why, err := machineKey{l.UUID, l.BIOSUUID, l.Name}.find(ctx, host)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return LogView{Message: why, Lines: []string{}}, nil
	}
	api, err := host.API(ctx)
	if err != nil {
		return nil, err
	}
	about, err := vsphere.Hello(ctx, api)
	if err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	ahead := time.Until(about.Time)
	view := LogView{Found: true, Name: found.Name, Lines: []string{}}
	view.Path, err = vsphere.ReadLog(ctx, api, found.Ref, view.line)
	if no := (*vsphere.NoFile)(nil); errors.As(err, &no) {
		view.Message = "its log cannot be read: " + no.Why
		return view, nil
	}
	if err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	view.Readable = true
	return l.judge(view, ahead), nil
}

// said is a line of the driver: "2026-03-01T02:03:04.567Z In(05) vcpu-0 - Guest: vsep: AUDIT: TEXT", and with other words
// between time and "Guest" on older hosts.
var said = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))\b.*\bGuest: vsep: (.*)$`)

// line takes one line of the log. The two texts are those of VMware's documents on NSX logging.
func (v *LogView) line(text string) {
	m := said.FindStringSubmatch(strings.TrimRight(text, "\r"))
	if m == nil {
		return
	}
	switch {
	case strings.Contains(m[2], "Mux is connected"):
		v.ConnectedAt, v.Connections = &m[1], v.Connections+1
	case strings.Contains(m[2], "DriverEntry"):
		v.LoadedAt = &m[1]
	}
	if v.Lines = append(v.Lines, m[0]); len(v.Lines) > lastLines {
		v.Lines = v.Lines[1:]
	}
}

// judge tells whether the last connection counts. ahead is by how much the vCenter's clock is ahead of this machine's.
func (l *vmLog) judge(v LogView, ahead time.Duration) LogView {
	if v.ConnectedAt == nil {
		v.Message = "the driver says nothing there of the Mux: its logging may be off"
		if len(v.Lines) == 0 {
			v.Message = "the driver says nothing there: its logging may be off"
		}
		return v
	}
	at, err := time.Parse(time.RFC3339, *v.ConnectedAt)
	if err != nil { // the pattern lets through what is no time, like the month 13
		v.Message = "the time in the log makes no sense: " + *v.ConnectedAt
		return v
	}
	at = at.Add(-ahead)
	text := at.UTC().Format(time.RFC3339)
	v.AsOf, v.Connected = &text, true
	if limit, err := time.ParseDuration(l.MaxAge); err == nil && time.Since(at) > limit {
		v.Connected = false
	}
	return v
}
