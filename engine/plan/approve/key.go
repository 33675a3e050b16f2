package approve

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Signer is what signs: a Key, or any other of x/crypto.
type Signer = ssh.Signer

// Keys finds the key to sign with.
type Keys struct {
	Socket string // of the agent: $SSH_AUTH_SOCK; empty: there is none
	// Ask asks a person for a passphrase without showing it; nil: nobody can be asked.
	Ask func(question string) (passphrase []byte, err error)
}

// Key signs until it is closed.
type Key struct {
	ssh.AlgorithmSigner
	close func() error
}

// Close ends the connection to the agent, if the key is there.
func (k *Key) Close() error {
	if k.close == nil {
		return nil
	}
	return k.close()
}

// NeedsTouch tells whether the key is in a security key that somebody has to touch.
func (k *Key) NeedsTouch() bool { return strings.HasPrefix(k.PublicKey().Type(), "sk-") }

// Line is what stands behind somebody's name in a file of allowed signers that lets the key sign in a namespace: options,
// type and base64. For a certificate it is about its authority.
func (k *Key) Line(namespace string) string {
	public, certified := k.PublicKey(), ""
	if c, ok := public.(*ssh.Certificate); ok {
		public, certified = c.SignatureKey, "cert-authority,"
	}
	return fmt.Sprintf("%snamespaces=%q %s", certified, namespace, bytes.TrimSpace(ssh.MarshalAuthorizedKey(public)))
}

// Open gives the key that a person named: "agent" for the only key of the agent, "agent:WORD" for that with this
// fingerprint or comment, and else a file: a private key; a public key, of which the agent has the private half, or the
// file of the same name without .pub; or a certificate (NAME-cert.pub) in the same way.
func (k Keys) Open(name string) (*Key, error) {
	if name == "agent" || strings.HasPrefix(name, "agent:") {
		return k.fromAgent(strings.TrimPrefix(strings.TrimPrefix(name, "agent"), ":"))
	}
	path, err := expand(name)
	if err != nil {
		return nil, err
	}
	text, info, err := readSmall(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w; --key takes the path of a key, or the word agent", err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return k.private(path, text, info)
	}
	certificate, certified := public.(*ssh.Certificate)
	if !certified {
		return k.half(public, strings.TrimSuffix(path, ".pub"), path)
	}
	key, err := k.half(certificate.Key, strings.TrimSuffix(path, "-cert.pub"), path)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewCertSigner(certificate, key.AlgorithmSigner)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the certificate %s: %w", path, err), key.Close())
	}
	return newKey(signer, key.close)
}

// half finds the private half of a public key: the agent's, or that in the file beside it.
func (k Keys) half(public ssh.PublicKey, beside, path string) (*Key, error) {
	key, notThere := k.ofAgent(public)
	if notThere == nil {
		return key, nil
	}
	text, info, err := readSmall(beside)
	if err != nil || beside == path {
		return nil, fmt.Errorf("%s is a public key, and its private half is not there: %w", path, notThere)
	}
	if key, err = k.private(beside, text, info); err == nil && !same(key.PublicKey(), public) {
		return nil, errors.Join(fmt.Errorf("%s and %s are not of one key", path, beside), key.Close())
	}
	return key, err
}

// private reads a private key. For an encrypted one the agent signs, if it has it; else the passphrase is asked for. That
// of a security key can only sign through the agent.
func (k Keys) private(path string, text []byte, info os.FileInfo) (*Key, error) {
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the private key %s is open to others (mode %04o): chmod 600 %s, and ask yourself who has read it", path, info.Mode().Perm(), path)
	}
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return newKey(signer, nil)
	case errors.As(err, &locked):
		return k.unlock(path, text, locked.PublicKey)
	}
	if public, ok := publicBeside(path); ok && strings.HasPrefix(public.Type(), "sk-") {
		key, notThere := k.ofAgent(public)
		if notThere != nil {
			return nil, fmt.Errorf("%s is on a security key, which signs through the agent (ssh-add %s): %w", path, path, notThere)
		}
		return key, nil
	}
	return nil, fmt.Errorf("the key %s: %w", path, err)
}

func publicBeside(path string) (ssh.PublicKey, bool) {
	text, _, err := readSmall(path + ".pub")
	if err != nil {
		return nil, false
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return public, err == nil
}

// tries is how often a wrong passphrase may be given.
const tries = 3

func (k Keys) unlock(path string, text []byte, public ssh.PublicKey) (*Key, error) {
	if public != nil {
		if key, err := k.ofAgent(public); err == nil {
			return key, nil
		}
	}
	if k.Ask == nil {
		return nil, fmt.Errorf("the key %s has a passphrase, and nobody can be asked without a terminal: ssh-add %s, and it is found in the agent", path, path)
	}
	for range tries {
		passphrase, err := k.Ask("Passphrase of " + path + ": ")
		if err != nil {
			return nil, err
		}
		signer, err := ssh.ParsePrivateKeyWithPassphrase(text, passphrase)
		clear(passphrase)
		switch {
		case err == nil:
			return newKey(signer, nil)
		case !errors.Is(err, x509.IncorrectPasswordError):
			return nil, fmt.Errorf("the key %s: %w", path, err)
		}
	}
	return nil, fmt.Errorf("the key %s: %d wrong passphrases", path, tries)
}

// sha512 is an RSA key that signs with SHA-512, as PROTOCOL.sshsig of OpenSSH wants it, also behind a certificate.
type sha512 struct{ ssh.AlgorithmSigner }

func (s sha512) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	return s.SignWithAlgorithm(random, data, ssh.KeyAlgoRSASHA512)
}

func newKey(signer ssh.Signer, closing func() error) (*Key, error) {
	able, ok := signer.(ssh.AlgorithmSigner)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s cannot sign with an algorithm of choice", Fingerprint(signer.PublicKey()))
	case signer.PublicKey().Type() == ssh.KeyAlgoRSA:
		able = sha512{able}
	}
	return &Key{able, closing}, nil
}

func expand(path string) (string, error) {
	rest, home := strings.CutPrefix(path, "~/")
	if !home {
		return path, nil
	}
	folder, err := os.UserHomeDir()
	return filepath.Join(folder, rest), err
}
