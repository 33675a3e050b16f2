package inventory

import (
	"context"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
)

// Source is a kind of source block: it finds hosts somewhere else, as they are now.
type Source interface {
	// Settings returns a pointer to a fresh struct with defaults, tagged as for a module; the block is decoded
	// into it. Two arguments mean the same in every source and are checked when the inventory is loaded:
	// from names a host, and the values of groups (a string, list, map or object) name groups.
	Settings() any
	// Attrs are the attributes that the hosts of these settings carry, known without contact.
	Attrs(settings any) map[string]cty.Type
	// Fetch asks for the hosts. open connects to a host that is written in the inventory, for example the vCenter;
	// the connection belongs to whoever gave open: Fetch does not close it. An error names the host that
	// failed (engine.Error). Names must differ; what differs in the source but not by name is the source's to tell apart.
	Fetch(ctx context.Context, settings any, open func(ctx context.Context, host string) (engine.Conn, error)) ([]Found, error)
}

// Found is a host that a source found.
type Found struct {
	Name    string
	Address string   // "" where the source knows none
	Groups  []string // they must be declared in the inventory
	// Attrs are known values of the types that Source.Attrs told; null counts as absent.
	Attrs map[string]cty.Value
}
