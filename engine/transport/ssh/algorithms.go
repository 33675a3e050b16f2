package ssh

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// algorithms are the library's, and two good ones that it knows and does not offer: old appliances have nothing else.
// The lists are everybody's: who wants others makes new ones.
func algorithms(legacy bool) ssh.Config {
	if legacy {
		return withLegacy()
	}
	return withoutLegacy()
}

var (
	withoutLegacy = sync.OnceValue(func() ssh.Config { return offers(false) })
	withLegacy    = sync.OnceValue(func() ssh.Config { return offers(true) })
)

func offers(legacy bool) ssh.Config {
	var c ssh.Config
	c.SetDefaults()
	c.KeyExchanges = union(c.KeyExchanges, []string{ssh.KeyExchangeDHGEXSHA256, ssh.KeyExchangeDH16SHA512})
	if legacy {
		old := ssh.InsecureAlgorithms()
		c.KeyExchanges = union(c.KeyExchanges, old.KeyExchanges)
		c.Ciphers = union(c.Ciphers, old.Ciphers)
		c.MACs = union(c.MACs, old.MACs)
	}
	return c
}

// legacyAdds are the names that only legacy_algorithms offers.
func legacyAdds() []string {
	usual, all := algorithms(false), algorithms(true)
	names := slices.Concat(all.KeyExchanges, all.Ciphers, all.MACs, []string{ssh.InsecureKeyAlgoDSA}) //nolint:staticcheck // to name it
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains(usual.KeyExchanges, name) || slices.Contains(usual.Ciphers, name) || slices.Contains(usual.MACs, name)
	})
}

// oldNames are legacyAdds, found out once.
var oldNames = sync.OnceValue(legacyAdds)

// weakness names what the connection has that only legacy_algorithms offers: " (legacy: …)".
func weakness(c ssh.Conn) string {
	m, ok := c.(ssh.AlgorithmsConnMetadata)
	if !ok {
		return ""
	}
	agreed, old := m.Algorithms(), oldNames()
	var weak []string
	for _, name := range []string{agreed.KeyExchange, agreed.HostKey, agreed.Write.Cipher, agreed.Read.Cipher, agreed.Write.MAC, agreed.Read.MAC} {
		if slices.Contains(old, name) {
			weak = union(weak, []string{name})
		}
	}
	if len(weak) == 0 {
		return ""
	}
	return " (legacy: " + strings.Join(weak, ", ") + ")"
}

// algorithms asks first for what the files know of this host: certificates, and the kinds of its keys. A host has
// several, and one that the files do not have would look like a changed key (https://go.dev/issue/29286). Where no
// authority is known certificates come last: some servers have nothing else, and the key in one may be known.
func (k *hostKeys) algorithms() []string {
	all := []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA,
	}
	certificates := []string{
		ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01,
	}
	if k.legacy {
		all = append(all, ssh.InsecureKeyAlgoDSA) //nolint:staticcheck // asked for by legacy_algorithms
	}
	var first []string
	for _, name := range k.names {
		if len(k.known.Authorities(name)) > 0 {
			first = union(certificates, first)
		}
		for _, line := range k.known.Keys(name) {
			switch {
			case line.Type == ssh.KeyAlgoRSA:
				first = append(first, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA)
			case slices.Contains(all, line.Type):
				first = append(first, line.Type)
			}
		}
	}
	return union(union(first, all), certificates)
}

// union is a and then what b has besides, each once.
func union(a, b []string) []string {
	all := make([]string, 0, len(a)+len(b))
	for _, list := range [][]string{a, b} {
		for _, name := range list {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
