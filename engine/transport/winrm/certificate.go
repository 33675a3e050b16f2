package winrm

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"software.sslmate.com/src/go-pkcs12"
)

// mutual is the scheme of a login by client certificate: DSP0226 (WS-Management 1.x), table of security profiles.
const mutual = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

// clientCertificate reads the certificate with its key: PEM files, or one PKCS#12 file (.p12, .pfx). Errors are BadArg.
func (s *Settings) clientCertificate() (*tls.Certificate, error) {
	b, err := os.ReadFile(engine.AtHome(s.Cert))
	if err != nil {
		return nil, engine.BadArg{Arg: "cert", Problem: "cannot be read: " + err.Error()}
	}
	var c tls.Certificate
	if ext := strings.ToLower(filepath.Ext(s.Cert)); ext == ".p12" || ext == ".pfx" {
		if c, err = fromPKCS12(b, s.Passphrase); err != nil {
			return nil, engine.BadArg{Arg: "cert", Problem: s.Cert + " cannot be opened: " + err.Error()}
		}
	} else if c, err = s.fromPEM(b); err != nil {
		return nil, err
	}
	if c.Leaf == nil {
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return nil, engine.BadArg{Arg: "cert", Problem: "is not valid: " + err.Error()}
		}
	}
	return &c, nil
}

func fromPKCS12(b []byte, passphrase engine.Secret) (tls.Certificate, error) {
	key, leaf, more, err := pkcs12.DecodeChain(b, passphrase.Reveal())
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return tls.Certificate{}, errors.New("passphrase is wrong")
	case err != nil:
		return tls.Certificate{}, err
	}
	c := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, m := range more {
		c.Certificate = append(c.Certificate, m.Raw)
	}
	return c, nil
}

func (s *Settings) fromPEM(certificate []byte) (c tls.Certificate, err error) {
	b, err := os.ReadFile(engine.AtHome(s.Key))
	if err != nil {
		return c, engine.BadArg{Arg: "key", Problem: "cannot be read: " + err.Error()}
	}
	if b, err = decryptPEM(b, s.Passphrase.Reveal()); err != nil {
		return c, engine.BadArg{Arg: "key", Problem: s.Key + " cannot be opened: " + err.Error()}
	}
	if c, err = tls.X509KeyPair(certificate, b); err != nil {
		return c, engine.BadArg{Arg: "cert", Problem: "does not go with key: " + strings.TrimPrefix(err.Error(), "tls: ")}
	}
	return c, nil
}

// decryptPEM gives the private key of a PEM file in clear.
func decryptPEM(b []byte, passphrase string) ([]byte, error) {
	for rest := b; ; {
		block, more := pem.Decode(rest)
		if block == nil {
			return b, nil // X509KeyPair says what is missing
		}
		rest = more
		encrypted := block.Type == "ENCRYPTED PRIVATE KEY"
		if !encrypted && block.Headers["DEK-Info"] == "" {
			continue
		}
		if passphrase == "" {
			return nil, errors.New("it is encrypted; set passphrase")
		}
		if !encrypted {
			return nil, errors.New("its encryption (PEM with DEK-Info) is broken; convert it: openssl pkcs8 -topk8 -in OLD -out NEW")
		}
		der, err := decryptPKCS8(block.Bytes, passphrase)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	}
}

// usable says what is wrong with a client certificate, before anybody is asked.
func usable(c *x509.Certificate, file string, now time.Time) (problem, hint string) {
	switch {
	case now.After(c.NotAfter):
		return fmt.Sprintf("the client certificate of %s in %s expired at %s", identityOf(c), file, c.NotAfter.Local().Format(time.DateTime)), "issue a new one, and map it on the host as the old one was"
	case now.Before(c.NotBefore):
		return fmt.Sprintf("the client certificate of %s in %s is valid from %s on", identityOf(c), file, c.NotBefore.Local().Format(time.DateTime)), "is the clock here right?"
	case len(c.ExtKeyUsage) > 0 && !allows(c, x509.ExtKeyUsageClientAuth):
		return fmt.Sprintf("the certificate of %s in %s is not for logging in", identityOf(c), file), "it needs the extended key usage clientAuth"
	}
	return "", ""
}

func allows(c *x509.Certificate, want x509.ExtKeyUsage) bool {
	for _, u := range c.ExtKeyUsage {
		if u == want || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

// identityOf names a client certificate as Windows maps it: by the principal name in it, else by its subject.
func identityOf(c *x509.Certificate) string {
	if upn := principalName(c); upn != "" {
		return upn
	}
	return c.Subject.String()
}

// asClient makes a TLS configuration show the certificate. http.sys asks for it when the request has come, by
// renegotiation with TLS 1.2 and by post-handshake authentication with TLS 1.3; Go can do the first only, so 1.2 is the
// newest version that is spoken with this way of logging in. The certificate is shown whatever authorities the host
// names: if it is refused, the host's answer is what one should read.
func asClient(config *tls.Config, c *tls.Certificate) {
	config.MaxVersion = tls.VersionTLS12
	config.Renegotiation = tls.RenegotiateOnceAsClient
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c, nil }
}
