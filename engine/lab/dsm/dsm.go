// Package dsm is a simulated Deep Security Manager: REST v1 and SOAP behind one HTTP handler.
//
// It knows of the estate only what it is told: engines by the heartbeats of appliances, power by its vCenter
// connector. It can be wrong, and it can be stale. Shapes and strings are those of Trend Micro's OpenAPI document and
// WSDL; statuses other than the offline string are not sourced in Japanese.
package dsm

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Kind is the SOAP hostType of an object.
type Kind string

// The kinds of objects that a manager lists.
const (
	ESX       Kind = "ESX"
	Appliance Kind = "APPLIANCE"
	VM        Kind = "VM"
)

// Power is what the vCenter connector says of a virtual machine.
type Power string

// The power states; standby is a guest that sleeps in a powered-on machine.
const (
	On        Power = "on"
	Off       Power = "off"
	Suspended Power = "suspended"
	Standby   Power = "standby"
)

// Computer is one object of the manager, and what it last learned about it.
type Computer struct {
	ID            int
	Kind          Kind
	Name, Display string
	Platform      string
	BIOSUUID      string
	Address       string
	Agentless     bool // protected by an appliance, not by an agent of its own
	ESXi          int  // ID of the ESXi host it runs on; 0: none
	Appliance     int  // ID of the appliance of that host; 0: none
	Power         Power
	Online        bool      // its engine, as the appliance last reported
	Reported      time.Time // when that was; zero: never
	Silent        bool      // heartbeats of its appliance are missing
	Outside       bool      // it is not in the security group that NSX protects
	PolicyAsked   time.Time // when its policy was last to be sent; zero: never
	PolicySent    time.Time // when that last succeeded

	erred   bool // it was shown as an error that stays until somebody clears it
	cleared bool // somebody cleared its errors since its last heartbeat
}

// Config is what a manager is made of.
type Config struct {
	Version  string // X-DSM-Version; default 20.0.1017, or 11.0.229 without REST
	NoREST   bool   // as DSM 11.0: /api answers 404, only SOAP remains
	Japanese bool   // the language setting of the users, and of the API key
	// Languages are the users whose setting is another one: "en" or "ja".
	Languages map[string]string
	APIKey    string
	Users     map[string]string // name → password, for SOAP
	// Session is how long a SOAP session may idle; default 30 minutes of real time.
	Session     time.Duration
	MaxSessions int // per user; default 10
	MaxFailures int // wrong passwords in a row until the account is locked; default 5
	// Updates is the source of security updates unless the settings name another one.
	Updates string
	// OtherSource is the mode with which the URL of the settings counts; default "Other update source", which is a guess.
	OtherSource string
	// Fetch lets a relay fetch the patterns from a source; its error is the text of the event. nil: every update fails.
	Fetch func(source string) (version string, err error)
	// Policy brings a computer its policy; nil: at once.
	Policy func(id int)
	// Background runs what takes time; nil: at once.
	Background func(func())
	// Record is called with every request before it is answered; texts hold no password and no key. May be nil.
	Record func(user, text string, mutates bool)
}

// Manager is the simulated DSM. It is an http.Handler, safe for use by several goroutines.
type Manager struct {
	cfg      Config
	mux      *http.ServeMux
	sessions *sessions

	mu        sync.Mutex
	computers map[int]*Computer
	shift     time.Duration // how far back the shown times lie
	frozen    bool
	busy      int // every busy-th REST call is answered 429; 0: none
	calls     int
	settings  map[string]string
	ignore    bool // changes of settings are answered and not made
	events    []logged
	tasks     map[int]scheduled
	lastTask  int
	jobs      []job
	manners   Manners
	yesterday map[int]Computer // what hostGetStatus goes on answering; nil: it answers the truth
}

// New makes a manager that lists these computers.
func New(cfg Config, computers []Computer) *Manager {
	cfg = withDefaults(cfg)
	m := &Manager{cfg: cfg, mux: http.NewServeMux(), sessions: newSessions(cfg), computers: map[int]*Computer{},
		settings: defaultSettings(), tasks: map[int]scheduled{}}
	for _, c := range computers {
		m.computers[c.ID] = &c
	}
	if !cfg.NoREST {
		m.mux.Handle("/api/", m.rest())
	}
	m.mux.HandleFunc("/webservice/Manager", m.soap)
	m.mux.HandleFunc("/", m.notFound)
	return m
}

func withDefaults(cfg Config) Config {
	if cfg.Version == "" {
		cfg.Version = "20.0.1017"
		if cfg.NoREST {
			cfg.Version = "11.0.229"
		}
	}
	if cfg.Session == 0 {
		cfg.Session = 30 * time.Minute
	}
	if cfg.MaxSessions == 0 {
		cfg.MaxSessions = 10
	}
	if cfg.MaxFailures == 0 {
		cfg.MaxFailures = 5
	}
	if cfg.OtherSource == "" {
		cfg.OtherSource = otherSource
	}
	if cfg.Fetch == nil {
		cfg.Fetch = func(string) (string, error) { return "", errors.New("this manager has no relay") }
	}
	if cfg.Policy == nil {
		cfg.Policy = func(int) {}
	}
	if cfg.Background == nil {
		cfg.Background = func(f func()) { f() }
	}
	if cfg.Record == nil {
		cfg.Record = func(string, string, bool) {}
	}
	return cfg
}

// ServeHTTP answers one request.
func (m *Manager) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

func (m *Manager) notFound(w http.ResponseWriter, r *http.Request) {
	m.cfg.Record("", r.Method+" "+r.URL.RequestURI(), false)
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<html><head><title>404</title></head><body>The requested resource is not available.</body></html>"))
}

// protected tells whether an appliance protects c.
func (c Computer) protected() bool { return c.Kind == VM && c.Agentless && !c.Outside }

// Freeze makes the manager deaf: it goes on showing what it knows, with communication times that lie back by age.
func (m *Manager) Freeze(age time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.frozen, m.shift = true, age
}

// Busy makes every n-th REST call fail with 429; 0 ends that.
func (m *Manager) Busy(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy, m.calls = n, 0
}

// Clear ends Freeze, Busy, IgnoreSettings, Behave, Yesterday and lockouts, clears errors and gives the settings their defaults. What
// was missed meanwhile comes with the next heartbeats.
func (m *Manager) Clear() {
	m.mu.Lock()
	m.frozen, m.shift, m.busy = false, 0, 0
	m.manners, m.yesterday = Manners{}, nil
	for _, c := range m.computers {
		c.erred, c.cleared = false, false
	}
	m.ignore, m.settings = false, defaultSettings()
	m.mu.Unlock()
	m.sessions.clear()
}

// Computers is what the manager would say now, by ID.
func (m *Manager) Computers() []Computer {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Computer, 0, len(m.computers))
	for _, id := range slices.Sorted(maps.Keys(m.computers)) {
		list = append(list, m.shown(m.computers[id]))
	}
	return list
}

// Computer is what the manager would say now about one of them.
func (m *Manager) Computer(id int) (Computer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.computers[id]
	if c == nil {
		return Computer{}, false
	}
	return m.shown(c), true
}

func (m *Manager) shown(c *Computer) Computer {
	shown := *c
	if !shown.Reported.IsZero() {
		shown.Reported = shown.Reported.Add(-m.shift)
	}
	return shown
}
