//go:build lab

package winrm_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/realm"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
)

const guest1 = "HTTP/guest1.lab.example"

// mit starts MIT's KDC with the account ops and the host guest1.
func mit(t testing.TB, o realm.Options) *realm.Realm {
	t.Helper()
	r, err := realm.Start(t.TempDir(), o)
	if err != nil {
		t.Fatal("this suite needs Debian's krb5-kdc, krb5-admin-server and krb5-user: ", err)
	}
	t.Cleanup(r.Stop)
	admin(t, r, "addprinc -pw s3cret ops", "addprinc -randkey "+guest1)
	return r
}

func admin(t testing.TB, r *realm.Realm, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if err := r.Admin(line); err != nil {
			t.Fatal(err)
		}
	}
}

// member makes a host of the realm, to which one logs in by password; over https when secure.
func member(t testing.TB, r *realm.Realm, k wsman.Kerberos, secure bool) (*wsman.Server, *engine.Host, *winrm.Settings) {
	t.Helper()
	return memberOf(t, r, "guest1", k, secure)
}

func memberOf(t testing.TB, r *realm.Realm, name string, k wsman.Kerberos, secure bool) (*wsman.Server, *engine.Host, *winrm.Settings) {
	t.Helper()
	file, err := r.Keytab(name+".keytab", "HTTP/"+name+".lab.example")
	if err != nil {
		t.Fatal(err)
	}
	k.Keytab = file
	o := wsman.Options{Kerberos: &k, RequireBindings: true}
	var ca string
	if secure {
		o.TLS, ca, _ = authority(t)
	}
	server, h, s := host(t, o)
	s.Auth, s.CA, s.User, s.Krb5Conf, s.SPN = "kerberos", ca, "ops@"+realm.Name, r.Config, "HTTP/"+name+".lab.example"
	s.ConnectTimeout, s.OperationTimeout = "10s", "1s"
	return server, h, s
}

func connect(t testing.TB, transport *winrm.Transport, h *engine.Host) engine.Shell {
	t.Helper()
	c, err := transport.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err, hintOf(err))
	}
	t.Cleanup(func() { _ = c.Close() })
	sh, _ := c.(engine.Shell)
	return sh
}

func hintOf(err error) string {
	if e, ok := err.(*engine.Error); ok { //nolint:errorlint // for a message
		return e.Hint
	}
	return ""
}

func says(t testing.TB, c engine.Shell, line, result string) {
	t.Helper()
	if got, err := exec(t.Context(), c, line, ""); got != result || err != nil {
		t.Errorf("%s: %s, %v", line, got, err)
	}
}

// Over http every message is sealed, over https none is, and the login is bound to the channel (which the server requires).
func TestLabKerberosPassword(t *testing.T) {
	for _, cipher := range []string{"aes256-cts", "aes128-cts", "aes256-sha2", "aes128-sha2"} {
		t.Run(cipher, func(t *testing.T) {
			r := mit(t, realm.Options{Ciphers: cipher + ":normal"})
			for _, secure := range []bool{false, true} {
				for _, k := range []wsman.Kerberos{{}, {Alone: true}, {SessionKey: true}} {
					server, h, _ := member(t, r, k, secure)
					c := connect(t, winrm.New(), h)
					says(t, c, "say äöü", "äöü||0")
					says(t, c, "flood 300000", strings.Repeat("1", 300000)+"||0")
					if got, err := exec(t.Context(), c, "cat", strings.Repeat("x", 200000)); err != nil || len(got) != 200003 {
						t.Errorf("stdin: %d, %v", len(got), err)
					}
					for _, q := range server.Requests() {
						if q.Action != "" && q.Sealed == secure || q.Auth == "Basic" {
							t.Errorf("secure %v: %+v", secure, q)
						}
					}
				}
			}
		})
	}
}

func TestLabKerberosKeytabAndCache(t *testing.T) {
	r := mit(t, realm.Options{})
	_, h, s := member(t, r, wsman.Kerberos{}, false)
	s.Password = engine.Secret{}
	keys, err := r.Keytab("ops.keytab", "ops")
	if err != nil {
		t.Fatal(err)
	}
	s.Keytab = keys
	says(t, connect(t, winrm.New(), h), "say keytab", "keytab||0")
	s.User = ""
	says(t, connect(t, winrm.New(), h), "say alone", "alone||0")

	s.Keytab = ""
	s.CCache = filepath.Join(t.TempDir(), "cc")
	kinit := r.Command("kinit", "-c", s.CCache, "-k", "-t", keys, "ops")
	if out, err := kinit.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	before := r.Count("AS_REQ")
	says(t, connect(t, winrm.New(), h), "say cache", "cache||0")
	s.CCache, s.User = "FILE:"+s.CCache, "ops"
	says(t, connect(t, winrm.New(), h), "say cache", "cache||0")
	if n := r.Count("AS_REQ") - before; n != 0 {
		t.Errorf("%d AS_REQ with a cache", n)
	}
	t.Setenv("KRB5CCNAME", s.CCache)
	s.CCache = ""
	says(t, connect(t, winrm.New(), h), "say environment", "environment||0")
	s.User = "joe"
	if e := openError(t, h, engine.KindModule); !strings.Contains(e.Error(), "not of user joe") {
		t.Error(e)
	}
}

// Fifty hosts cost one ticket-granting ticket, and one ticket each, however many connections they need.
func TestLabKerberosTickets(t *testing.T) {
	const hosts = 50
	r := mit(t, realm.Options{})
	transport := winrm.New()
	var all []*engine.Host
	for i := range hosts {
		name := fmt.Sprintf("h%d", i)
		admin(t, r, "addprinc -randkey HTTP/"+name+".lab.example")
		_, h, _ := memberOf(t, r, name, wsman.Kerberos{}, false)
		all = append(all, h)
	}
	before := len(r.Log())
	var wait sync.WaitGroup
	for _, h := range all {
		wait.Go(func() {
			c, err := transport.Open(t.Context(), h)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			sh, _ := c.(engine.Shell)
			var commands sync.WaitGroup
			for range 3 {
				commands.Go(func() { says(t, sh, "say x", "x||0") })
			}
			commands.Wait()
		})
	}
	wait.Wait()
	log := r.Log()[before:]
	if n := strings.Count(log, "for krbtgt/"+realm.Name+"@"); n != 2 { // what the key is made of, and the ticket
		t.Errorf("%d AS_REQ, 2 wanted", n)
	}
	if n := r.Count("AS_REQ", "ISSUE"); n != 1 {
		t.Errorf("%d tickets granted", n)
	}
	for i := range hosts {
		if n := r.Count("TGS_REQ", fmt.Sprintf("for HTTP/h%d.lab.example@", i)); n != 1 {
			t.Errorf("h%d: %d TGS_REQ", i, n)
		}
	}
}

// Finding 11: a wrong password is one failed try, for all hosts of a run.
func TestLabKerberosFinding11WrongPassword(t *testing.T) {
	r := mit(t, realm.Options{})
	_, h, s := member(t, r, wsman.Kerberos{}, false)
	_ = guessed(t, h, s)
	if n := r.Count("AS_REQ", "PREAUTH_FAILED"); n != 1 {
		t.Errorf("%d failed tries\n%s", n, r.Log())
	}
}

func TestLabKerberosRefusals(t *testing.T) {
	r := mit(t, realm.Options{})
	admin(t, r, "addprinc -pw s3cret -pwexpire yesterday stale", "addprinc -pw s3cret -expire yesterday gone", "addprinc -pw s3cret -allow_tix barred",
		"addprinc -pw s3cret -e arcfour-hmac:normal old", "addprinc -pw s3cret locked", "addprinc -pw s3cret rotated")
	oldKeys, err := r.Keytab("rotated.keytab", "rotated")
	if err != nil {
		t.Fatal(err)
	}
	admin(t, r, "cpw -pw other rotated")
	_, h, s := member(t, r, wsman.Kerberos{}, false)
	for _, test := range []struct {
		name       string
		kind       engine.ErrorKind
		set        func()
		says, hint string
	}{
		{"unknown account", engine.KindAuth, func() { s.User = "nobody@LAB.EXAMPLE" }, "does not know the account nobody@LAB.EXAMPLE", "realm"},
		{"expired password", engine.KindAuth, func() { s.User = "stale@LAB.EXAMPLE" }, "the password of stale@LAB.EXAMPLE has expired", "new one"},
		{"expired account", engine.KindAuth, func() { s.User = "gone@LAB.EXAMPLE" }, "the account gone@LAB.EXAMPLE has expired", ""},
		{"disabled account", engine.KindAuth, func() { s.User = "barred@LAB.EXAMPLE" }, "disabled, locked", ""},
		{"RC4 only", engine.KindAuth, func() { s.User = "old@LAB.EXAMPLE" }, "no cipher in common", "AES"},
		{"old key", engine.KindAuth, func() { s.User, s.Password, s.Keytab = "rotated@LAB.EXAMPLE", engine.Secret{}, oldKeys }, "refuses the key of rotated@LAB.EXAMPLE in keytab " + oldKeys + " (version 1)", "kvno"},
		{"no key in keytab", engine.KindModule, func() { s.User, s.Password, s.Keytab = "ops@LAB.EXAMPLE", engine.Secret{}, oldKeys }, "no AES key of ops@LAB.EXAMPLE", "rotated@LAB.EXAMPLE"},
		{"no cache", engine.KindModule, func() { s.Password, s.CCache = engine.Secret{}, "/does/not/exist" }, "/does/not/exist", "kinit"},
		{"keyring", engine.KindModule, func() { s.Password, s.CCache = engine.Secret{}, "KEYRING:persistent:0" }, "KEYRING", "kinit -c FILE:"},
		{"no service", engine.KindAuth, func() { s.SPN = ""; h.Address, h.Name = "127.0.0.1", "guest1" }, "HTTP/guest1, nor WSMAN/guest1", "setspn -S WSMAN/guest1"},
		{"named service", engine.KindAuth, func() { s.SPN = "HTTP/other.lab.example" }, "HTTP/other.lab.example", "setspn"},
		{"no realm", engine.KindModule, func() { s.User, s.Krb5Conf = "ops", os.DevNull }, "realm of user ops", "realm ="},
		{"KDC refused", engine.KindRefused, func() { s.KDC = []string{"127.0.0.1:1"} }, "127.0.0.1:1: connection refused", "port 88"},
		{"KDC without name", engine.KindDNS, func() { s.KDC = []string{"kdc.invalid"} }, "kdc.invalid:88: no such name", "kdc"},
		{"silent KDC", engine.KindTimeout, func() { s.KDC, s.ConnectTimeout = []string{silent(t)}, "1s" }, "no answer", "port 88"},
	} {
		t.Run(test.name, func(t *testing.T) {
			saved, host := *s, *h
			defer func() { *s, *h = saved, host }()
			test.set()
			e := openError(t, h, test.kind)
			if !strings.Contains(e.Error(), test.says) || !strings.Contains(e.Hint, test.hint) {
				t.Errorf("%v; hint: %s", e, e.Hint)
			}
		})
	}
}

// silent listens and never says anything.
func silent(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// A realm needs no krb5.conf, a name may be a DNS name that nobody looks up, and a dead KDC is passed over.
func TestLabKerberosWithoutConfig(t *testing.T) {
	r := mit(t, realm.Options{})
	_, h, s := member(t, r, wsman.Kerberos{}, false)
	s.Krb5Conf, s.User, s.Realm, s.KDC = "", "ops", realm.Name, []string{"127.0.0.1:1", r.Address}
	t.Setenv("KRB5_CONFIG", os.DevNull)
	says(t, connect(t, winrm.New(), h), "say x", "x||0")
	for _, user := range []string{"ops@lab.example", `lab.example\ops`, `LAB\ops`} {
		s.User = user
		says(t, connect(t, winrm.New(), h), "say x", "x||0")
	}
	s.SPN = "" // the inventory's name counts where the address is none
	h.Name = "guest1.lab.example"
	says(t, connect(t, winrm.New(), h), "say x", "x||0")
}

// A UPN is an account's second name; the KDC says whose it is.
func TestLabKerberosUPN(t *testing.T) {
	r := mit(t, realm.Options{})
	admin(t, r, `addprinc -pw s3cret ops\@corp.example`)
	_, h, s := member(t, r, wsman.Kerberos{}, false)
	s.User, s.Realm = "ops@corp.example", realm.Name
	says(t, connect(t, winrm.New(), h), "say x", "x||0")
	if n := r.Count("AS_REQ", "ISSUE", `ops\@corp.example@`); n != 1 {
		t.Errorf("%d tickets of the UPN\n%s", n, r.Log())
	}
}
