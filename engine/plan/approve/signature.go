package approve

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Sign signs the bytes of a file as ssh-keygen -Y sign does, and returns the text of the file of the signature.
func Sign(data []byte, key Signer, namespace string) ([]byte, error) {
	s, err := sshsig.Sign(bytes.NewReader(data), key, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", Fingerprint(key.PublicKey()), err)
	}
	return sshsig.Armor(s), nil
}

// Fingerprint is the SHA-256 fingerprint of a key as ssh-keygen -l prints it; that of a certificate is that of its key.
func Fingerprint(key ssh.PublicKey) string {
	if c, ok := key.(*ssh.Certificate); ok {
		key = c.Key
	}
	return ssh.FingerprintSHA256(key)
}

const begin, end = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"

// unarmor reads the text of a signature. It takes one form only, so that no byte of the file can be changed and the
// signature still counts: nothing around it, no spaces in it, no unused bits at its end.
func unarmor(text []byte) (*sshsig.Signature, error) {
	lines := strings.Split(strings.ReplaceAll(strings.TrimRight(string(text), "\r\n"), "\r\n", "\n"), "\n")
	if len(lines) < 3 || lines[0] != begin || lines[len(lines)-1] != end {
		return nil, errors.New("this is no SSH signature, or not all of one")
	}
	body := strings.Join(lines[1:len(lines)-1], "")
	wire, err := base64.StdEncoding.Strict().DecodeString(body)
	if err != nil || strings.Contains(body, "\r") {
		return nil, errors.New("this SSH signature is damaged: its text is no base64")
	}
	s, err := sshsig.ParseSignature(wire)
	if err != nil {
		return nil, fmt.Errorf("this SSH signature is damaged, or of a kind that dsplay does not know: %w", err)
	}
	if !bytes.Equal(s.Marshal(), wire) {
		return nil, errors.New("this SSH signature has more in it than a signature has")
	}
	return s, nil
}

// keyTypes are the keys whose signatures count. Those of the sk- types say that somebody touched the security key, or
// are refused.
var keyTypes = []string{ssh.KeyAlgoED25519, ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256}

func isSafe(keyType string) bool { return slices.Contains(keyTypes, keyType) }

// verify tells whether a signature is one of these bytes in this namespace. Whose it is, is another question.
func verify(data []byte, s *sshsig.Signature, namespace string) error {
	key := s.PublicKey
	if c, ok := key.(*ssh.Certificate); ok {
		key = c.Key
	}
	security := strings.HasPrefix(key.Type(), "sk-")
	switch {
	case s.Namespace != namespace:
		return fmt.Errorf("it was signed for %q, not for %q", s.Namespace, namespace)
	case !isSafe(key.Type()):
		return fmt.Errorf("keys of the type %s are not safe", key.Type())
	case key.Type() == ssh.KeyAlgoRSA && s.Signature.Format == ssh.KeyAlgoRSA: // the key may be inside a certificate
		return errors.New("RSA signatures with SHA-1 are not safe")
	case len(s.Signature.Rest) > 0 && !security:
		return errors.New("this SSH signature has more in it than a signature has")
	}
	if err := sshsig.Verify(bytes.NewReader(data), s, s.PublicKey, s.HashAlgorithm, namespace); err != nil {
		return fmt.Errorf("it is not of this file: it belongs to another one, or one of the two was altered (%w)", err)
	}
	return nil
}
