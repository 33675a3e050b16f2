package https

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/dsplay/dsplay/engine/transport/certs"
)

// untrusted is a certificate that was refused; its fingerprint is what one would pin.
type untrusted struct {
	leaf  *x509.Certificate
	cause error
}

func (u *untrusted) Error() string { return u.cause.Error() }
func (u *untrusted) Unwrap() error { return u.cause }

var errPin = errors.New("the certificate is not the pinned one")

// tlsConfig verifies by pin, by the authorities in a file, or by those of the system.
func tlsConfig(s *Settings, p parsed, name string) (*tls.Config, error) {
	// crypto/tls's own verification is replaced, not dropped: its error does not hold the certificate that was seen
	// where the handshake fails early, and a pin has to hold whatever the issuer.
	c := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}
	if s.LegacyTLS {
		legacy(c)
	}
	roots, err := certs.Roots(s.CA)
	if err != nil {
		return nil, fmt.Errorf("read ca: %w", err)
	}
	c.VerifyConnection = func(state tls.ConnectionState) error {
		leaf := state.PeerCertificates[0]
		var err error
		switch {
		case p.pin != nil:
			err = matchPin(leaf, p.pin)
		case !s.Insecure:
			err = certs.Verify(state.PeerCertificates, roots, name)
		}
		if err != nil {
			return &untrusted{leaf: leaf, cause: err}
		}
		return nil
	}
	return c, nil
}

func matchPin(leaf *x509.Certificate, pin []byte) error {
	sha256sum, sha1sum := sha256.Sum256(leaf.Raw), sha1.Sum(leaf.Raw)
	if slices.Equal(pin, sha256sum[:]) || slices.Equal(pin, sha1sum[:]) {
		return nil
	}
	return errPin
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
