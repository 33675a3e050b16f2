package engine

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// TLSStage is the stage of a TLS handshake that is over: version, cipher suite and certificate, and what is weak of them.
// A certificate below 2048 bits of RSA, or signed by SHA-1 or MD5, is weak (NIST SP 800-131A); so is TLS before 1.2 (RFC 8996).
func TLSStage(s tls.ConnectionState) Stage {
	stage := Stage{Name: StageTLS, Detail: tls.VersionName(s.Version) + " " + tls.CipherSuiteName(s.CipherSuite)}
	if s.Version < tls.VersionTLS12 {
		stage.Weak = append(stage.Weak, tls.VersionName(s.Version)+" is obsolete")
	}
	if len(s.PeerCertificates) == 0 {
		return stage
	}
	leaf := s.PeerCertificates[0]
	stage.Until = leaf.NotAfter
	stage.Detail += fmt.Sprintf(", CN=%s sha256:%x", leaf.Subject.CommonName, sha256.Sum256(leaf.Raw))
	switch leaf.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA:
		stage.Weak = append(stage.Weak, "the certificate is signed by "+leaf.SignatureAlgorithm.String())
	}
	if key, ok := leaf.PublicKey.(interface{ Size() int }); ok && leaf.PublicKeyAlgorithm == x509.RSA && key.Size() < 256 {
		stage.Weak = append(stage.Weak, fmt.Sprintf("the certificate's RSA key has only %d bits", key.Size()*8))
	}
	return stage
}
