package winrm_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
	"software.sslmate.com/src/go-pkcs12"
)

// issuer is an authority that issues what a test wants.
type issuer struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{t: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Lab CA"}, NotBefore: time.Now().Add(-1000 * time.Hour),
		NotAfter: time.Now().Add(1000 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	i.cert, i.key = i.issue(template)
	return i
}

// issue makes a certificate; the first is the authority's own.
func (i *issuer) issue(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	i.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(2)
	}
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := i.cert, crypto.Signer(i.key)
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		i.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		i.t.Fatal(err)
	}
	return cert, key
}

func (i *issuer) file(name string, blocks ...*pem.Block) string {
	i.t.Helper()
	var b []byte
	for _, block := range blocks {
		b = append(b, pem.EncodeToMemory(block)...)
	}
	file := filepath.Join(i.t.TempDir(), name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		i.t.Fatal(err)
	}
	return file
}

func (i *issuer) certFile(c *x509.Certificate) string {
	return i.file("cert.pem", &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func (i *issuer) keyFile(k *ecdsa.PrivateKey) string {
	i.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		i.t.Fatal(err)
	}
	return i.file("key.pem", &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// altName is the extension that holds a user principal name.
func altName(t testing.TB, upn string) pkix.Extension {
	t.Helper()
	text, err := asn1.MarshalWithParams(upn, "utf8")
	if err != nil {
		t.Fatal(err)
	}
	type other struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	name, err := asn1.MarshalWithParams(other{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: text}}, "tag:0")
	if err != nil {
		t.Fatal(err)
	}
	value, err := asn1.Marshal([]asn1.RawValue{{FullBytes: name}})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}
}

func client(t testing.TB) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: "Operator"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, ExtraExtensions: []pkix.Extension{altName(t, "ops@localhost")}}
}

// certified is a host that takes the authority's certificates and has one of it.
func certified(t testing.TB, i *issuer, server *x509.Certificate) (*wsman.Server, *engine.Host, *winrm.Settings) {
	t.Helper()
	cert, key := i.issue(server)
	roots := x509.NewCertPool()
	roots.AddCert(i.cert)
	w, h, s := host(t, wsman.Options{TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}, NTLM: true,
		ClientCAs: roots, Certificates: map[string]string{"ops@localhost": "ops"}})
	s.Auth, s.User, s.Password, s.CA = "certificate", "", engine.Secret{}, i.certFile(i.cert)
	return w, h, s
}

func guest() *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: "guest1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
}

func TestCertificate(t *testing.T) {
	i := newIssuer(t)
	server, h, s := certified(t, i, guest())
	cert, key := i.issue(client(t))
	s.Cert, s.Key = i.certFile(cert), i.keyFile(key)
	if got, err := exec(t.Context(), open(t, h), "cat", "in"); got != "in||0" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	for _, r := range server.Requests() {
		if r.Auth != "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual" {
			t.Errorf("%+v", r)
		}
	}
	t.Setenv("HOME", filepath.Dir(s.Cert))
	s.Cert = "~/" + filepath.Base(s.Cert)
	_ = open(t, h)
	for name, encoder := range map[string]*pkcs12.Encoder{"modern.pfx": pkcs12.Modern, "old.P12": pkcs12.LegacyDES} {
		b, err := encoder.Encode(key, cert, []*x509.Certificate{i.cert}, "open sesame")
		if err != nil {
			t.Fatal(err)
		}
		s.Cert, s.Key, s.Passphrase = filepath.Join(t.TempDir(), name), "", engine.Plain("open sesame")
		if err := os.WriteFile(s.Cert, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_ = open(t, h)
		s.Passphrase = engine.Plain("guess")
		if e := openError(t, h, engine.KindModule); !strings.Contains(e.Error(), "passphrase is wrong") || strings.Contains(e.Error(), "guess") {
			t.Error(e)
		}
	}
}

// encryptedKey is a P-256 key by openssl 3.0: pkcs8 -topk8 -v2 aes-256-cbc -passout pass:sesame.
const encryptedKey = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhEoZiAdE3taAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAC2SuiCUQeFCzA6LdpBQzMEgZA+
SSlFkPlUc4py2wA+7XoTcolDbKPjZBYabyfMFmbyHmqHzdyfsqv0gzFERAfBNTVM
bo+jK7ztf6umoLCCOMX4qwrhl2sUvjH2P/BeT/muIWer8vHAWs0wAMhTQ9Kg83vq
84LZcnZLnVugzdpVIYo0WXUy3O9iLcXYz3wtw4J5N4YHDUJ0UCKZI7BWwHBewHk=
-----END ENCRYPTED PRIVATE KEY-----
`

func TestCertificateEncryptedKey(t *testing.T) {
	i := newIssuer(t)
	block, _ := pem.Decode([]byte(encryptedKey))
	if block == nil {
		t.Fatal("no PEM")
	}
	_, h, s := certified(t, i, guest())
	cert, _ := i.issue(client(t))
	s.Cert, s.Key = i.certFile(cert), i.file("key.pem", block)
	if e := openError(t, h, engine.KindModule); !strings.Contains(e.Error(), "set passphrase") {
		t.Error(e)
	}
	s.Passphrase = engine.Plain("guess")
	if e := openError(t, h, engine.KindModule); !strings.Contains(e.Error(), "passphrase is wrong") {
		t.Error(e)
	}
	s.Passphrase = engine.Plain("sesame")
	if e := openError(t, h, engine.KindModule); !strings.Contains(e.Error(), "does not go with key") { // opened: it is another certificate's
		t.Error(e)
	}
	s.Key = i.file("key.pem", &pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: []byte{1}})
	if e := openError(t, h, engine.KindModule); !strings.Contains(e.Error(), "openssl pkcs8") {
		t.Error(e)
	}
}

// What cannot be good is said before anybody is asked.
func TestCertificateUnusable(t *testing.T) {
	i := newIssuer(t)
	server, h, s := certified(t, i, guest())
	expired, future, wrongUse := client(t), client(t), client(t)
	expired.NotBefore, expired.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	future.NotBefore, future.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
	wrongUse.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for says, template := range map[string]*x509.Certificate{"expired at": expired, "is valid from": future, "not for logging in": wrongUse} {
		cert, key := i.issue(template)
		s.Cert, s.Key = i.certFile(cert), i.keyFile(key)
		if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), says) || !strings.Contains(e.Error(), "ops@localhost") || e.Hint == "" {
			t.Errorf("%v; %s", e, e.Hint)
		}
	}
	s.Cert = "/does/not/exist"
	_ = openError(t, h, engine.KindModule)
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// A certificate that is mapped to nobody, or that another authority has issued: 401, with the identity in it.
func TestCertificateRefused(t *testing.T) {
	i, other := newIssuer(t), newIssuer(t)
	_, h, s := certified(t, i, guest())
	stranger := client(t)
	stranger.ExtraExtensions = nil
	for name, c := range map[string]struct {
		by       *issuer
		template *x509.Certificate
	}{"CN=Operator": {i, stranger}, "ops@localhost": {other, client(t)}} {
		cert, key := c.by.issue(c.template)
		s.Cert, s.Key = i.certFile(cert), i.keyFile(key)
		e := openError(t, h, engine.KindAuth)
		if !strings.Contains(e.Error(), "client certificate of "+name) || !strings.Contains(e.Hint, "certmapping") || !strings.Contains(e.Hint, `Certificate="true"`) {
			t.Errorf("%v; %s", e, e.Hint)
		}
	}
}

// TLS 1.3 has no renegotiation, by which http.sys asks for the certificate: it is not spoken with this login.
func TestCertificateTLSVersion(t *testing.T) {
	i := newIssuer(t)
	cert, key := i.issue(guest())
	var version uint16
	fake := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version = r.TLS.Version
		w.WriteHeader(http.StatusUnauthorized)
	}))
	fake.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
	fake.StartTLS()
	defer fake.Close()
	_, h, s := certified(t, i, guest())
	ours, oursKey := i.issue(client(t))
	s.Cert, s.Key = i.certFile(ours), i.keyFile(oursKey)
	u, _ := url.Parse(fake.URL)
	s.Port, _ = strconv.Atoi(u.Port())
	_ = openError(t, h, engine.KindAuth)
	if version != tls.VersionTLS12 {
		t.Errorf("version %#x", version)
	}
	s.Auth, s.User, s.Password, s.Cert, s.Key = "basic", "ops", engine.Plain("s3cret"), "", ""
	_ = openError(t, h, engine.KindAuth)
	if version != tls.VersionTLS13 {
		t.Errorf("version %#x without a client certificate", version)
	}
}

// Why a host's certificate is refused, each in its own words.
func TestTrouble(t *testing.T) {
	i := newIssuer(t)
	expired, future, named := guest(), guest(), guest()
	expired.NotBefore, expired.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	future.NotBefore, future.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
	named.IPAddresses, named.DNSNames = nil, []string{"guest1.corp.example", "guest1"}
	nameless := &x509.Certificate{Subject: pkix.Name{CommonName: "guest1"}}
	for _, test := range []struct {
		template   *x509.Certificate
		says, hint string
	}{
		{expired, "the certificate of CN=guest1 expired at " + expired.NotAfter.Local().Format("2006-01-02"), "renew it"},
		{future, "is valid from " + future.NotBefore.Local().Format("2006-01-02"), "clock"},
		{named, "is for guest1.corp.example, guest1, not for 127.0.0.1", "address"},
		{nameless, "is for no name (a CN alone does not count), not for 127.0.0.1", "pin"},
	} {
		_, h, s := certified(t, i, test.template)
		s.Auth, s.User, s.Password = "ntlm", "ops", engine.Plain("s3cret")
		e := openError(t, h, engine.KindTLS)
		if !strings.Contains(e.Error(), test.says) || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%v; %s", e, e.Hint)
		}
	}
	_, h, s := certified(t, i, guest())
	s.Auth, s.User, s.Password, s.CA = "ntlm", "ops", engine.Plain("s3cret"), i.certFile(newIssuer(t).cert)
	if e := openError(t, h, engine.KindTLS); !strings.Contains(e.Error(), "nobody trusted has issued the certificate of CN=guest1") || !strings.Contains(e.Hint, "ca =") {
		t.Errorf("%v; %s", e, e.Hint)
	}
	s.CA, s.Fingerprint = "", strings.Repeat("ab", 32)
	if e := openError(t, h, engine.KindTLS); !strings.Contains(e.Error(), "is not the pinned one") || !strings.Contains(e.Hint, "renewed") {
		t.Errorf("%v; %s", e, e.Hint)
	}
	s.Fingerprint = strings.Repeat("AB:", 19) + "AB"
	bad, _ := s.Validate().(engine.BadArg) //nolint:errorlint // it is promised to be one
	if bad.Arg != "fingerprint" || !strings.Contains(bad.Problem, "SHA-1") || !strings.Contains(bad.Problem, "openssl") {
		t.Error(bad)
	}
}

// Settings of another way of logging in are refused: who wrote them believes that they do something.
func TestValidateLogin(t *testing.T) {
	for _, test := range []struct {
		arg   string
		spoil func(*winrm.Settings)
	}{
		{"keytab", func(s *winrm.Settings) { s.Keytab = "x" }},
		{"spn", func(s *winrm.Settings) { s.SPN = "x" }},
		{"cert", func(s *winrm.Settings) { s.Auth, s.Cert = "kerberos", "x" }},
		{"auth", func(s *winrm.Settings) { s.Auth, s.Keytab = "kerberos", "x" }},
		{"auth", func(s *winrm.Settings) { s.Auth = "digest" }},
		{"user", func(s *winrm.Settings) { s.Auth, s.User = "kerberos", "" }},
		{"cert", func(s *winrm.Settings) { s.Auth = "certificate" }},
		{"key", func(s *winrm.Settings) { s.Auth, s.Cert = "certificate", "x.pem" }},
		{"user", func(s *winrm.Settings) { s.Auth, s.Cert = "certificate", "x.pfx" }},
		{"password", func(s *winrm.Settings) { s.Auth, s.User, s.Cert = "certificate", "", "x.pfx" }},
		{"https", func(s *winrm.Settings) { s.Auth, s.HTTPS = "certificate", false }},
		{"", func(s *winrm.Settings) { s.Auth, s.HTTPS = "kerberos", false }},
		{"", func(s *winrm.Settings) { s.Auth, s.User, s.Password = "kerberos", "", engine.Secret{} }},
		{"", func(s *winrm.Settings) {
			s.Auth, s.User, s.Password, s.Cert = "certificate", "", engine.Secret{}, "x.pfx"
		}},
	} {
		s, _ := winrm.New().Settings().(*winrm.Settings)
		s.User, s.Password = "ops", engine.Plain("s3cret")
		test.spoil(s)
		bad, _ := s.Validate().(engine.BadArg) //nolint:errorlint // it is promised to be one
		if bad.Arg != test.arg {
			t.Errorf("%s: %v", test.arg, s.Validate())
		}
	}
}
