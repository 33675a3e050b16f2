package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Reserved are the names that no attribute of a host may have.
var Reserved = []string{"name", "address", "groups", "connection", "probe", "step", "status", "error"}

// Localhost is the built-in host: the machine on which dsplay runs, reached by the local transport.
const Localhost = "localhost"

// Host is one of the inventory: an ESXi host, an appliance, a guest, but also a vCenter or a DSM.
type Host struct {
	Name    string
	Address string // name or IP to connect to; the host's name when the inventory gives none
	Groups  []string
	Attrs   map[string]cty.Value // known values without marks; an absent attribute is not in the map
	// Connection says how to reach it; Type is empty when the inventory does not say.
	Connection Connection
	Sudo       *Sudo  // how to become another user, used by entries with a sudo block; nil: nothing said
	Range      Range  // where it is declared; a source's range for hosts that a source gave
	Source     string // "" for a host written in a file, else the source's name
}

// Connection is a type of transport and the settings that the transport's Settings() declared.
type Connection struct {
	Type     string
	Settings any
}

// Detour is implemented by settings of a connection whose way to a host may lead through something else.
type Detour interface {
	// Via names it for people, without secrets: "socks5 proxy ops@198.51.100.9:1080"; "": the way is direct.
	Via(address string) string
}

// Origin is something that settings do not hold as it was written, and where it comes from.
type Origin struct {
	Arg   string // the argument that would say it, or a name below one
	Value cty.Value
	By    string // "default", "ssh_config"
	Place string // "config:12"; "" for a default
}

// Explainer is implemented by settings that hold less than what counts: defaults that give way to another file, and that file.
type Explainer interface {
	// Explain lists it for a host, as far as nothing has to be run or contacted to know it.
	Explain(address string) []Origin
}

// Via names what the way to h leads through; "": nothing that its settings know of.
func (h *Host) Via() string {
	if d, ok := h.Connection.Settings.(Detour); ok {
		return d.Via(h.Address)
	}
	return ""
}

// Sudo is how a command becomes another user's.
type Sudo struct {
	User     string // "" means root
	Password Secret // zero: none is sent
	// Method is "" or "sudo", "su", "doas", or a template: a command line with {command}, the words to run, or {line}, the same
	// as one word; {user} in it is the user: "pbrun -u {user} {command}".
	Method string
	TTY    bool // give the program a terminal: requiretty in sudoers, a doas with a password
}

// Validate refuses a method that is none.
func (s Sudo) Validate() error {
	words := strings.Count(s.Method, "{command}") + strings.Count(s.Method, "{line}")
	switch {
	case slices.Contains([]string{"", "sudo", "su", "doas"}, s.Method), words == 1 && !strings.ContainsAny(s.Method, "\x00\r\n"):
		return nil
	}
	return BadArg{Arg: "method", Problem: `must be sudo, su, doas, or a command line with {command} or {line} in it once, such as "pbrun -u {user} {command}", not ` + strconv.Quote(s.Method)}
}

// Inventory is every host, resolved.
type Inventory struct {
	Hosts  map[string]*Host
	Groups map[string][]string // sorted names of hosts
	// Attrs is the union of the hosts' attributes: every host has each of them, null where absent.
	Attrs map[string]cty.Type
}

// Names returns the sorted names of all hosts, without localhost.
func (i *Inventory) Names() []string {
	names := make([]string, 0, len(i.Hosts))
	for name := range i.Hosts {
		if name != Localhost {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
