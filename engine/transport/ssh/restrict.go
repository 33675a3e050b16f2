package ssh

import (
	"crypto/rsa"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/sshpattern"
	"github.com/dsplay/dsplay/engine/transport/ssh/sshconfig"
	"golang.org/x/crypto/ssh"
)

// lists are what a configuration says of algorithms, as it is written.
type lists struct{ hostKeys, publicKeys, keyExchanges, ciphers, macs string }

// everything that the library knows, good and bad.
func everything() ssh.Algorithms {
	good, bad := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	return ssh.Algorithms{
		KeyExchanges: union(good.KeyExchanges, bad.KeyExchanges), Ciphers: union(good.Ciphers, bad.Ciphers), MACs: union(good.MACs, bad.MACs),
		HostKeys: union(good.HostKeys, bad.HostKeys), PublicKeyAuths: union(good.PublicKeyAuths, bad.PublicKeyAuths),
	}
}

// assemble applies a list to the defaults: it replaces them, or with + adds to them, with - takes from them, with ^ puts
// first. Names may have * and ?, except in one that replaces. unknown are names that the library does not have.
func assemble(list string, defaults, all []string) (result, unknown []string) {
	if list == "" {
		return defaults, nil
	}
	mode := list[0]
	if strings.IndexByte("+-^", mode) >= 0 {
		list = list[1:]
	} else {
		mode = '='
	}
	var named []string
	for _, pattern := range strings.Split(list, ",") {
		found := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !sshpattern.Match(name, pattern) })
		if len(found) == 0 {
			unknown = append(unknown, pattern)
		}
		named = append(named, found...)
	}
	switch mode {
	case '+':
		return union(defaults, named), unknown
	case '^':
		return union(named, defaults), unknown
	case '-':
		return slices.DeleteFunc(slices.Clone(defaults), func(name string) bool { return slices.Contains(named, name) }), nil
	}
	return union(named, nil), unknown
}

// unknownAlgorithms tells which names of the configuration the library does not have.
func unknownAlgorithms(o sshconfig.Options) []sshconfig.Notice {
	all := everything()
	var notices []sshconfig.Notice
	for _, t := range o.Taken {
		known := map[string][]string{"HostKeyAlgorithms": all.HostKeys, "PubkeyAcceptedAlgorithms": all.PublicKeyAuths,
			"KexAlgorithms": all.KeyExchanges, "Ciphers": all.Ciphers, "MACs": all.MACs}[t.Directive]
		if known == nil {
			continue
		}
		if _, unknown := assemble(t.Value, known, known); len(unknown) > 0 {
			notices = append(notices, sshconfig.Notice{Place: t.Place, Directive: t.Directive, Text: "has names that dsplay does not know: " + strings.Join(unknown, ", ")})
		}
	}
	return notices
}

// restrict makes c offer what the configuration wants.
func (o *opening) restrict(c *ssh.ClientConfig) error {
	o.requireBits(c)
	want := o.set.lists
	if want == (lists{publicKeys: want.publicKeys}) {
		return nil // as nearly always
	}
	all := everything()
	for _, x := range []struct {
		directive, list string
		offered         *[]string
		all             []string
	}{
		{"KexAlgorithms", want.keyExchanges, &c.KeyExchanges, all.KeyExchanges}, {"Ciphers", want.ciphers, &c.Ciphers, all.Ciphers},
		{"MACs", want.macs, &c.MACs, all.MACs}, {"HostKeyAlgorithms", want.hostKeys, &c.HostKeyAlgorithms, all.HostKeys},
	} {
		result, _ := assemble(x.list, *x.offered, x.all)
		if len(result) == 0 {
			e := o.failure(engine.KindProtocol, nil, "let the configuration name others, too; dsplay knows "+strings.Join(x.all, ","))
			e.Msg = x.directive + " of the configuration leaves nothing that dsplay knows"
			return e
		}
		if x.directive == "HostKeyAlgorithms" { // the kinds that are known of this host stay first
			result = append(intersection(*x.offered, result), result...)
		}
		*x.offered = union(result, nil)
	}
	return nil
}

// accept limits the algorithms with which keys of the user are proved, and leaves out keys for which none remains.
func (l *login) accept(list string) {
	if list == "" {
		return
	}
	all := everything().PublicKeyAuths
	for _, plain := range slices.Clone(all) {
		all = append(all, certified(plain))
	}
	allowed, _ := assemble(list, union(all, nil), union(all, nil))
	l.keys = slices.DeleteFunc(l.keys, func(c candidate) bool {
		if len(c.within(allowed).algorithms("")) == 0 {
			l.notes = append(l.notes, c.name+" is left out by PubkeyAcceptedAlgorithms of the configuration")
			return true
		}
		return false
	})
	for i, c := range l.keys {
		l.keys[i] = c.within(allowed)
	}
}

// within is c with no other algorithms than those, which are named as for a certificate where c is one.
func (c candidate) within(allowed []string) candidate {
	c.allowed = func(algorithm string) bool {
		if _, ok := c.public.(*ssh.Certificate); ok {
			algorithm = certified(algorithm)
		}
		return slices.Contains(allowed, algorithm)
	}
	return c
}

// certified is the name of an algorithm for the certificate of a key.
func certified(algorithm string) string {
	const suffix = "-cert-v01@openssh.com"
	if strings.HasSuffix(algorithm, suffix) {
		return algorithm
	}
	return strings.TrimSuffix(algorithm, "@openssh.com") + suffix
}

// intersection is what of a is also in b.
func intersection(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return !slices.Contains(b, name) })
}

// requireBits refuses a host key of RSA that is too short.
func (o *opening) requireBits(c *ssh.ClientConfig) {
	check := c.HostKeyCallback
	c.HostKeyCallback = func(name string, remote net.Addr, key ssh.PublicKey) error {
		if public, ok := bare(key).(ssh.CryptoPublicKey); ok {
			if k, ok := public.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() < o.set.rsaBits {
				e := o.failure(engine.KindHostKey, nil, "let the host have a longer key, or one of another kind")
				e.Msg = fmt.Sprintf("its RSA key has %d bits, and RequiredRSASize of the configuration wants %d", k.N.BitLen(), o.set.rsaBits)
				return e
			}
		}
		return check(name, remote, key)
	}
}
