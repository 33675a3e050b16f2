package ping

import (
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Version is that of Report's JSON. Fields are only added within a version; docs/ping.md lists them.
const Version = 1

// Report is what became of all hosts.
type Report struct {
	V           int    `json:"v"`
	Hosts       []Host `json:"hosts"` // sorted by name
	OK          int    `json:"ok"`
	Failed      int    `json:"failed"`      // something other than the connection does not work
	Unreachable int    `json:"unreachable"` // no connection
	NotTried    int    `json:"not_tried"`   // somebody stopped it before
	NoWay       int    `json:"no_connection"`
}

// Status is how a host ended.
type Status string

// The statuses of hosts and of what is tried on them.
const (
	OK          Status = "ok"
	Failed      Status = "failed"
	Unreachable Status = "unreachable"
	NotTried    Status = "not_tried"
	NoWay       Status = "no_connection" // the inventory has none for this host: nothing is to be tried
	NotNeeded   Status = "not_needed"    // sudo: the user is root already, or the platform has no sudo
	Restricted  Status = "restricted"    // sudo: some commands are allowed, and true is none of them
)

// Host is what there is to say about one.
type Host struct {
	Name       string `json:"host"`
	Status     Status `json:"status"`
	Connection string `json:"connection,omitempty"` // type of its transport
	Address    string `json:"address"`              // what answered where a connection came about, else that of the inventory
	Via        string `json:"via,omitempty"`        // what the way there leads through
	User       string `json:"user,omitempty"`       // who one is there, and how that was proved: "ops by password"
	Identity   string `json:"identity,omitempty"`   // what the host proved to be
	ValidUntil string `json:"valid_until,omitempty"`
	Platform   string `json:"platform,omitempty"` // posix, esxi, windows
	System     string `json:"system,omitempty"`   // what it calls itself, where it says so
	Sudo       *Sudo  `json:"sudo,omitempty"`     // of a host whose inventory has a sudo block
	API        *API   `json:"api,omitempty"`      // of an API host

	Offered []string `json:"offered,omitempty"` // ways to log in that the host offers, as it calls them
	// ClockAhead is how far its clock is ahead of the one here, in seconds; null: it was not asked.
	ClockAhead *float64 `json:"clock_ahead_s,omitempty"`

	Weakenings []string  `json:"weakenings,omitempty"` // settings in force that make the connection less safe: "legacy_tls = true"
	Warnings   []Warning `json:"warnings,omitempty"`
	// Error is what does not work, with what to change; absent: everything works.
	Error  *engine.EventError `json:"error,omitempty"`
	At     string             `json:"failed_at,omitempty"` // the stage at which it failed
	Ms     float64            `json:"ms"`                  // milliseconds for everything
	Stages []Stage            `json:"stages,omitempty"`
}

// Sudo is what came of the sudo block.
type Sudo struct {
	User   string `json:"user"`
	Status Status `json:"status"`
}

// API is what an API host says of itself.
type API struct {
	Kind    string `json:"kind,omitempty"`
	Version string `json:"version,omitempty"`
	Login   Status `json:"login"` // ok, failed, not_tried
}

// Warning is something that works and may not for long, or not as it should.
type Warning struct {
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// Stage is an engine.Stage, with its begin in milliseconds after the first.
type Stage struct {
	Name    string   `json:"name"`
	At      float64  `json:"at_ms"`
	Ms      float64  `json:"ms"`
	Detail  string   `json:"detail,omitempty"`
	Offered []string `json:"offered,omitempty"`
	Weak    []string `json:"weak,omitempty"`
	Failed  bool     `json:"failed,omitempty"`
}

func millis(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}
