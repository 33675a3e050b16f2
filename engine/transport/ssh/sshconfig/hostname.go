package sshconfig

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
)

// hostname is the name to connect to: names are in lower case, addresses in their usual form.
func (s *state) hostname() (string, error) {
	host := s.query.Host
	if v, ok := s.values["hostname"]; ok {
		expanded, err := expand(v.args[0], map[byte]string{'h': host}, nil)
		if err != nil {
			return "", fmt.Errorf("%s: HostName: %w", v.place, err)
		}
		host = expanded
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return address.String(), nil
	}
	if strings.ContainsAny(host, "%:") { // an address with a scope
		return host, nil
	}
	return strings.ToLower(host), nil
}

// validHost and validUser refuse what a shell would not take for a word: names get into Match exec and ProxyCommand, and
// some come from what guests say of themselves (CVE-2023-51385). The rules are those of ssh_valid_hostname and
// ssh_valid_ruser in OpenSSH 9.6, with the control characters of 10.1 (CVE-2025-61984).
func validHost(s string) bool {
	return s != "" && s[0] != '-' && !strings.ContainsFunc(s, func(c rune) bool {
		return strings.ContainsRune("'`\"$\\;&<>|(){},", c) || unicode.IsSpace(c) || unicode.IsControl(c)
	})
}

func validUser(s string) bool {
	return !strings.HasPrefix(s, "-") && !strings.ContainsAny(s, "'`\";&<>|(){}") && !strings.HasSuffix(s, "\\") && !strings.ContainsFunc(s, unicode.IsControl) &&
		!optionAfterSpace.MatchString(s)
}

var optionAfterSpace = regexp.MustCompile(`[\s\p{Z}]-`)
