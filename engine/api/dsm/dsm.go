// Package dsm knows how to ask a Deep Security Manager about the guests that its appliances protect: by REST v1
// (DSM 11.1 and later) and by SOAP (every version, the only way for 11.0), with one answer for both.
//
// It reads and sets the source of security updates, starts such an update and reads system events, too; what changes a
// manager is named so.
//
// Field names, enums and operations are those of Trend Micro's OpenAPI document and WSDL. A manager shows texts in
// the language of the API user; English and Japanese are understood.
package dsm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// State is what a DSM knows of the anti-malware engine of a guest.
type State string

// The states. See judge for what makes which.
const (
	Online      State = "online"
	Offline     State = "offline"
	Off         State = "off"         // the guest is powered off, suspended or in standby, or anti-malware is switched off
	Unsupported State = "unsupported" // no appliance protects it, or it cannot
	Unknown     State = "unknown"
)

// Computer is what a DSM says of one guest.
type Computer struct {
	Found             bool // exactly one computer of the DSM was meant
	ID                int
	Name, DisplayName string
	BIOSUUID          string // as vCenter's config.uuid: lower case, with hyphens
	// Agentless tells whether an appliance protects it: it has an appliance's fingerprint, or protectionType APPLIANCE.
	Agentless bool
	// IsAppliance marks the virtual appliance itself. Its own engine may rightly be off, so it is nobody's evidence.
	IsAppliance bool
	State       State
	Messages    []string // the DSM's own words, in its language; or why State is unknown
	// Leftover are those of Messages that call the engine offline although it reports well: errors that nobody has cleared,
	// or a DSM that contradicts itself. State is Unknown then.
	Leftover []string
	// AsOf is when the appliance last reported, in this machine's clock; nil: the DSM does not say.
	AsOf *time.Time
	// Appliance and ESXi are names in the DSM. REST has no such fields: then they are empty.
	Appliance, ESXi string
	// Groups are the NSX security groups that the DSM knows of; only REST tells.
	Groups []string
}

// Directory is what a DSM said at one moment. It is safe for use by several goroutines.
type Directory struct {
	API     string // "rest" or "soap"
	Version string // X-DSM-Version; empty over SOAP
	// Skew is how far the DSM's clock is ahead of ours; 0 when it is only seconds. AsOf is corrected by it.
	Skew time.Duration

	byUUID map[string][]Computer
	detail func(ctx context.Context, c Computer) (Computer, error) // nil: everything is in byUUID already

	mu      sync.Mutex
	details map[int]Computer
}

// errNoREST says that this DSM has no REST v1.
var errNoREST = errors.New("no REST API at /api")

// Fetch reads the list of all computers, over REST when an API key is set and the DSM has REST v1, else over SOAP
// with user and password. Over SOAP a guest's state is fetched when it is asked for.
// A refused key is an error, not a reason to try the password.
func Fetch(ctx context.Context, api engine.API) (*Directory, error) {
	return choose(ctx, api, fetchREST, fetchSOAP)
}

// choose calls the one of two ways to speak with a DSM for which there are credentials, and which it has.
func choose[T any](ctx context.Context, api engine.API, rest, soap func(context.Context, engine.API) (T, error)) (none T, err error) {
	user, password := api.Login()
	if kind := api.Kind(); kind != "dsm" && kind != "" {
		return none, &engine.Error{Kind: engine.KindModule, Op: "ask a DSM", Msg: "the host is of kind " + kind,
			Hint: "on must name the Deep Security Manager"}
	}
	login := user != "" && !password.IsZero()
	if !api.Key().IsZero() {
		d, err := rest(ctx, api)
		if !errors.Is(err, errNoREST) {
			return d, err
		}
		if !login {
			return none, &engine.Error{Kind: engine.KindProtocol, Op: "ask the DSM over REST", Err: err,
				Hint: "DSM 11.0 and older speak only SOAP: give user and password"}
		}
	}
	if !login {
		return none, &engine.Error{Kind: engine.KindAuth, Op: "ask the DSM", Msg: "no credentials",
			Hint: `give api_key (DSM 12 and later), or user and password, in its connection "https"`}
	}
	return soap(ctx, api)
}

// Computer is the guest with this BIOS UUID. The UUID of a cloned guest may not be unique: then a name (display or
// host name in the DSM, letter case ignored) must single one out. Nobody is guessed: an empty UUID, none or several
// matches give a Computer that is not Found, with State Unknown and the reason in Messages.
func (d *Directory) Computer(ctx context.Context, biosUUID, name string) (Computer, error) {
	uuid := UUID(biosUUID)
	if uuid == "" {
		return nobody(uuid, "the BIOS UUID of the guest is not known"), nil
	}
	found := d.byUUID[uuid]
	if len(found) > 1 && name != "" {
		found = named(found, name)
	}
	switch {
	case len(d.byUUID[uuid]) == 0:
		return nobody(uuid, "the DSM has no computer with BIOS UUID "+uuid), nil
	case len(found) != 1:
		return nobody(uuid, fmt.Sprintf("the BIOS UUID %s is not unique in the DSM: %s", uuid, strings.Join(names(d.byUUID[uuid]), ", "))), nil
	}
	return d.complete(ctx, found[0])
}

func nobody(uuid, why string) Computer {
	return Computer{BIOSUUID: uuid, State: Unknown, Messages: []string{why}}
}

func (d *Directory) complete(ctx context.Context, c Computer) (Computer, error) {
	if d.detail == nil || c.IsAppliance {
		return c, nil
	}
	d.mu.Lock()
	known, ok := d.details[c.ID]
	d.mu.Unlock()
	if ok {
		return known, nil
	}
	c, err := d.detail(ctx, c)
	if err != nil {
		return Computer{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.details[c.ID] = c
	return c, nil
}

func newDirectory(api, version string, skew time.Duration, computers []Computer) *Directory {
	d := &Directory{API: api, Version: version, Skew: skew, byUUID: map[string][]Computer{}, details: map[int]Computer{}}
	for _, c := range computers {
		if c.BIOSUUID != "" {
			d.byUUID[c.BIOSUUID] = append(d.byUUID[c.BIOSUUID], c)
		}
	}
	return d
}

// Label is the name for a person: the display name, else the host name, else the BIOS UUID.
func (c Computer) Label() string {
	for _, s := range []string{c.DisplayName, c.Name, c.BIOSUUID} {
		if s != "" {
			return s
		}
	}
	return "a guest without BIOS UUID"
}

func named(list []Computer, name string) (found []Computer) {
	for _, c := range list {
		if strings.EqualFold(c.DisplayName, name) || strings.EqualFold(c.Name, name) {
			found = append(found, c)
		}
	}
	return found
}

func names(list []Computer) (labels []string) {
	for _, c := range list {
		labels = append(labels, fmt.Sprintf("%s (ID %d)", c.Label(), c.ID))
	}
	return labels
}

// UUID writes a UUID as vCenter does: lower case with hyphens, whatever punctuation it came with
// ("42 1e 11 37 5c 49 56 e4-24 6d …" is how VMware writes it into the BIOS). Anything else is only lower-cased.
func UUID(s string) string {
	plain := strings.ToLower(strings.TrimSpace(s))
	hex := strings.NewReplacer("-", "", " ", "", "{", "", "}", "").Replace(plain)
	if len(hex) != 32 || strings.Trim(hex, "0123456789abcdef") != "" {
		return plain
	}
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:]
}
