package sshconfig

import (
	"net"
	"net/netip"
	"strings"
)

// matches knows * and ?. It takes time in proportion to both lengths, whatever the pattern.
func matches(s, pattern string) bool {
	i, j, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == '*': // before the next case: a text may have stars, too
			star, mark = j, i
			j++
		case j < len(pattern) && (pattern[j] == '?' || pattern[j] == s[i]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[j:], "*") == ""
}

// matchesList takes patterns with commas between them; one with ! that matches outweighs all others.
func matchesList(s, list string, lower bool) bool {
	if lower {
		list = strings.ToLower(list)
	}
	positive := false
	for _, pattern := range strings.Split(list, ",") {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if !matches(s, pattern) {
			continue
		}
		if negated {
			return false
		}
		positive = true
	}
	return positive && list != ""
}

// matchesHosts takes the patterns of a Host line.
func matchesHosts(host string, patterns []string) bool {
	found := false
	for _, pattern := range patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if matches(host, pattern) {
			if negated {
				return false
			}
			found = true
		}
	}
	return found
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
