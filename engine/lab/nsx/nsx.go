// Package nsx is a simulated NSX manager of either generation: NSX-V (XML, HTTP Basic) or NSX-T (JSON, HTTP Basic or a session).
//
// It holds the tags of virtual machines and the one group that Deep Security protects, whose members are the machines with
// the operator's tag. Paths and shapes of NSX-V are those of vmware/nsxraml (nsxvapi.raml), of NSX-T those of its published API
// models; what a manager answers when it refuses is not sourced. A change of tags is seen by readers after ReadDelay and
// moves the group after GroupDelay.
package nsx

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
)

// Generation is which NSX it is.
type Generation string

// The generations.
const (
	V Generation = "v"
	T Generation = "t"
)

// VM is a virtual machine; what changes of it is asked for by Config.State.
type VM struct {
	Ref, Name              string // managed object id in the vCenter: "vm-17"
	InstanceUUID, BIOSUUID string
	Service                bool // it is an appliance (SVM), which carries no tags
	Tags                   []Tag
}

// Host is an ESXi host.
type Host struct {
	Ref, ID, Name string // managed object id in the vCenter; id of NSX-T; name
	SVM           string // instance UUID of its appliance
}

// Health is what the manager hears of the Guest Introspection of a host.
type Health struct {
	Deployed bool // the appliance is powered on
	Solution bool // its agent runs
	Mux      bool // the Mux of the host is connected to it
}

// Config is what a manager is made of.
type Config struct {
	Generation     Generation
	User, Password string
	Hosts          []Host
	VMs            []VM
	Membership     Tag    // who has it is a member of Group
	Group          string // name and id of the group
	Defined        []Tag  // tags that exist besides; NSX-V attaches no others

	Clock                 clock.Clock
	ReadDelay, GroupDelay time.Duration // lab time
	Session               time.Duration // how long a session of NSX-T may idle, in real time; default 30 minutes
	MaxFailures           int           // wrong passwords in a row until the account is locked; default 5
	Page                  int           // most results of NSX-T on one page; default 1000

	// State is where a machine runs (name of the host) and whether it is powered on; nil: on the first host.
	State func(instanceUUID string) (host string, on bool)
	// Health of a host; nil: everything is up.
	Health func(host string) Health
	// Changed is told of a machine whose tags were changed over the API. May be nil.
	Changed func(instanceUUID string)
	// Record is called with every request before it is answered; texts hold no password. May be nil.
	Record func(user, text string, mutates bool)
}

// Manager is the simulated NSX manager. It is an http.Handler, safe for use by several goroutines.
type Manager struct {
	cfg    Config
	mux    *http.ServeMux
	access *access
	ids    map[Tag]string // of NSX-V: "securitytag-10"

	machines []*machine
	byUUID   map[string]*machine

	mu    sync.Mutex
	busy  int // every busy-th request is answered 429; 0: none
	calls int
}

// New makes a manager.
func New(cfg Config) *Manager {
	cfg = withDefaults(cfg)
	m := &Manager{cfg: cfg, access: newAccess(cfg), byUUID: map[string]*machine{}}
	for _, vm := range cfg.VMs {
		x := &machine{VM: vm, history: []moment{{tags: vm.Tags}}}
		m.machines, m.byUUID[vm.InstanceUUID] = append(m.machines, x), x
	}
	if cfg.Generation == V {
		m.defineTags()
		m.mux = m.routesV()
	} else {
		m.mux = m.routesT()
	}
	return m
}

func withDefaults(cfg Config) Config {
	if cfg.Session == 0 {
		cfg.Session = 30 * time.Minute
	}
	if cfg.MaxFailures == 0 {
		cfg.MaxFailures = 5
	}
	if cfg.Page == 0 {
		cfg.Page = 1000
	}
	if cfg.State == nil {
		cfg.State = func(string) (string, bool) { return cfg.Hosts[0].Name, true }
	}
	if cfg.Health == nil {
		cfg.Health = func(string) Health { return Health{true, true, true} }
	}
	if cfg.Changed == nil {
		cfg.Changed = func(string) {}
	}
	if cfg.Record == nil {
		cfg.Record = func(string, string, bool) {}
	}
	return cfg
}

// Member tells whether a machine is in the group now.
func (m *Manager) Member(instanceUUID string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.byUUID[instanceUUID]
	return x != nil && m.member(x)
}

// Tags of a machine, as they were set last, whatever readers see yet.
func (m *Manager) Tags(instanceUUID string) []Tag {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.byUUID[instanceUUID]; x != nil {
		return slices.Clone(x.now())
	}
	return nil
}

// Lose takes the membership tag from a machine, without a delay, and tells whether there is such a machine.
func (m *Manager) Lose(instanceUUID string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.byUUID[instanceUUID]
	if x != nil {
		x.history = []moment{{tags: without(x.now(), m.cfg.Membership)}}
	}
	return x != nil
}

// Busy makes every n-th request fail with 429; 0 ends that.
func (m *Manager) Busy(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy, m.calls = n, 0
}

// EndSessions ends every session, as a restart of the manager's proxy does.
func (m *Manager) EndSessions() { m.access.endAll() }

// WrongPasswords is how many logins were refused, and whether an account is locked.
func (m *Manager) WrongPasswords() (n int, locked bool) { return m.access.wrongPasswords() }

// Clear gives every machine its first tags again, and ends Busy and lockouts.
func (m *Manager) Clear() {
	m.access.unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy, m.calls = 0, 0
	for _, x := range m.machines {
		x.history = []moment{{tags: x.VM.Tags}}
	}
}

func (m *Manager) hostNamed(name string) Host {
	for _, h := range m.cfg.Hosts {
		if h.Name == name {
			return h
		}
	}
	return Host{}
}
