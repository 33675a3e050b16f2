package wsman_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bodgit/ntlmssp"
	"github.com/dsplay/dsplay/engine/lab/wsman"
)

// authority is the TLS of a host that vouches for itself.
func authority(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "guest1"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// A host that insists on channel bindings refuses a login without them, and one that is bound to another certificate.
func TestRequireBindings(t *testing.T) {
	for _, required := range []bool{false, true} {
		for _, given := range []string{"none", "right", "other"} {
			s := listen(t, wsman.Options{NTLM: true, TLS: authority(t), RequireBindings: required})
			var status int
			ntlm, err := ntlmssp.NewClient(ntlmssp.SetUserInfo("ops", "s3cret"))
			if err != nil {
				t.Fatal(err)
			}
			client := http.Client{Transport: &http.Transport{MaxConnsPerHost: 1, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			token, err := ntlm.Authenticate(nil, nil)
			for leg := 0; leg < 2 && err == nil; leg++ {
				r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), nil)
				r.Header.Set("Authorization", "Negotiate "+base64.StdEncoding.EncodeToString(token))
				answer, problem := client.Do(r)
				if problem != nil {
					t.Fatal(problem)
				}
				_ = answer.Body.Close()
				status = answer.StatusCode
				if leg == 1 {
					break
				}
				challenge, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(answer.Header.Get("WWW-Authenticate"), "Negotiate "))
				token, err = ntlm.Authenticate(challenge, channel(given, answer.TLS.PeerCertificates[0].Raw))
			}
			if err != nil {
				t.Fatal(err)
			}
			want := http.StatusOK
			if given == "other" || given == "none" && required {
				want = http.StatusUnauthorized
			}
			if status != want {
				t.Errorf("required %v, %s: %d", required, given, status)
			}
			client.CloseIdleConnections()
		}
	}
}

func channel(which string, certificate []byte) *ntlmssp.ChannelBindings {
	if which == "none" {
		return nil
	}
	if which == "other" {
		certificate = []byte("another certificate")
	}
	sum := sha256.Sum256(certificate)
	return &ntlmssp.ChannelBindings{ApplicationData: append([]byte("tls-server-end-point:"), sum[:]...)}
}

// A wrong password is counted, and locks; what is locked or expired is refused as a wrong password is.
func TestAccounts(t *testing.T) {
	s := listen(t, wsman.Options{Basic: true, TLS: authority(t), LockAfter: 2, Users: map[string]string{"ops": "s3cret", "old": "s3cret"}, Expired: map[string]bool{"old": true}})
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for _, step := range []struct {
		user, password   string
		status, failures int
		locked           bool
	}{
		{"ops", "guess", 401, 1, false}, {"ops", "s3cret", 200, 0, false}, {"ops", "guess", 401, 1, false}, {`X\ops`, "guess", 401, 2, true},
		{"ops", "s3cret", 401, 2, true}, {"ops", "guess", 401, 2, true}, {"old", "s3cret", 401, 2, true}, {"nobody", "x", 401, 2, true},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), nil)
		r.SetBasicAuth(step.user, step.password)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != step.status || s.Failures("ops") != step.failures || s.Locked("ops") != step.locked {
			t.Errorf("%+v: %d, %d failures, locked %v", step, answer.StatusCode, s.Failures("ops"), s.Locked("ops"))
		}
	}
	s.Unlock("ops")
	if s.Locked("ops") || s.Failures("ops") != 0 {
		t.Error("still locked")
	}
}
