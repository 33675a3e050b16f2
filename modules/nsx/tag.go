package nsx

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/nsx"
)

// Tag looks at the tags of a guest, or adds one.
func Tag() engine.Module {
	return engine.Module{
		Name: "nsx_tag",
		Doc: `Looks at the tags that a guest has in NSX, or adds one.
The host that does it (on) is the NSX manager: kind nsx (NSX-V 6.3 and later) or nsxt (NSX-T 2.4 and later, NSX 4). However many guests are asked for, their tags are read once per pass.
A step adds the one tag that it names, if the guest does not have it, by a request that leaves all other tags alone. It never removes or replaces a tag, never makes one that NSX-V does not know, and refuses tags of ANTI_VIRUS and IDS_IPS: Deep Security sets them where it has found something.
A guest is found by uuid; on NSX-T without one by bios_uuid; without that by name. When several fit, the name chooses; when it cannot, the guest is not found: nobody is guessed. NSX-V lists only guests with a tag: there a guest without any counts as found, and adding the tag fails when it does not exist.
Whoever has the tag is protected only when a group of the operator's is made of it, and NSX moves guests into groups seconds to minutes later: name the group, and the step waits for it.`,
		New:     func() any { return &tag{Within: "5m"} },
		Result:  Tagged{},
		Targets: []string{"nsx", "nsxt"},
	}
}

type tag struct {
	Tag      string `hcl:"tag" executed:"true" doc:"Name of the operator's tag; letter case counts."`
	Scope    string `hcl:"scope,optional" executed:"true" doc:"Scope of the tag; NSX-V has none."`
	UUID     string `hcl:"uuid,optional" executed:"true" doc:"Instance UUID of the guest: config.instanceUuid in vCenter, unique there."`
	BIOSUUID string `hcl:"bios_uuid,optional" executed:"true" doc:"BIOS UUID: config.uuid in vCenter; clones may share it. Not on NSX-V."`
	Name     string `hcl:"name,optional" executed:"true" doc:"Name in vCenter, exact; it may not be unique. Not on NSX-V."`
	Group    string `hcl:"group,optional" doc:"Group that the tag makes the guest a member of: its name on NSX-V; on NSX-T its id in the domain default, or its path."`
	Within   string `hcl:"within,optional" doc:"How long a step waits until NSX shows the tag and the group has followed."`
}

// Tagged is what NSX says of one guest.
type Tagged struct {
	Found   bool     `hcl:"found" doc:"Whether exactly one guest is meant."`
	Name    string   `hcl:"name" doc:"Its name in NSX; empty when it was not found, or not told."`
	Tagged  bool     `hcl:"tagged" doc:"Whether it has the tag."`
	Member  *bool    `hcl:"member" doc:"Whether it is in the group; null when no group is named, or NSX cannot tell."`
	Tags    []string `hcl:"tags" doc:"All its tags, sorted: the name, or scope|name."`
	Message string   `hcl:"message" doc:"Why it was not found, or what is wrong with its tag; empty otherwise."`
}

// Validate refuses tags that are Deep Security's, and what can never be found.
func (m *tag) Validate() error {
	switch {
	case strings.TrimSpace(m.Tag) == "":
		return engine.BadArg{Arg: "tag", Problem: "must name a tag"}
	case isVerdict(m.Tag):
		return engine.BadArg{Arg: "tag", Problem: "is one that Deep Security sets where it has found something; only the operator's own tag is ever added"}
	case isVerdict(m.Scope):
		return engine.BadArg{Arg: "scope", Problem: "is one of tags that Deep Security sets where it has found something; only the operator's own tag is ever added"}
	}
	_, err := m.within()
	return err
}

// isVerdict tells the tags of Deep Security: ANTI_VIRUS.VirusFound.threat=high, IDS_IPS.threat=low (its help on NSX security tags).
func isVerdict(s string) bool {
	s = strings.ToUpper(strings.TrimSpace(s))
	return slices.ContainsFunc([]string{"ANTI_VIRUS", "IDS_IPS"}, func(family string) bool { return s == family || strings.HasPrefix(s, family+".") })
}

func (m *tag) within() (time.Duration, error) {
	d, err := time.ParseDuration(m.Within)
	if err != nil || d <= 0 {
		return 0, engine.BadArg{Arg: "within", Problem: `must be a duration such as "5m", not ` + strconv.Quote(m.Within)}
	}
	return d, nil
}

func (m *tag) wanted() nsx.Tag { return nsx.Tag{Scope: m.Scope, Name: m.Tag} }

// Probe asks.
func (m *tag) Probe(ctx context.Context, host engine.Reader) (any, error) {
	d, err := directory(ctx, host)
	if err != nil {
		return nil, err
	}
	g, why := d.Find(m.UUID, m.BIOSUUID, m.Name)
	if why != "" {
		return Tagged{Message: why}, nil
	}
	return m.result(ctx, host, g)
}

func (m *tag) result(ctx context.Context, host engine.Reader, g nsx.Guest) (Tagged, error) {
	r := Tagged{Found: true, Name: g.Name, Tagged: g.Has(m.wanted())}
	for _, t := range g.Tags {
		r.Tags = append(r.Tags, t.String())
	}
	known, member, err := m.member(ctx, host, g)
	if known {
		r.Member = &member
	}
	if known && r.Tagged && !member {
		r.Message = fmt.Sprintf("it has the tag, and the group %s has not taken it in", m.Group)
	}
	return r, err
}

func (m *tag) member(ctx context.Context, host engine.Reader, g nsx.Guest) (known, member bool, err error) {
	if m.Group == "" {
		return false, false, nil
	}
	api, err := host.API(ctx)
	if err != nil {
		return false, false, err
	}
	known, member, err = nsx.Member(ctx, api, m.Group, g)
	return known, member, engine.Blame(err, host.Name())
}
