// Package tlslook knows what certificate is seen at the end of a way, and what that says: the host itself, somebody between
// who signs TLS anew, or no way at all. It trusts nothing that it sees and sends nothing but a handshake.
package tlslook

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/dialer"
)

// State is what a look found, in one word.
type State string

// The states.
const (
	Genuine     State = "genuine"     // a chain to an authority that is trusted, for this name, now
	Intercepted State = "intercepted" // of an authority that is not: somebody on the way signs TLS anew, or it is another server
	Expired     State = "expired"     // of a trusted authority, and out of its dates
	WrongName   State = "wrong_name"  // of a trusted authority, for another name
	ProxyAuth   State = "proxy_auth"  // the proxy wants a login (407)
	Forbidden   State = "forbidden"   // the proxy's rules do not allow the host
	DNS         State = "dns"         // the name has no address, here or for the proxy
	Refused     State = "refused"     // nobody listens, or there is no route
	Timeout     State = "timeout"     // no answer in time
	NoTLS       State = "no_tls"      // something answers and does not speak TLS
	Proxy       State = "proxy"       // the proxy itself is not reached, or is none
	Unknown     State = "unknown"     // it could not be looked at
)

// Seen is what a look found.
type Seen struct {
	State   State
	Message string              // what a person has to know; "" when it is genuine
	Chain   []*x509.Certificate // as it was shown, the host's own first; nil: none came
}

// By names who signed what was seen: the issuer of the last certificate shown, which is the authority itself where that is
// sent along. "": no certificate came.
func (s Seen) By() string {
	if len(s.Chain) == 0 {
		return ""
	}
	return s.Chain[len(s.Chain)-1].Issuer.String()
}

// Fingerprint is the SHA-256 of the host's own certificate in hex; "": none came.
func (s Seen) Fingerprint() string {
	if len(s.Chain) == 0 {
		return ""
	}
	sum := sha256.Sum256(s.Chain[0].Raw)
	return hex.EncodeToString(sum[:])
}

// At shakes hands with address, a host and a port, over d, and judges what it shows by roots (nil: the system's). It never
// fails: what went wrong is a state. ctx is its only limit.
func At(ctx context.Context, d *dialer.Dialer, address string, roots *x509.CertPool) Seen {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return Seen{State: Unknown, Message: address + " is no host and port"}
	}
	raw, err := d.Dial(ctx, address)
	if err != nil {
		return failed(address, err)
	}
	defer raw.Close()
	var chain []*x509.Certificate
	// Nothing is verified in the handshake and nothing is sent after it: what is wrong with the chain is the answer.
	secure := tls.Client(raw, &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, //nolint:gosec // see above
		VerifyConnection: func(s tls.ConnectionState) error { chain = s.PeerCertificates; return nil }})
	err = secure.HandshakeContext(ctx)
	if len(chain) > 0 { // a handshake may fail after the certificate has come
		return Judge(chain, roots, name, time.Now())
	}
	return handshake(address, err)
}

// Judge says what a chain means for a host of this name at a time. Who signed it comes before its dates: a proxy that signs
// anew often copies the dates of what it hides.
func Judge(chain []*x509.Certificate, roots *x509.CertPool, name string, now time.Time) Seen {
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range chain[1:] {
		o.Intermediates.AddCert(c)
	}
	seen, leaf := Seen{State: Genuine, Chain: chain}, chain[0]
	inside := o
	if now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		inside.CurrentTime = leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
	}
	_, signed := leaf.Verify(inside)
	_, dated := leaf.Verify(o)
	switch {
	case signed != nil && !isDate(signed):
		seen.State = Intercepted
		seen.Message = "its certificate is signed by " + seen.By() + ", which is no authority that is trusted here: TLS is inspected on the way, or this is another server"
	case dated != nil:
		seen.State = Expired
		seen.Message = "its certificate is valid from " + day(leaf.NotBefore) + " to " + day(leaf.NotAfter) + ", and here it is " + day(now) + " (" + dated.Error() + ")"
	case leaf.VerifyHostname(name) != nil:
		seen.State, seen.Message = WrongName, leaf.VerifyHostname(name).Error()
	}
	return seen
}

func isDate(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// Parse reads the certificates of a PEM text and skips everything else in it, as openssl s_client -showcerts prints.
func Parse(text []byte) (chain []*x509.Certificate) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return chain
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			chain = append(chain, c)
		}
	}
}

// failed is a way that could not be made.
func failed(address string, err error) Seen {
	seen := Seen{State: Refused, Message: err.Error()}
	var dns *net.DNSError
	if e := dialer.Explain("", "connect to "+address, err); e != nil {
		seen.State = proxied(err, e.Kind)
		return seen
	}
	switch {
	case errors.As(err, &dns):
		seen.State = DNS
	case late(err):
		seen.State = Timeout
	}
	return seen
}

// proxied tells apart what a proxy did, by the leg of the way on which it went wrong.
func proxied(err error, kind engine.ErrorKind) State {
	var e *dialer.Error
	if !errors.As(err, &e) {
		return Proxy
	}
	switch {
	case e.Leg == dialer.ProxyAuth:
		return ProxyAuth
	case e.Leg == dialer.Behind && kind == engine.KindDNS:
		return DNS
	case kind == engine.KindTimeout:
		return Timeout
	case e.Leg == dialer.Behind && e.Forbidden():
		return Forbidden
	case e.Leg == dialer.Behind:
		return Refused
	}
	return Proxy
}

// handshake is one that ended before a certificate came.
func handshake(address string, err error) Seen {
	var plain tls.RecordHeaderError
	switch {
	case err == nil:
		return Seen{State: NoTLS, Message: address + " shows no certificate"}
	case late(err):
		return Seen{State: Timeout, Message: address + " does not answer the TLS handshake in time"}
	case errors.As(err, &plain):
		return Seen{State: NoTLS, Message: address + " does not speak TLS"}
	case errors.Is(err, syscall.ECONNRESET):
		return Seen{State: Refused, Message: address + " cuts the connection in the TLS handshake: a firewall, or a server that wants another name"}
	}
	return Seen{State: NoTLS, Message: "the TLS handshake with " + address + " fails: " + err.Error()}
}

func late(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}
