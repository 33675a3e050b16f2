//go:build lab

package wsman_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/dsplay/dsplay/engine/lab/wsman"
)

// NTLM needs MD4, which OpenSSL 3 keeps in its legacy provider.
const legacy = `openssl_conf = init
[init]
providers = providers
[providers]
default = on
legacy = on
[on]
activate = 1
`

const script = `
import sys, winrm
url, encryption, transport = sys.argv[1:4]
for user in ("ops", "CORP\\ops"):
    s = winrm.Session(url, auth=(user, "s3cret"), transport=transport, message_encryption=encryption)
    r = s.run_cmd("say", ["hello", "<&>"])
    assert (r.status_code, r.std_out) == (0, b"hello <&>"), r
    r = s.run_cmd("complain no")
    assert (r.status_code, r.std_err) == (0, b"no"), r
    r = s.run_cmd("exit 1060")
    assert r.status_code == 1060, r
try:
    winrm.Session(url, auth=("ops", "wrong"), transport=transport, message_encryption=encryption).run_cmd("say no")
    sys.exit("a wrong password was accepted")
except winrm.exceptions.InvalidCredentialsError:
    pass
`

// TestPywinrm lets a client that shares no code with us speak to the server: python3-winrm of Debian.
func TestPywinrm(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import winrm").Run(); err != nil {
		t.Fatal("this suite needs Debian's python3-winrm: ", err)
	}
	config := filepath.Join(t.TempDir(), "openssl.cnf")
	if err := os.WriteFile(config, []byte(legacy), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, way := range []struct{ transport, encryption string }{{"ntlm", "always"}, {"basic", "never"}} {
		s := listen(t, wsman.Options{NTLM: way.transport == "ntlm", Basic: way.transport == "basic", AllowUnencrypted: way.transport == "basic"})
		c := exec.CommandContext(t.Context(), python, "-c", script, s.URL(), way.encryption, way.transport)
		c.Env = append(os.Environ(), "OPENSSL_CONF="+config)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", way.transport, err, out)
		}
		for _, r := range s.Requests() {
			if r.Action != "" && r.Sealed != (way.encryption == "always") {
				t.Errorf("%+v", r)
			}
		}
	}
}
