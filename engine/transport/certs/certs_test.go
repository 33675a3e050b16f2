package certs_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/transport/certs"
)

// A chain is trusted by the authorities of a file alone, whose name may begin with ~/, and for its own names only.
func TestRoots(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	for name, text := range map[string][]byte{"ca.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), "empty.pem": nil} {
		if err := os.WriteFile(filepath.Join(home, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	chain := []*x509.Certificate{server.Certificate()}
	for _, file := range []string{"~/ca.pem", filepath.Join(home, "ca.pem")} {
		roots, err := certs.Roots(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := certs.Verify(chain, roots, "example.com"); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if err := certs.Verify(chain, roots, "example.org"); err == nil {
			t.Errorf("%s: for another name", file)
		}
	}
	if roots, err := certs.Roots(""); roots != nil || err != nil {
		t.Errorf("without a file: %v, %v", roots, err)
	}
	if err := certs.Verify(chain, nil, "example.com"); err == nil {
		t.Error("the system trusts it")
	}
	for file, why := range map[string]string{"~/empty.pem": "holds no PEM certificate", "~/none.pem": "no such file"} {
		if _, err := certs.Roots(file); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestPin(t *testing.T) {
	for _, text := range []string{"AB:cd:01", "abcd01", " sha256:ab:cd:01\n", "SHA256 Fingerprint=AB:CD:01", "sha-1 AB CD 01"} {
		if sum, err := certs.Pin(text); err != nil || hex.EncodeToString(sum) != "abcd01" {
			t.Errorf("%q: %x, %v", text, sum, err)
		}
	}
	for _, text := range []string{"xyz", "abc"} {
		if _, err := certs.Pin(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
