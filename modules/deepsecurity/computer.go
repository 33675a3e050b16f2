package deepsecurity

import (
	"context"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
)

// Computer looks at one guest in a DSM.
func Computer() engine.Module {
	return engine.Module{
		Name: "ds_computer",
		Doc: `Asks a Deep Security Manager how the agentless anti-malware engine of one guest is.
The host that does it (on) is the manager: REST with an API key (DSM 12 and later), SOAP with user and password (every version). However many guests are asked for, the manager's list is read once per pass.
The state is online; offline; off (the guest is powered off, suspended or in standby, or anti-malware is switched off); unsupported (no appliance protects it); or unknown, always with a message. Nobody is guessed: a guest without a BIOS UUID, or with one that several have and no name that tells them apart, is unknown.
A DSM goes on showing an error until somebody clears it: where it calls the engine offline and the engine itself reports well, the state is unknown and error_shown is true. ds_clear_errors clears it and tells whether it returns.
Over REST a guest in standby shows as offline, because vCenter's own power display is all that there is: ask vCenter (vm.awake), too.`,
		New:     func() any { return &computer{MaxAge: defaultMaxAge} },
		Result:  Guest{},
		Targets: []string{"dsm"},
	}
}

type computer struct {
	BIOSUUID string `hcl:"bios_uuid,optional" doc:"BIOS UUID of the guest, as vCenter's config.uuid; letter case and punctuation do not matter."`
	Name     string `hcl:"name,optional" doc:"Display or host name in DSM, used only to choose among guests (clones) that have the same BIOS UUID."`
	MaxAge   string `hcl:"max_age,optional" doc:"An \"online\" that DSM heard of longer ago than this is unknown."`
}

// Guest is what the DSM says of one guest.
type Guest struct {
	Found     bool     `hcl:"found" doc:"Whether DSM has exactly one computer that is meant."`
	Name      string   `hcl:"name" doc:"Its display name in DSM; empty when it was not found."`
	Agentless bool     `hcl:"agentless" doc:"Whether an appliance protects it."`
	State     string   `hcl:"state" doc:"online, offline, off, unsupported or unknown."`
	Message   string   `hcl:"message" doc:"DSM's own words, in the language of the API user, or why the state is unknown."`
	Shown     bool     `hcl:"error_shown" doc:"Whether DSM calls the engine offline although it reports well: an error that stays shown until it is cleared, or a DSM that contradicts itself."`
	AsOf      *string  `hcl:"as_of" doc:"When the appliance last reported to DSM, RFC 3339, in the time of this machine; null when DSM does not say."`
	Appliance string   `hcl:"appliance" doc:"Name of the appliance in DSM; empty over REST, which does not tell."`
	ESXi      string   `hcl:"esxi" doc:"Name of the ESXi host in DSM; empty over REST, which does not tell."`
	Groups    []string `hcl:"security_groups" doc:"NSX security groups that DSM knows of; empty over SOAP. A guest without the group that its peers have is not protected."`
}

// Validate refuses a max_age that is no duration.
func (c *computer) Validate() error {
	_, err := maxAge(c.MaxAge)
	return err
}

// Probe asks.
func (c *computer) Probe(ctx context.Context, host engine.Reader) (any, error) {
	limit, err := maxAge(c.MaxAge)
	if err != nil {
		return nil, err
	}
	d, err := directory(ctx, host)
	if err != nil {
		return nil, err
	}
	found, err := d.Computer(ctx, c.BIOSUUID, c.Name)
	if err != nil {
		return nil, engine.Blame(err, host.Name())
	}
	return guest(found, limit), nil
}

func guest(c dsm.Computer, limit time.Duration) Guest {
	state, messages := verdict(c, limit)
	g := Guest{Found: c.Found, Agentless: c.Agentless, State: string(state), Message: strings.Join(messages, "; "),
		Shown: lingers(c, limit), AsOf: stamp(c.AsOf), Appliance: c.Appliance, ESXi: c.ESXi, Groups: c.Groups}
	switch {
	case c.IsAppliance:
		g.Name, g.State, g.Message = c.Label(), string(dsm.Unsupported), "it is an appliance, not a guest"
	case c.Found:
		g.Name = c.Label()
	}
	return g
}
