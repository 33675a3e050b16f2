package ssh

import (
	"fmt"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
)

// candidates are all that there is to offer, in the order of OpenSSH (pubkey_prepare in its sshconnect2.c; tried):
// certificates that are named, keys of the agent that a file names, other keys of the agent, keys of files, each with the
// certificate beside it.
type candidates struct {
	set     parsed
	legacy  bool
	asked   bool // whether the agent was
	agent   *agentConn
	noAgent error // why agent is nil
	files   []identity
	beside  map[string]*ssh.Certificate // certificates beside files, by the path of the key

	list  []candidate
	notes []string // what was not offered, and why: for the error when nothing of the list helps
}

func (k *keyring) candidates(set parsed, passphrase engine.Secret, legacy bool) (*candidates, error) {
	c := &candidates{set: set, legacy: legacy, beside: map[string]*ssh.Certificate{}}
	if err := c.collect(k, passphrase); err != nil {
		c.agent.close()
		return nil, err
	}
	return c, nil
}

// ask asks the agent once, and only when there is a need: one that hangs must not hold up who has a key or a password.
func (c *candidates) ask() *agentConn {
	if !c.asked {
		c.asked = true
		c.agent, c.noAgent = askAgent(c.set.agentSocket, c.set.connect)
	}
	return c.agent
}

func (c *candidates) collect(k *keyring, passphrase engine.Secret) error {
	for _, path := range c.set.keys {
		id, err := k.read(path, passphrase)
		if err == nil && id.signer == nil && c.ask().find(id.public) == nil {
			err = fmt.Errorf("%s, and %s", id.why, c.agentLacks())
		}
		if err != nil {
			return err
		}
		c.take(id)
	}
	for _, path := range c.set.moreKeys {
		if id, err := k.read(path, passphrase); err == nil {
			c.take(id)
		} else if !isMissing(err) {
			c.notes = append(c.notes, err.Error())
		}
	}
	for _, path := range c.set.certificates {
		if err := c.offerCertificate(path); err != nil {
			return err
		}
	}
	if !c.set.identitiesOnly {
		c.ask()
	}
	c.offerAgent(true)
	if !c.set.identitiesOnly {
		c.offerAgent(false)
	}
	c.offerFiles()
	if c.legacy {
		c.offerAgain()
	}
	return nil
}

func (c *candidates) agentLacks() string {
	if c.agent == nil {
		return c.noAgent.Error()
	}
	return fmt.Sprintf("the agent, which has %d, does not have it", len(c.agent.keys))
}

// take adds a file, and the certificate beside it where none is named.
func (c *candidates) take(id identity) {
	c.files = append(c.files, id)
	if len(c.set.certificates) > 0 {
		return
	}
	certificate, err := readCertificate(id.path + "-cert.pub")
	switch {
	case err == nil && same(certificate.Key, id.public):
		c.beside[id.path] = certificate
	case err == nil:
		c.notes = append(c.notes, id.path+"-cert.pub is of another key")
	case !isMissing(err):
		c.notes = append(c.notes, err.Error())
	}
}

// offerCertificate offers one that is named, with whatever can sign for its key.
func (c *candidates) offerCertificate(path string) error {
	certificate, err := readCertificate(path)
	if err != nil {
		return err
	}
	signer := c.signerOf(certificate.Key)
	if signer == nil {
		return fmt.Errorf("nobody has the key to the certificate %s (%s): no file that is named, and %s", path, fingerprint(certificate), c.agentLacks())
	}
	c.offer(path, certificate, signer)
	return nil
}

// signerOf finds who can sign for a key, or nil.
func (c *candidates) signerOf(key ssh.PublicKey) ssh.Signer {
	for _, id := range c.files {
		if id.signer != nil && same(id.public, key) {
			return id.signer
		}
	}
	if found := c.ask().find(key); found != nil {
		return found.signer
	}
	return nil
}

func (c *candidates) offerAgent(named bool) {
	if c.agent == nil {
		return
	}
	for _, key := range c.agent.keys {
		if c.isNamed(key.public) == named {
			c.offer("agent: "+key.name, key.public, key.signer)
		}
	}
}

func (c *candidates) isNamed(key ssh.PublicKey) bool {
	return slices.ContainsFunc(c.files, func(id identity) bool { return same(id.public, bare(key)) })
}

func (c *candidates) offerFiles() {
	for _, id := range c.files {
		signer := c.signerOf(id.public)
		if signer == nil {
			c.notes = append(c.notes, id.why)
			continue
		}
		c.offer(id.path, id.public, signer)
		if certificate := c.beside[id.path]; certificate != nil {
			c.offer(id.path+"-cert.pub", certificate, signer)
		}
	}
}

// offerAgain offers RSA keys with older signatures, at the end. sshd names all algorithms that it knows in
// server-sig-algs (seen in 9.2), also those that its PubkeyAcceptedAlgorithms forbids, so that the best is refused, and
// each further try is another failed login.
func (c *candidates) offerAgain() {
	for _, key := range slices.Clone(c.list) {
		if key.public.Type() == ssh.KeyAlgoRSA {
			for _, algorithm := range []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA} {
				c.list = append(c.list, candidate{name: key.name + " by " + algorithm, public: key.public, signer: key.signer, only: algorithm})
			}
		}
	}
}

// offer puts a key on the list, once, and leaves out what no host can accept.
func (c *candidates) offer(name string, key ssh.PublicKey, signer ssh.Signer) {
	if slices.ContainsFunc(c.list, func(o candidate) bool { return same(o.public, key) }) {
		return
	}
	if !offerable(key.Type()) {
		c.notes = append(c.notes, fmt.Sprintf("%s is of the kind %s, which dsplay does not know", name, key.Type()))
		return
	}
	if certificate, ok := key.(*ssh.Certificate); ok && !c.good(name, certificate) {
		return
	}
	c.list = append(c.list, candidate{name: name, public: key, signer: signer})
}

// good tells whether any host can accept a certificate of the user, and notes what is wrong with it.
func (c *candidates) good(name string, certificate *ssh.Certificate) bool {
	why := invalid(certificate, time.Now(), true) // who signs with SHA-1 is the host's affair
	if certificate.CertType != ssh.UserCert {
		why = "is one for hosts"
	}
	if why != "" {
		c.notes = append(c.notes, "the certificate "+name+" "+why)
		return false
	}
	if principals := certificate.ValidPrincipals; len(principals) > 0 && !slices.Contains(principals, c.set.user) {
		// sshd may map principals to users (AuthorizedPrincipalsFile), so it is offered.
		c.notes = append(c.notes, fmt.Sprintf("the certificate %s is for %s, not for %s", name, list(principals), c.set.user))
	}
	return true
}
