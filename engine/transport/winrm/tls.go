package winrm

import (
	"crypto"
	"crypto/sha1" // only its length
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/bodgit/ntlmssp"
	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/certs"
)

// untrusted is a certificate that was refused; its fingerprint is what one would pin.
type untrusted struct {
	leaf  *x509.Certificate
	cause error
}

func (u *untrusted) Error() string {
	if errors.Is(u.cause, errPin) {
		return "" // distrust says it, and whose certificate it is
	}
	return u.cause.Error()
}

func (u *untrusted) Unwrap() error { return u.cause }

var errPin = errors.New("the certificate is not the pinned one")

// pin reads a SHA-256 as openssl and PowerShell print it: "sha256:AB:CD…", "AB:CD:…" or "abcd…".
func pin(text string) ([]byte, error) {
	sum, err := certs.Pin(text)
	const how = "; openssl s_client -connect HOST:5986 </dev/null | openssl x509 -noout -fingerprint -sha256 prints it"
	switch {
	case err == nil && len(sum) == sha1.Size:
		return nil, engine.BadArg{Arg: "fingerprint", Problem: "is a SHA-1, as the thumbprint that Windows shows: that can be forged, a SHA-256 is needed" + how}
	case err != nil || len(sum) != sha256.Size:
		return nil, engine.BadArg{Arg: "fingerprint", Problem: "must be the 64 hex digits of a SHA-256" + how}
	}
	return sum, nil
}

// tlsConfig verifies by pin, by the authorities in a file, or by those of the system.
func tlsConfig(s *Settings, p parsed, name string) (*tls.Config, error) {
	roots, err := certs.Roots(s.CA)
	if err != nil {
		return nil, fmt.Errorf("read ca: %w", err)
	}
	// crypto/tls's own verification is replaced, not dropped: a pin has to hold whatever the issuer, and the
	// error is to hold the certificate that was seen.
	return &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			err := verify(state.PeerCertificates, p.pin, roots, name)
			if err != nil {
				return &untrusted{leaf: state.PeerCertificates[0], cause: err}
			}
			return nil
		}}, nil
}

func verify(chain []*x509.Certificate, pin []byte, roots *x509.CertPool, name string) error {
	if pin != nil {
		if sum := sha256.Sum256(chain[0].Raw); !slices.Equal(pin, sum[:]) {
			return errPin
		}
		return nil
	}
	return certs.Verify(chain, roots, name)
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// identity is by what the host has proved who it is: its certificate, or that it has the key of its Kerberos name.
func (l *link) identity() string {
	switch c := l.certificate; {
	case c != nil:
		return "tls " + fingerprint(c) + " CN=" + c.Subject.CommonName
	case l.service != "":
		return "kerberos " + l.service
	}
	return "none"
}

// endPoint is what ties a login to the TLS channel (RFC 5929 tls-server-end-point), so that nobody between can relay it; nil over http.
func endPoint(c *x509.Certificate) []byte {
	if c == nil {
		return nil
	}
	hash := crypto.SHA256.New()
	switch c.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384.New()
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512.New()
	}
	_, _ = hash.Write(c.Raw)
	return hash.Sum([]byte(ntlmssp.TLSServerEndPoint + ":"))
}

func ntlmBindings(c *x509.Certificate) *ntlmssp.ChannelBindings {
	if c == nil {
		return nil
	}
	return &ntlmssp.ChannelBindings{ApplicationData: endPoint(c)}
}
