package ssh

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// candidate is a key as it is offered to a host.
type candidate struct {
	name   string // the file, or what the agent calls it
	public ssh.PublicKey
	signer ssh.Signer
	only   string // the algorithm to sign with; "": the best that the server takes
	// allowed tells which algorithms may be used for its proof; nil: all.
	allowed func(algorithm string) bool
}

// offerable are the kinds of keys that hosts may know; an agent may have others, and each that is offered counts as a try.
func offerable(kind string) bool {
	return slices.Contains([]string{
		ssh.KeyAlgoRSA, ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
	}, uncertifiedKind(kind))
}

// uncertifiedKind is the kind of the key in a certificate of this kind.
func uncertifiedKind(kind string) string {
	plain, ok := strings.CutSuffix(kind, "-cert-v01@openssh.com")
	if ok && strings.HasPrefix(plain, "sk-") {
		return plain + "@openssh.com"
	}
	return plain
}

// method offers the key to a server of this version; signed hears whether the signature that it then asks for could be made.
func (c candidate) method(server string, signed func(error)) ssh.AuthMethod {
	return ssh.PublicKeys(&offered{c, c.algorithms(server), signed})
}

// rsaBefore78 are servers that do not take RSA certificates with SHA-2 though they say so: the library then tries again
// with SHA-1, which elsewhere would only be another failed login.
var rsaBefore78 = regexp.MustCompile(`OpenSSH_([1-6]\.|7\.[0-7]\b)`)

// algorithms are those of signatures, best first; SHA-1 is only used where the server names nothing better.
func (c candidate) algorithms(server string) []string {
	all := c.known(server)
	if c.allowed == nil {
		return all
	}
	return slices.DeleteFunc(all, func(name string) bool { return !c.allowed(name) })
}

func (c candidate) known(server string) []string {
	if c.only != "" {
		return []string{c.only}
	}
	kind := c.public.Type()
	if uncertifiedKind(kind) != ssh.KeyAlgoRSA {
		return []string{uncertifiedKind(kind)}
	}
	all := []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	if kind == ssh.KeyAlgoRSA || !strings.Contains(server, "OpenSSH_") || rsaBefore78.MatchString(server) {
		all = append(all, ssh.KeyAlgoRSA)
	}
	return all
}

// offered is a candidate as the library wants it. Its public key is the library's type, not the agent's: see known.
type offered struct {
	candidate  candidate
	algorithms []string
	signed     func(error)
}

func (o *offered) PublicKey() ssh.PublicKey { return o.candidate.public }

func (o *offered) Algorithms() []string { return o.algorithms }

func (o *offered) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return o.SignWithAlgorithm(rand, data, "")
}

func (o *offered) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	signer, ok := o.candidate.signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("the key cannot sign with " + algorithm)
	}
	signature, err := signer.SignWithAlgorithm(rand, data, algorithm)
	if err == nil && algorithm != "" && signature.Format != algorithm {
		err = fmt.Errorf("the agent signed with %s instead of %s", signature.Format, algorithm) // old agents ignore what they are asked for
	}
	o.signed(err)
	return signature, err
}
