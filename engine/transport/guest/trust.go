package guest

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/certs"
)

// trust is how the certificate of an ESXi host is known.
type trust struct{ sha256, sha1 []byte }

// reach goes the way of the vCenter's connection: through its proxy, from its source address.
func (t *transfers) reach(ctx context.Context, address string) (net.Conn, error) {
	if d, ok := t.api.(interface {
		Dial(ctx context.Context, address string) (net.Conn, error)
	}); ok {
		return d.Dial(ctx, address)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// dial opens TLS to an ESXi host; nothing is sent before its certificate is verified.
func (t *transfers) dial(ctx context.Context, _, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	raw, err := t.reach(ctx, address)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(address)
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // verified below: by what is known, not by the chain alone
		VerifyConnection: func(s tls.ConnectionState) error { return t.verify(address, host, s.PeerCertificates) }}
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // err says what happened
		return nil, err
	}
	return secure, nil
}

// errTrust is a certificate that is not the expected one.
type errTrust struct {
	address, why string
	leaf         *x509.Certificate
}

func (e *errTrust) Error() string {
	return fmt.Sprintf("the certificate of %s (%s) is not trusted: %s", e.address, e.leaf.Subject, e.why)
}

func (t *transfers) verify(address, host string, chain []*x509.Certificate) error {
	leaf := chain[0]
	sum, old := sha256.Sum256(leaf.Raw), sha1.Sum(leaf.Raw)
	t.mu.Lock()
	known := t.known[address]
	t.mu.Unlock()
	bad := &errTrust{address: address, leaf: leaf}
	switch {
	case t.pin != nil && slices.Equal(t.pin, sum[:]):
		return nil
	case t.pin != nil:
		bad.why = "it is not the one of transfer_fingerprint"
	case t.roots != nil:
		err := certs.Verify(chain, t.roots, host)
		if err == nil {
			return nil
		}
		bad.why = err.Error()
	case known == nil || known.sha256 == nil && known.sha1 == nil:
		bad.why = "the vCenter does not tell its certificate"
	case known.sha256 != nil && slices.Equal(known.sha256, sum[:]), known.sha256 == nil && slices.Equal(known.sha1, old[:]):
		return nil
	default:
		bad.why = "it is not the one that the vCenter knows of this host"
	}
	return bad
}

// learn asks the vCenter for the certificate of the host on which the machine runs: the whole one, or its SHA-1 where that
// is all that it tells (summary.config.sslThumbprint).
func (t *transfers) learn(ctx context.Context, c *conn, address string) error {
	var vm mo.VirtualMachine
	var host mo.HostSystem
	err := c.ask(ctx, "ask for the certificate of the ESXi host", func(ctx context.Context, v *vim25.Client) error {
		pc := property.DefaultCollector(v)
		if err := pc.RetrieveOne(ctx, c.ref, []string{"runtime.host"}, &vm); err != nil || vm.Runtime.Host == nil {
			return err
		}
		return pc.RetrieveOne(ctx, *vm.Runtime.Host, []string{"config.certificate", "summary.config.sslThumbprint"}, &host)
	})
	if err != nil {
		return err
	}
	x := &trust{}
	if host.Config != nil {
		if block, _ := pem.Decode([]byte(strings.TrimSpace(string(host.Config.Certificate)))); block != nil {
			sum := sha256.Sum256(block.Bytes)
			x.sha256 = sum[:]
		}
	}
	x.sha1, _ = hex.DecodeString(strings.ReplaceAll(host.Summary.Config.SslThumbprint, ":", "")) // none is none
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[address] = x
	return nil
}

// pin reads a SHA-256 as openssl prints it.
func pin(text string) ([]byte, error) {
	sum, err := certs.Pin(text)
	if err != nil || len(sum) != sha256.Size {
		return nil, engine.BadArg{Arg: "transfer_fingerprint", Problem: "must be 64 hex digits (SHA-256); openssl x509 -noout -fingerprint -sha256 prints it"}
	}
	return sum, nil
}
