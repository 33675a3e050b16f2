// Package certs knows when the certificate of a host is trusted: by the authorities of a file or of the system, or by a pin.
package certs

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Roots are the authorities in a PEM file, whose name may begin with ~/; nil, those of the system, without a file.
func Roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // as x509.VerifyOptions has it
	}
	text, err := os.ReadFile(engine.AtHome(file))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return roots, nil
}

// Verify tells whether a chain, the host's own certificate first, leads to one of roots (nil: the system's), is for this name
// and valid now.
func Verify(chain []*x509.Certificate, roots *x509.CertPool, name string) error {
	options := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool(), CurrentTime: time.Now()}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(options)
	return err
}

// Pin reads a fingerprint as openssl, browsers, PowerShell and vCenter print it: "sha256:AB:CD…", "SHA1 Fingerprint=ab:cd…" or
// "abcd…". How long it must be, and of which hash it is, the caller knows.
func Pin(text string) ([]byte, error) {
	plain := strings.ToLower(strings.TrimSpace(text))
	for _, prefix := range []string{"sha256", "sha-256", "sha1", "sha-1"} {
		plain = strings.TrimPrefix(plain, prefix)
	}
	return hex.DecodeString(strings.NewReplacer("fingerprint=", "", ":", "", " ", "", "=", "").Replace(plain))
}
