// Package vsphere knows the inventory of a vCenter as hosts: guests, ESXi hosts and the virtual appliances on them,
// as they are now.
package vsphere

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/inventory"
)

// Source is the source "vsphere".
type Source struct{}

var _ inventory.Source = Source{}

// Settings are the arguments of a source "vsphere" block.
type Settings struct {
	From      string            `hcl:"from" doc:"Host of the inventory that is the vCenter: connection \"https\" of kind vsphere."`
	Groups    map[string]string `hcl:"groups,optional" doc:"Which group gets the found hosts: guests, esxi and appliances. Without a group they are hosts all the same."`
	Appliance string            `hcl:"appliance,optional" doc:"Regular expression for names of virtual machines that are appliances, not guests. The one on an ESXi host becomes its dsva."`
	Guests    string            `hcl:"guests,optional" doc:"Regular expression: only guests whose name matches are hosts. Appliances are not asked."`
	DSVA      string            `hcl:"dsva,optional" doc:"Name of the appliance of an ESXi host where appliances are written by hand: {esxi} is the host's name, {short} the same up to the first dot; \"dsva-{short}\"."`
}

// Settings returns *Settings.
func (Source) Settings() any { return &Settings{} }

// Validate refuses with a BadArg what can never work.
func (s *Settings) Validate() error {
	for key := range s.Groups {
		if !slices.Contains([]string{"guests", "esxi", "appliances"}, key) {
			return engine.BadArg{Arg: "groups", Problem: fmt.Sprintf("has no %q; its names are guests, esxi and appliances", key)}
		}
	}
	if s.DSVA != "" && !strings.Contains(s.DSVA, "{esxi}") && !strings.Contains(s.DSVA, "{short}") {
		return engine.BadArg{Arg: "dsva", Problem: "must contain {esxi} or {short}: every ESXi host has an appliance of its own"}
	}
	_, err := s.rules()
	return err
}

// rules are the regular expressions; nil where none is given.
type rules struct{ appliance, guests *regexp.Regexp }

func (s *Settings) rules() (r rules, err error) {
	for _, x := range []struct {
		arg, text string
		to        **regexp.Regexp
	}{{"appliance", s.Appliance, &r.appliance}, {"guests", s.Guests, &r.guests}} {
		if x.text == "" {
			continue
		}
		if *x.to, err = regexp.Compile(x.text); err != nil {
			return r, engine.BadArg{Arg: x.arg, Problem: "is no regular expression: " + err.Error()}
		}
	}
	return r, nil
}

// Attrs are the attributes of the found hosts. Machines have uuid to esxi, ESXi hosts esxi_ref to dsva.
func (Source) Attrs(any) map[string]cty.Type {
	attrs := map[string]cty.Type{"maintenance": cty.Bool}
	for _, name := range []string{"uuid", "bios_uuid", "power", "guest_state", "tools_status", "vm", "esxi", "esxi_ref", "version", "connection_state", "dsva"} {
		attrs[name] = cty.String
	}
	return attrs
}

// Fetch reads the vCenter. Templates are left out. A host's name is that in vCenter; where several machines have
// the same one, the managed object id is added ("web-vm-17"), so that no name means one of several.
func (Source) Fetch(ctx context.Context, settings any, open func(context.Context, string) (engine.Conn, error)) ([]inventory.Found, error) {
	s := settings.(*Settings)
	r, err := s.rules()
	if err != nil {
		return nil, err
	}
	conn, err := open(ctx, s.From)
	if err != nil {
		return nil, err
	}
	api, ok := conn.(engine.API)
	if !ok {
		return nil, &engine.Error{Kind: engine.KindModule, Host: s.From, Op: "read the vCenter", Msg: "the host is no API",
			Hint: `give it a connection "https" with kind = "vsphere"`}
	}
	estate, err := vsphere.Fetch(ctx, api)
	if err != nil {
		return nil, engine.Blame(err, s.From)
	}
	return s.hosts(estate, r), nil
}
