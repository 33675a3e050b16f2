package sshconfig

import (
	"net"
	"net/netip"
	"strings"

	"github.com/dsplay/dsplay/engine/sshpattern"
)

// matchesList takes patterns with commas between them.
func matchesList(s, list string, lower bool) bool {
	if lower {
		list = strings.ToLower(list)
	}
	return list != "" && sshpattern.Any(s, strings.Split(list, ","))
}

// onNetwork tells whether this machine has an address in one of the networks, and in none with !.
func onNetwork(list string) (bool, error) {
	var in, out []netip.Prefix
	for _, text := range strings.Split(list, ",") {
		text, negated := strings.CutPrefix(text, "!")
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return false, err
		}
		if negated {
			out = append(out, prefix)
		} else {
			in = append(in, prefix)
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false, err
	}
	for _, a := range addresses {
		own, err := netip.ParsePrefix(a.String())
		if err == nil && contains(in, own.Addr()) && !contains(out, own.Addr()) {
			return true, nil
		}
	}
	return false, nil
}

func contains(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
