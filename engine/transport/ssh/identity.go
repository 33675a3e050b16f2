package ssh

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
)

// identity is a key that a file stands for.
type identity struct {
	path   string
	public ssh.PublicKey
	signer ssh.Signer // nil: only an agent can sign with it
	why    string     // why the signer is nil
}

// keyring keeps the keys that were read and decrypted, which takes a tenth of a second each.
type keyring struct {
	mu   sync.Mutex
	keys map[[2]string]identity // by file and passphrase
}

// read returns the key of a file, which may hold a private key, encrypted or not, or only the public one. Where there is
// no such file, or it cannot be used, path.pub says which key of the agent is meant, as in OpenSSH.
func (k *keyring) read(path string, passphrase engine.Secret) (identity, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	name := [2]string{path, passphrase.Reveal()}
	if id, ok := k.keys[name]; ok {
		return id, nil
	}
	id, err := readIdentity(path, passphrase)
	if err != nil {
		return id, err
	}
	if k.keys == nil {
		k.keys = map[[2]string]identity{}
	}
	k.keys[name] = id
	return id, nil
}

func readIdentity(path string, passphrase engine.Secret) (identity, error) {
	text, err := os.ReadFile(path)
	if isMissing(err) {
		return publicOnly(path, path+".pub", "there is no file "+path, fmt.Errorf("read the key: %w", err))
	}
	if err != nil {
		return identity{}, fmt.Errorf("read the key: %w", err)
	}
	if key, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
		if _, ok := key.(*ssh.Certificate); ok {
			return identity{}, fmt.Errorf("%s is a certificate: name it with certificate, and its key with key", path)
		}
		return identity{path: strings.TrimSuffix(path, ".pub"), public: key, why: path + " is a public key"}, nil
	}
	return readPrivate(path, text, passphrase)
}

func readPrivate(path string, text []byte, passphrase engine.Secret) (identity, error) {
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked) && !passphrase.IsZero():
		signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(passphrase.Reveal()))
		if errors.Is(err, x509.IncorrectPasswordError) {
			err = errors.New("its passphrase is another one")
		}
	case errors.As(err, &locked):
		why := "the key " + path + " is encrypted and there is no passphrase"
		if locked.PublicKey != nil {
			return identity{path: path, public: locked.PublicKey, why: why}, nil
		}
		return publicOnly(path, path+".pub", why, errors.New(why))
	case err != nil && strings.HasPrefix(string(text), "PuTTY-User-Key-File"):
		return identity{}, fmt.Errorf("the key %s is one of PuTTY; puttygen %s -O private-openssh -o NEW makes one that can be read", path, path)
	case err != nil: // of a kind that the library does not know: that of a security key, for instance
		return publicOnly(path, path+".pub", fmt.Sprintf("the key %s cannot be used itself: %v", path, err), fmt.Errorf("the key %s: %w", path, err))
	}
	if err != nil {
		return identity{}, fmt.Errorf("the key %s: %w", path, err)
	}
	return identity{path: path, public: signer.PublicKey(), signer: signer}, nil
}

// publicOnly is the identity that the file at public says, or else the error.
func publicOnly(path, public, why string, otherwise error) (identity, error) {
	text, err := os.ReadFile(public)
	if err != nil {
		return identity{}, otherwise
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return identity{}, otherwise
	}
	return identity{path: path, public: key, why: why}, nil
}

// readCertificate reads one public key in the format of OpenSSH that must be a certificate.
func readCertificate(path string) (*ssh.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, fmt.Errorf("the certificate %s: %w", path, err)
	}
	certificate, ok := key.(*ssh.Certificate)
	if !ok {
		return nil, fmt.Errorf("%s is a plain key, no certificate", path)
	}
	return certificate, nil
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
