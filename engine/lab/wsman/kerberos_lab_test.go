//go:build lab

package wsman_test

import (
	"crypto/tls"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab/realm"
	"github.com/dsplay/dsplay/engine/lab/wsman"
)

// kerberosScript gives pywinrm, whose framing it is, MIT's GSS-API through python3-gssapi: Debian's python3-kerberos has
// no gss_wrap_iov, with which pywinrm would seal.
const kerberosScript = `
import base64, re, sys
import gssapi, requests, winrm
from gssapi.raw import IOV, IOVBufferType, wrap_iov, unwrap_iov
from requests_kerberos.kerberos_ import _get_channel_bindings_application_data as endpoint
url, encryption, scheme = sys.argv[1:4]

class Auth(requests.auth.AuthBase):
    winrm_encryption_available = True
    def __init__(self, mutual_authentication=1, service="HTTP", delegate=False, force_preemptive=False, principal=None,
                 hostname_override=None, sanitize_mutual_error_response=True, send_cbt=True):
        self.name = gssapi.Name("HTTP/guest1.lab.example@LAB.EXAMPLE", gssapi.NameType.kerberos_principal)
    def __call__(self, request):
        request.register_hook("response", self.answered)
        return request
    def answered(self, response, **kwargs):
        if response.status_code != 401:
            return response
        data, bindings = endpoint(response), None # before the answer is read: then its socket is forgotten
        response.content
        assert bool(data) == url.startswith("https"), data
        if data:
            bindings = gssapi.raw.ChannelBindings(initiator_address_type=0, acceptor_address_type=0, application_data=data) # the library says "no address", 255, where SSPI and MIT say 0
        flags = gssapi.RequirementFlag
        wanted = flags.mutual_authentication | flags.replay_detection | flags.out_of_sequence_detection | flags.integrity
        if encryption == "always":
            wanted |= flags.confidentiality
        self.context = gssapi.SecurityContext(name=self.name, mech=gssapi.MechType.kerberos, flags=wanted, usage="initiate", channel_bindings=bindings)
        request = response.request.copy()
        request.headers["Authorization"] = scheme + " " + base64.b64encode(self.context.step()).decode()
        request.deregister_hook("response", self.answered)
        again = response.connection.send(request, **kwargs)
        assert again.status_code == 200, (again.status_code, again.headers)
        self.context.step(base64.b64decode(re.match(scheme + " (.+)", again.headers["www-authenticate"]).group(1)))
        assert self.context.complete
        return again
    def wrap_winrm(self, host, message):
        iov = IOV(IOVBufferType.header, message, IOVBufferType.padding, std_layout=False)
        wrap_iov(self.context, iov)
        return iov[1].value + (iov[2].value or b""), iov[0].value
    def unwrap_winrm(self, host, message, header):
        iov = IOV((IOVBufferType.header, False, header), (IOVBufferType.data, False, message), (IOVBufferType.padding, False, b""), std_layout=False)
        result = unwrap_iov(self.context, iov)
        assert result.encrypted
        return iov[1].value

winrm.transport.HTTPKerberosAuth = Auth
s = winrm.Session(url, auth=("ops@LAB.EXAMPLE", None), transport="kerberos", message_encryption=encryption)
if scheme == "Kerberos" and encryption == "always":
    build = winrm.encryption.Encryption.__init__
    def named(self, session, protocol):
        build(self, session, protocol)
        self.protocol_string = b"application/HTTP-Kerberos-session-encrypted"
    winrm.encryption.Encryption.__init__ = named
r = s.run_cmd("say", ["hello", "<&>"])
assert (r.status_code, r.std_out) == (0, b"hello <&>"), r
r = s.run_cmd("complain no")
assert (r.status_code, r.std_err) == (0, b"no"), r
r = s.run_cmd("exit 1060")
assert r.status_code == 1060, r
r = s.run_cmd("say " + "1" * 60000)
assert r.std_out == b"1" * 60000, len(r.std_out)
`

// TestLabKerberosWitness lets clients that share no code with us log in by Kerberos and seal: pywinrm over MIT's GSS-API.
func TestLabKerberosWitness(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import winrm, requests_kerberos, gssapi").CombinedOutput(); err != nil {
		t.Fatalf("this suite needs Debian's python3-winrm, python3-requests-kerberos and python3-gssapi: %s", out)
	}
	for _, cipher := range []string{"aes256-cts", "aes128-cts", "aes256-sha2", "aes128-sha2"} {
		r, cache := witness(t, cipher)
		for _, k := range []wsman.Kerberos{{}, {SessionKey: true}, {Alone: true}} {
			for _, encryption := range []string{"always", "never"} {
				k.Keytab = filepath.Join(filepath.Dir(r.Config), "host.keytab")
				o, scheme := wsman.Options{Kerberos: &k, RequireBindings: true}, "Negotiate"
				if k.Alone {
					scheme = "Kerberos"
				}
				c := r.Command(python, "-c", kerberosScript)
				if encryption == "never" {
					o.TLS = authority(t)
					c.Env = append(c.Env, "REQUESTS_CA_BUNDLE="+trusted(t, o.TLS))
				}
				s := listen(t, o)
				c.Args = append(c.Args, s.URL(), encryption, scheme)
				c.Env = append(c.Env, "KRB5CCNAME=FILE:"+cache, "PYTHONWARNINGS=ignore")
				if out, err := c.CombinedOutput(); err != nil {
					t.Errorf("%s %s %+v: %v\n%s", cipher, encryption, k, err, out)
				}
				for _, q := range s.Requests() {
					if q.Action != "" && q.Sealed != (encryption == "always") {
						t.Errorf("%+v", q)
					}
				}
			}
		}
	}
}

// trusted is the PEM file of a certificate.
func trusted(t *testing.T, config *tls.Config) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: config.Certificates[0].Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// witness is a realm with a host and a ticket of ops.
func witness(t *testing.T, cipher string) (*realm.Realm, string) {
	t.Helper()
	r, err := realm.Start(t.TempDir(), realm.Options{Ciphers: cipher + ":normal"})
	if err != nil {
		t.Fatal("this suite needs Debian's krb5-kdc, krb5-admin-server and krb5-user: ", err)
	}
	t.Cleanup(r.Stop)
	for _, line := range []string{"addprinc -pw s3cret ops", "addprinc -randkey HTTP/guest1.lab.example", "addprinc -randkey HTTP/localhost"} {
		if err := r.Admin(line); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Keytab("host.keytab", "HTTP/guest1.lab.example", "HTTP/localhost"); err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(t.TempDir(), "cc")
	kinit := r.Command("kinit", "-c", cache, "ops@LAB.EXAMPLE")
	kinit.Stdin = strings.NewReader("s3cret\n")
	if out, err := kinit.CombinedOutput(); err != nil {
		t.Fatalf("kinit: %v: %s", err, out)
	}
	return r, cache
}

// TestLabKerberosCurl has curl log in with SPNEGO around the ticket, and check the answer.
func TestLabKerberosCurl(t *testing.T) {
	r, cache := witness(t, "aes256-cts")
	for _, secure := range []bool{false, true} {
		o := wsman.Options{Kerberos: &wsman.Kerberos{Keytab: filepath.Join(filepath.Dir(r.Config), "host.keytab")}}
		args := []string{"--silent", "--show-error", "--negotiate", "--user", ":", "--data", "", "--output", os.DevNull, "--write-out", "%{http_code}"}
		if secure {
			o.TLS = authority(t)
			args = append(args, "--cacert", trusted(t, o.TLS))
		}
		s := listen(t, o)
		c := r.Command("/usr/bin/curl", append(args, strings.Replace(s.URL(), "127.0.0.1", "localhost", 1))...)
		c.Env = append(c.Env, "KRB5CCNAME=FILE:"+cache)
		if out, err := c.CombinedOutput(); err != nil || string(out) != "200" {
			t.Errorf("secure %v: %v %s", secure, err, out)
		}
	}
}
