package ssh

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/ssh/knownhosts"
	"golang.org/x/crypto/ssh"
)

// hostKeys judges the keys that one host shows. There is no way to switch it off.
type hostKeys struct {
	known     *knownhosts.Set
	revoked   revokedKeys
	names     []string // under which it is looked up; the first that has a key counts
	principal string   // what its certificate must be for
	legacy    bool
}

// verdict is what comes out; its zero value is not "trusted".
type verdict struct {
	is   judgement
	line *knownhosts.Line // that decided
	why  string           // what is wrong with the certificate, or which file revokes the key
}

type judgement int

const (
	unknown judgement = iota
	trusted
	changed
	revoked
	uncertified // its authority is known, and the certificate is not good
)

// trust makes c accept the host keys that the settings say, and no other.
func (o *opening) trust(c *ssh.ClientConfig) error {
	keys, err := o.hostKeys()
	if err != nil {
		return err
	}
	c.HostKeyAlgorithms = keys.algorithms()
	c.HostKeyCallback = func(_ string, _ net.Addr, key ssh.PublicKey) error {
		v := keys.judge(key, time.Now())
		if v.is == unknown && o.set.acceptNew {
			if v, err = o.acceptNew(keys, key); err != nil {
				return o.failure(engine.KindHostKey, fmt.Errorf("cannot add the new host key: %w", err), "check that file; dsplay must be able to write to it")
			}
		}
		if v.is != trusted {
			return o.distrust(keys, v, key)
		}
		o.proved = keyType(key) + " " + fingerprint(key)
		return nil
	}
	return nil
}

func (o *opening) hostKeys() (*hostKeys, error) {
	known, err := o.transport.known.Load(o.set.knownHosts...)
	if err != nil {
		return nil, o.failure(engine.KindHostKey, err, "mend that file; without it nobody knows which keys are revoked")
	}
	withdrawn, err := readRevoked(o.set.revokedHostKeys)
	if err != nil {
		return nil, o.failure(engine.KindHostKey, err, "revoked_host_keys is a list of public keys, one a line; without it nobody knows which are revoked")
	}
	k := &hostKeys{known: known, revoked: withdrawn, legacy: o.settings.Legacy}
	if alias := strings.ToLower(o.set.hostKeyAlias); alias != "" {
		k.names, k.principal = []string{alias}, alias
		return k, nil
	}
	host, port, err := net.SplitHostPort(o.address)
	if err != nil {
		return nil, o.failure(engine.KindHostKey, err, "")
	}
	k.principal = strings.ToLower(host)
	k.names = union([]string{knownhosts.Name(host, port)}, []string{knownhosts.Name(host, "22")})
	return k, nil
}

// acceptNew writes the key down, and judges again when somebody else was faster.
func (o *opening) acceptNew(keys *hostKeys, key ssh.PublicKey) (verdict, error) {
	added, err := o.transport.known.Add(o.set.knownHosts[0], keys.names[0], bare(key), o.set.hashKnownHosts)
	switch {
	case err != nil:
		return verdict{}, err
	case added:
		return verdict{is: trusted}, nil
	}
	if keys.known, err = o.transport.known.Load(o.set.knownHosts...); err != nil {
		return verdict{}, err
	}
	return keys.judge(key, time.Now()), nil
}

// judge decides as ssh of OpenSSH 9.2 does (found out by running it), and is stricter in two points: a key that is
// revoked for any host is revoked; and a certificate of an authority of this host that is not good makes no unknown key
// that accept-new would add. In its order: what is revoked is never accepted; a good certificate of a known authority is,
// whatever the port; a certificate that is not counts as the key in it; the name with the port comes before that without.
func (k *hostKeys) judge(key ssh.PublicKey, now time.Time) verdict {
	if v := k.withdrawn(key); v.is == revoked {
		return v
	}
	bad := verdict{}
	if certificate, ok := key.(*ssh.Certificate); ok {
		if line := k.authority(certificate); line != nil {
			why := k.objection(certificate, now)
			if why == "" {
				return verdict{is: trusted, line: line}
			}
			bad = verdict{is: uncertified, line: line, why: why}
		}
		key = certificate.Key
	}
	v := k.plain(key)
	if v.is != trusted && bad.is == uncertified {
		return bad
	}
	return v
}

func (k *hostKeys) plain(key ssh.PublicKey) verdict {
	for i, name := range k.names {
		lines := k.known.Keys(name)
		for _, line := range lines {
			if line.Is(key) {
				return verdict{is: trusted, line: line}
			}
		}
		if len(lines) > 0 && i == 0 { // what is known without a port is of another server
			return verdict{is: changed, line: lines[0]}
		}
	}
	return verdict{is: unknown}
}

func (k *hostKeys) withdrawn(key ssh.PublicKey) verdict {
	all := []ssh.PublicKey{key}
	if certificate, ok := key.(*ssh.Certificate); ok {
		all = append(all, certificate.Key, certificate.SignatureKey)
	}
	for _, key := range all {
		if line := k.known.Revoked(key); line != nil {
			return verdict{is: revoked, line: line, why: line.Place()}
		}
		if place := k.revoked[string(key.Marshal())]; place != "" {
			return verdict{is: revoked, why: place}
		}
	}
	return verdict{}
}

// bare is the key in a certificate, or the key itself.
func bare(key ssh.PublicKey) ssh.PublicKey {
	if certificate, ok := key.(*ssh.Certificate); ok {
		return certificate.Key
	}
	return key
}

// fingerprint is that of the key itself, also when a certificate is around it: a renewed one is the same host.
func fingerprint(key ssh.PublicKey) string { return ssh.FingerprintSHA256(bare(key)) }
