package wsman

import (
	"crypto"
	"crypto/md5"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
)

var (
	oidAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidUPN     = []byte{0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3} // 1.3.6.1.4.1.311.20.2.3, without tag and length
)

// verifyClient checks a client certificate against the host's authorities and gives the name that is mapped.
func verifyClient(chain []*x509.Certificate, roots *x509.CertPool) (string, error) {
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, c := range chain[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := chain[0].Verify(o); err != nil {
		return "", err
	}
	if upn := upnOf(chain[0]); upn != "" {
		return upn, nil
	}
	return chain[0].Subject.CommonName, nil
}

// upnOf finds the otherName that holds a user principal name ([MS-WCCE] 2.2.2.7.5).
func upnOf(c *x509.Certificate) string {
	for _, e := range c.Extensions {
		var names []asn1.RawValue
		if !e.Id.Equal(oidAltName) {
			continue
		}
		if _, err := asn1.Unmarshal(e.Value, &names); err != nil {
			return ""
		}
		for _, n := range names {
			var id, value, text asn1.RawValue
			rest, err := asn1.Unmarshal(n.Bytes, &id)
			if n.Tag != 0 || err != nil || string(id.Bytes) != string(oidUPN) {
				continue
			}
			if _, err := asn1.Unmarshal(rest, &value); err != nil {
				continue
			}
			if _, err := asn1.Unmarshal(value.Bytes, &text); err == nil {
				return string(text.Bytes)
			}
		}
	}
	return ""
}

// endPoint is the channel of a certificate: tls-server-end-point (RFC 5929). It is nil over http.
func endPoint(config *tls.Config) []byte {
	if config == nil || len(config.Certificates) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		return nil
	}
	hash := crypto.SHA256.New()
	switch leaf.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384.New()
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512.New()
	}
	_, _ = hash.Write(leaf.Raw)
	return hash.Sum([]byte("tls-server-end-point:"))
}

// bindings is the MD5 of the channel in the structure of RFC 2744, 3.11; nil over http.
func bindings(config *tls.Config) []byte {
	data := endPoint(config)
	if data == nil {
		return nil
	}
	gss := append(make([]byte, 16), binary.LittleEndian.AppendUint32(nil, uint32(len(data)))...)
	digest := md5.Sum(append(gss, data...))
	return digest[:]
}
