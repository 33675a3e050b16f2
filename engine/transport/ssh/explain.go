package ssh

import (
	"context"

	"github.com/dsplay/dsplay/engine"
	"github.com/zclconf/go-cty/cty"
)

// Explain lists the defaults that hold, and what the configuration says of the host at address, with its lines.
func (s *Settings) Explain(address string) []engine.Origin {
	var a answer
	var all []engine.Origin
	if q, ok := s.question(address); ok {
		var err error
		if a, err = s.read().last(context.Background(), q); err != nil { //nolint:forbidigo // nothing is waited for: no command is run
			all = append(all, engine.Origin{Arg: "config", Value: cty.StringVal("not known without: " + err.Error()), By: "ssh_config"})
		}
	}
	taken := map[string]bool{}
	for _, t := range a.options.Taken {
		if !s.overrules(t.Directive) {
			taken[t.Directive] = true
			all = append(all, engine.Origin{Arg: "config." + t.Directive, Value: cty.StringVal(t.Value), By: "ssh_config", Place: t.Place.String()})
		}
	}
	for _, n := range a.notices {
		all = append(all, engine.Origin{Arg: "config." + n.Directive, Value: cty.StringVal(n.Text), By: "ssh_config", Place: n.Place.String()})
	}
	for _, d := range []struct {
		arg, directive string
		value          cty.Value
	}{
		{"port", "Port", cty.NumberIntVal(defaultPort)}, {"host_keys", "StrictHostKeyChecking", cty.StringVal(defaultHostKeys)},
		{"connect_timeout", "ConnectTimeout", cty.StringVal(defaultConnect)}, {"keepalive", "ServerAliveInterval", cty.StringVal(defaultKeepalive)},
	} {
		if !taken[d.directive] && !s.overrules(d.directive) {
			all = append(all, engine.Origin{Arg: d.arg, Value: d.value, By: "default"})
		}
	}
	return all
}
