package lab

import "time"

// Power is the power of a guest; standby is a guest that sleeps in a powered-on machine.
type Power string

// The power states.
const (
	On        Power = "on"
	Off       Power = "off"
	Suspended Power = "suspended"
	Standby   Power = "standby"
)

// What Guest.Engine says.
const (
	EngineOnline  = "online"
	EngineOffline = "offline"
	EngineOff     = "off"   // the machine is off: nothing to protect
	EngineAgent   = "agent" // an agent of its own protects the guest
	// EngineUnprotected: it is not in the group that NSX sends to the appliance.
	EngineUnprotected = "unprotected"
)

// World is the truth about an estate, whatever any system says of it.
type World struct {
	Time   time.Time  `json:"time"`
	Speed  float64    `json:"speed"`
	Faults []Fault    `json:"faults"`
	ESXi   []ESXiHost `json:"esxi"`
	DSVA   []DSVA     `json:"dsva"`
	Guests []Guest    `json:"guests"`
	DSM    DSM        `json:"dsm"`
	Update Update     `json:"update"`
	NSX    NSX        `json:"nsx"`
}

// Fault is one that was injected. It stays in the list until Clear, healed or not.
type Fault struct {
	Name   string `json:"name"`
	Target string `json:"target,omitempty"`
}

// ESXiHost is the truth about a host.
type ESXiHost struct {
	Name        string `json:"name"`
	Address     string `json:"address"`
	MuxService  string `json:"mux_service"`
	MuxRunning  bool   `json:"mux_running"`
	MuxHealthy  bool   `json:"mux_healthy"`
	MuxRestarts int    `json:"mux_restarts"`
	SSH         bool   `json:"ssh"`        // the service TSM-SSH runs
	SSHPolicy   string `json:"ssh_policy"` // "on", "off" or "automatic"
	Lockdown    bool   `json:"lockdown"`   // nobody logs in over SSH
	// RefusedLogins are proofs (keys, passwords) that SSH did not take; RootLocked says that they were too many wrong passwords.
	RefusedLogins int  `json:"refused_logins"`
	RootLocked    bool `json:"root_locked"`
}

// DSVA is the truth about an appliance.
type DSVA struct {
	Name          string    `json:"name"`
	Address       string    `json:"address"`
	ESXi          string    `json:"esxi"`  // whose guests it is for
	Moved         bool      `json:"moved"` // it runs on another ESXi host
	Power         Power     `json:"power"`
	AgentRunning  bool      `json:"agent_running"`
	AgentHealthy  bool      `json:"agent_healthy"`
	AgentRestarts int       `json:"agent_restarts"`
	Heartbeats    int       `json:"heartbeats"`
	LastHeartbeat time.Time `json:"last_heartbeat"`
}

// Guest is the truth about a guest.
type Guest struct {
	Name            string            `json:"name"`
	Address         string            `json:"address"`
	ESXi            string            `json:"esxi"`
	UUID            string            `json:"uuid"`      // vCenter's instanceUuid
	BIOSUUID        string            `json:"bios_uuid"` // vCenter's config.uuid
	Engine          string            `json:"engine"`
	Power           Power             `json:"power"`
	Up              bool              `json:"up"` // Windows runs
	Drivers         map[string]string `json:"drivers"`
	Features        []string          `json:"features"`
	ToolsBroken     bool              `json:"tools_broken"`
	PendingReboot   bool              `json:"pending_reboot"`
	InstallerStarts int               `json:"installer_starts"` // in all
	InstallerRuns   int               `json:"installer_runs"`   // of those that were let in
	Image           string            `json:"image,omitempty"`  // in its CD drive
	Connections     int               `json:"connections"`      // of its driver to a Mux, as its vmware.log has them
	Boots           int               `json:"boots"`
	Tags            []string          `json:"tags,omitempty"` // of NSX: "scope|name", or "name"
	Snapshots       []string          `json:"snapshots,omitempty"`
}

// DSM is the truth about the manager.
type DSM struct {
	Stale   bool `json:"stale"`   // it learns nothing, its times lie 26 hours back
	Central bool `json:"central"` // a cause outside hosts and guests keeps every engine offline

	WrongPasswords int  `json:"wrong_passwords"` // logins that were refused, for the password or because the account was locked, in all
	WrongKeys      int  `json:"wrong_keys"`      // requests with an API key that is none, in all
	Locked         bool `json:"locked"`          // an account is locked
	Sessions       int  `json:"sessions"`        // of SOAP, that are open
	// ErrorsShown are guests that it shows as an error until somebody clears that.
	ErrorsShown []string `json:"errors_shown"`
}

// NSX is the truth about the NSX manager.
type NSX struct {
	Generation     string `json:"generation"`      // "v", "t" or "none"
	WrongPasswords int    `json:"wrong_passwords"` // logins that were refused, in all
	Locked         bool   `json:"locked"`          // an account is locked
	Sessions       int    `json:"sessions"`        // that are open
}

// Guest finds a guest by its name.
func (w World) Guest(name string) (Guest, bool) {
	for _, g := range w.Guests {
		if g.Name == name {
			return g, true
		}
	}
	return Guest{}, false
}

// Count is how many guests have this engine state.
func (w World) Count(engine string) int {
	n := 0
	for _, g := range w.Guests {
		if g.Engine == engine {
			n++
		}
	}
	return n
}

// World looks at everything now.
func (l *Lab) World() World {
	w := World{Time: time.Now(), Speed: l.opts.Speed}
	l.mu.Lock()
	w.Faults = append([]Fault{}, l.faults...)
	stale, central := l.stale, l.dark
	l.mu.Unlock()
	w.DSM = l.dsmTruth(stale, central)
	w.NSX = l.nsxTruth()
	for _, h := range l.hosts {
		w.ESXi = append(w.ESXi, h.truth())
		w.DSVA = append(w.DSVA, h.appliance.truth())
	}
	for _, g := range l.guests {
		w.Guests = append(w.Guests, g.truth())
	}
	w.Update = l.updates.truth(l)
	return w
}
