package winrm_test

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/kdc"
	"github.com/dsplay/dsplay/engine/lab/wsman"
	"github.com/dsplay/dsplay/engine/transport/winrm"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

const spn = "HTTP/guest1.lab.example"

// domain starts a KDC that knows ops and guest1.
func domain(t testing.TB, o kdc.Options) *kdc.KDC {
	t.Helper()
	if o.Accounts == nil {
		o.Accounts = map[string]string{"ops": "s3cret"}
	}
	if o.Services == nil {
		o.Services = []string{spn}
	}
	k, err := kdc.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func keytabOf(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keytab")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// joined is a host of the domain, over https when secure; one logs in as ops.
func joined(t testing.TB, k *kdc.KDC, o wsman.Kerberos, secure bool) (*wsman.Server, *engine.Host, *winrm.Settings) {
	t.Helper()
	o.Keytab = keytabOf(t, k.Keytab)
	options := wsman.Options{Kerberos: &o, RequireBindings: true}
	var ca string
	if secure {
		options.TLS, ca, _ = authority(t)
	}
	server, h, s := host(t, options)
	s.Auth, s.CA, s.User, s.KDC, s.SPN, s.Krb5Conf = "kerberos", ca, "ops@"+k.Realm(), []string{k.Address()}, spn, os.DevNull
	s.ConnectTimeout = "5s"
	return server, h, s
}

// opened is a connection of this transport, with what sealing there is.
func opened(t testing.TB, transport *winrm.Transport, h *engine.Host) engine.Shell {
	t.Helper()
	c, err := transport.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	sh, _ := c.(engine.Shell)
	return sh
}

// Over http every message is sealed, over https none is and the login is bound to the channel, which the host insists on.
func TestKerberos(t *testing.T) {
	k := domain(t, kdc.Options{})
	for _, secure := range []bool{false, true} {
		for _, o := range []wsman.Kerberos{{}, {Alone: true}, {SessionKey: true}} {
			server, h, _ := joined(t, k, o, secure)
			c := opened(t, winrm.New(), h)
			if got, err := exec(t.Context(), c, "cat", "ä\x00b"); got != "ä\x00b||0" || err != nil {
				t.Errorf("%+v: %q, %v", o, got, err)
			}
			logins := 0
			for _, r := range server.Requests() {
				if r.Auth != "" {
					logins++
				}
				if r.Action != "" && r.Sealed == secure || r.Auth != "" && r.Size > 0 {
					t.Errorf("%+v, secure %v: %+v", o, secure, r)
				}
			}
			if links := 1 + b2i(o.Alone); logins < links {
				t.Errorf("%d logins", logins)
			}
			id := c.(engine.Conn).Identity() //nolint:forcetypeassert // the test dies of it
			if want := "kerberos " + spn + "@LAB.EXAMPLE"; !secure && id != want || secure && !strings.HasPrefix(id, "tls ") {
				t.Errorf("identity %q", id)
			}
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A host that keeps no login gets a proof with each message, and gives one; sealed or not, a login that it ends is made anew.
func TestKerberosForgotten(t *testing.T) {
	k := domain(t, kdc.Options{})
	for _, secure := range []bool{false, true} {
		for _, forgetful := range []bool{false, true} {
			server, h, _ := joined(t, k, wsman.Kerberos{Forgetful: forgetful}, secure)
			c := opened(t, winrm.New(), h)
			for range 3 {
				if got, err := exec(t.Context(), c, "cat", "in"); got != "in||0" || err != nil {
					t.Errorf("secure %v, forgetful %v: %s, %v", secure, forgetful, got, err)
				}
			}
			server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: []string{"Negotiate"}, Times: 1})
			got, err := exec(t.Context(), c, "say x", "")
			if again := secure && forgetful; again {
				_ = want(t, err, engine.KindAuth) // it had its proof
			} else if got != "x||0" || err != nil {
				t.Errorf("secure %v, forgetful %v: %s, %v", secure, forgetful, got, err)
			}
		}
	}
	if n := k.Count("AS", 0, ""); n != 4 {
		t.Errorf("%d ticket-granting tickets", n)
	}
}

// One ticket-granting ticket per run and account, one ticket per host, however many connections and hosts.
func TestKerberosTickets(t *testing.T) {
	k := domain(t, kdc.Options{Services: []string{"HTTP/a", "HTTP/b", "HTTP/c"}, Accounts: map[string]string{"ops": "s3cret", "joe": "other"}})
	transport := winrm.New()
	var wait sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		_, h, s := joined(t, k, wsman.Kerberos{}, false)
		s.SPN, h.Name, h.Address = "", name, "127.0.0.1" // the name is the inventory's
		for range 4 {
			wait.Go(func() {
				c := opened(t, transport, h)
				if got, err := exec(t.Context(), c, "say x", ""); got != "x||0" || err != nil {
					t.Errorf("%s: %s, %v", name, got, err)
				}
			})
		}
	}
	wait.Wait()
	if n := k.Count("AS", 0, ""); n != 1 {
		t.Errorf("%d ticket-granting tickets", n)
	}
	for _, name := range []string{"a", "b", "c"} {
		if n := k.Count("TGS", 0, "HTTP/"+name); n != 1 {
			t.Errorf("%d tickets for %s", n, name)
		}
	}
	_, _, s := joined(t, k, wsman.Kerberos{}, false)
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

// A ticket that runs out is replaced; connections that are open stay.
func TestKerberosRenewal(t *testing.T) {
	k := domain(t, kdc.Options{Life: 2 * time.Second})
	_, h, _ := joined(t, k, wsman.Kerberos{}, false)
	transport := winrm.New()
	c := opened(t, transport, h)
	until(t, "another ticket", func() bool {
		other, err := transport.Open(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		_ = other.Close()
		return k.Count("AS", 0, "") > 1
	})
	if got, err := exec(t.Context(), c, "say x", ""); got != "x||0" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

// guessed tries a wrong password for ops with many connections of one transport at once, and gives that.
func guessed(t *testing.T, h *engine.Host, s *winrm.Settings) *winrm.Transport {
	t.Helper()
	s.Password = engine.Plain("guess")
	transport := winrm.New()
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			_, err := transport.Open(t.Context(), h)
			if e := want(t, err, engine.KindAuth); !strings.Contains(e.Error(), "password of ops@LAB.EXAMPLE") || !strings.Contains(e.Hint, "once") {
				t.Errorf("%v; %s", e, e.Hint)
			}
		})
	}
	wait.Wait()
	return transport
}

// Finding 11 of the library's client: two failed tries per login. Here it is one per run.
func TestKerberosFinding11WrongPassword(t *testing.T) {
	k := domain(t, kdc.Options{})
	_, h, s := joined(t, k, wsman.Kerberos{}, false)
	transport := guessed(t, h, s)
	if n := k.Count("AS", 24, ""); n != 1 {
		t.Errorf("%d failed tries: %+v", n, k.Events())
	}
	s.Password = engine.Plain("s3cret") // another login
	_ = opened(t, transport, h)
}

func TestKerberosKeytab(t *testing.T) {
	k := domain(t, kdc.Options{})
	_, h, s := joined(t, k, wsman.Kerberos{}, false)
	s.Password = engine.Secret{}
	s.Keytab = keytabOf(t, func(w io.Writer) error { return k.AccountKeytab(w, "ops", "s3cret", 7) })
	_ = opened(t, winrm.New(), h)
	s.User = ""
	_ = opened(t, winrm.New(), h)

	s.Keytab = keytabOf(t, func(w io.Writer) error { return k.AccountKeytab(w, "ops", "older", 6) })
	e := openError(t, h, engine.KindAuth)
	if !strings.Contains(e.Error(), "version 6") || !strings.Contains(e.Hint, "kvno") {
		t.Errorf("%v; %s", e, e.Hint)
	}
	for _, damaged := range []string{"", "\x05", "\x05\x02\x00\x00\x00\x10abc", "\x05\x02\xff\xff\xff\xff"} {
		file := filepath.Join(t.TempDir(), "damaged")
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Keytab = file
		_ = openError(t, h, engine.KindModule)
		s.Keytab, s.CCache = "", file
		_ = openError(t, h, engine.KindModule)
		s.CCache = ""
	}
}

// What a KDC refuses is told in words, with what to do.
func TestKerberosRefused(t *testing.T) {
	for _, test := range []struct {
		code       int32
		says, hint string
	}{
		{1, "has expired", "renewed"}, {6, "does not know the account", "realm"}, {14, "no cipher in common", "AES"}, {18, "disabled, locked", "Active Directory"},
		{23, "the password of ops@LAB.EXAMPLE has expired", "new one"}, {12, "policy", ""}, {60, "60", ""}, {68, "another realm", "LAB.EXAMPLE"},
	} {
		k := domain(t, kdc.Options{Refuse: map[string]int32{"ops": test.code}})
		_, h, _ := joined(t, k, wsman.Kerberos{}, false)
		e := openError(t, h, engine.KindAuth)
		if !strings.Contains(e.Error(), test.says) || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%d: %v; %s", test.code, e, e.Hint)
		}
	}
	k := domain(t, kdc.Options{Cipher: 23}) // RC4
	_, h, _ := joined(t, k, wsman.Kerberos{}, false)
	if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), "no cipher in common") || !strings.Contains(e.Hint, "RC4") {
		t.Errorf("%v; %s", e, e.Hint)
	}
}

// Clocks: of the KDC, of the host. The error says whose is off, by how much, and to which side.
func TestKerberosSkew(t *testing.T) {
	late := func() time.Time { return time.Now().Add(-17 * time.Minute) }
	early := func() time.Time { return time.Now().Add(time.Hour) }
	k := domain(t, kdc.Options{Clock: late})
	_, h, _ := joined(t, k, wsman.Kerberos{}, false)
	if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), "the KDC is 17m") || !strings.Contains(e.Error(), "behind") || !strings.Contains(e.Hint, "w32tm") {
		t.Errorf("%v; %s", e, e.Hint)
	}
	k = domain(t, kdc.Options{})
	_, h, _ = joined(t, k, wsman.Kerberos{Clock: early}, false)
	if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), "the host is 1h0m0s ahead") && !strings.Contains(e.Error(), "the host is 59m59s ahead") {
		t.Error(e)
	}
	_, h, _ = joined(t, k, wsman.Kerberos{Clock: early, Mute: true}, false)
	if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), "refuses the Kerberos ticket of ops@LAB.EXAMPLE for "+spn) || !strings.Contains(e.Hint, "clock") || !strings.Contains(e.Hint, "setspn -Q") {
		t.Errorf("%v; %s", e, e.Hint)
	}
}

// A host with another key than its name's (an account of IIS, a computer that joined anew) says so.
func TestKerberosOtherKey(t *testing.T) {
	k, other := domain(t, kdc.Options{}), domain(t, kdc.Options{Services: []string{"HTTP/guest2.lab.example"}})
	_, h, s := joined(t, k, wsman.Kerberos{}, false)
	_, _, at := joined(t, other, wsman.Kerberos{}, false)
	s.Port = at.Port
	if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), "cannot open it") || !strings.Contains(e.Hint, "WSMAN/") {
		t.Errorf("%v; %s", e, e.Hint)
	}
}

// Who cannot prove to be the host gets no command, neither over http nor over https.
func TestKerberosMutual(t *testing.T) {
	k := domain(t, kdc.Options{})
	for _, secure := range []bool{false, true} {
		server, h, _ := joined(t, k, wsman.Kerberos{Impostor: true}, secure)
		if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), "does not prove") {
			t.Error(e)
		}
		for _, r := range server.Requests() {
			if r.Size > 0 {
				t.Errorf("an impostor got %+v", r)
			}
		}
	}
	for _, answer := range []string{"", "Negotiate", "Negotiate YII=", "Negotiate " + base64.StdEncoding.EncodeToString([]byte("\xa1\x03\x30\x01\x00"))} {
		fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", answer) // and 200
		}))
		_, h, s := joined(t, k, wsman.Kerberos{}, false)
		u, _ := url.Parse(fake.URL)
		s.Port, _ = strconv.Atoi(u.Port())
		if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Error(), "does not prove") {
			t.Error(e)
		}
		fake.Close()
	}
}

// Whoever relays a ticket over a TLS channel of their own fails at the channel's binding.
func TestKerberosRelay(t *testing.T) {
	k := domain(t, kdc.Options{})
	server, h, s := joined(t, k, wsman.Kerberos{}, true)
	port, fingerprint := relay(t, server)
	s.CA, s.Fingerprint, s.Port = "", fingerprint, port
	_ = openError(t, h, engine.KindAuth)
	for _, r := range server.Requests() {
		if r.Size > 0 {
			t.Errorf("relayed %+v", r)
		}
	}
}

// A host that does not take Kerberos gets nothing else instead, and the error says what to set.
func TestKerberosNoDowngrade(t *testing.T) {
	k := domain(t, kdc.Options{})
	for _, test := range []struct {
		offers []string
		hint   string
	}{
		{[]string{`Basic realm="WSMAN"`}, "https"}, {[]string{"NTLM"}, `auth = "ntlm"`}, {nil, `Kerberos="true"`},
	} {
		server, h, _ := joined(t, k, wsman.Kerberos{}, false)
		server.Fail(wsman.Fault{Mode: wsman.Unauthorized, Offers: test.offers})
		if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%v; %s", e, e.Hint)
		}
		if r := server.Requests(); len(r) != 1 || r[0].Auth != "Negotiate" || r[0].Size != 0 {
			t.Errorf("%+v", r)
		}
	}
}

// Names: a user's, a realm's, a host's.
func TestKerberosNames(t *testing.T) {
	k := domain(t, kdc.Options{})
	_, h, s := joined(t, k, wsman.Kerberos{}, false)
	for _, user := range []string{"ops@LAB.EXAMPLE", "ops@lab.example", `lab.example\ops`} {
		s.User = user
		_ = opened(t, winrm.New(), h)
	}
	s.User = `LAB\ops` // a NetBIOS name is not a realm
	if e := openError(t, h, engine.KindModule); !strings.Contains(e.Hint, "realm =") {
		t.Error(e.Hint)
	}
	s.Realm = "LAB.EXAMPLE"
	_ = opened(t, winrm.New(), h)
	s.SPN, h.Name = "", "192.0.2.7"
	if e := openError2(t, h, "192.0.2.7", engine.KindModule); !strings.Contains(e.Hint, "spn =") {
		t.Error(e.Hint)
	}
	h.Name = "guest1"
	e := openError(t, h, engine.KindAuth)
	if !strings.Contains(e.Error(), "HTTP/guest1, nor WSMAN/guest1") || !strings.Contains(e.Hint, "setspn -S WSMAN/guest1") {
		t.Errorf("%v; %s", e, e.Hint)
	}
	if k.Count("TGS", 7, "HTTP/guest1") != 1 || k.Count("TGS", 7, "WSMAN/guest1") != 1 {
		t.Errorf("%+v", k.Events())
	}
}

// openError2 is openError for a host of another name.
func openError2(t testing.TB, h *engine.Host, name string, kind engine.ErrorKind) *engine.Error {
	t.Helper()
	_, err := winrm.New().Open(t.Context(), h)
	if engine.KindOf(err) != kind || engine.HostOf(err) != name {
		t.Fatalf("%v of %q", err, engine.HostOf(err))
	}
	e, _ := err.(*engine.Error) //nolint:errorlint // it is one
	return e
}

// A KDC that refers to the realm of the host, and that realm's.
func TestKerberosReferral(t *testing.T) {
	home := domain(t, kdc.Options{Refer: map[string]string{"other.example": "OTHER.EXAMPLE"}})
	there := domain(t, kdc.Options{Realm: "OTHER.EXAMPLE", Services: []string{"HTTP/h.other.example"}, Accounts: map[string]string{"x": "x"}})
	if err := there.Trust("LAB.EXAMPLE"); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "krb5.conf")
	text := "[libdefaults]\n default_realm = LAB.EXAMPLE\n[realms]\n LAB.EXAMPLE = {\n  kdc = " + home.Address() + "\n }\n OTHER.EXAMPLE = {\n  kdc = " + there.Address() + "\n }\n"
	for _, mapped := range []string{"", "[domain_realm]\n .other.example = OTHER.EXAMPLE\n"} {
		if err := os.WriteFile(conf, []byte(text+mapped), 0o600); err != nil {
			t.Fatal(err)
		}
		_, h, s := joined(t, there, wsman.Kerberos{}, false)
		s.User, s.KDC, s.Krb5Conf, s.SPN = "ops", nil, conf, "HTTP/h.other.example"
		_ = opened(t, winrm.New(), h)
	}
	if n := there.Count("TGS", 0, "HTTP/h.other.example"); n != 2 {
		t.Errorf("%+v", there.Events())
	}
}

// A KDC that lies is not believed.
func TestKerberosLies(t *testing.T) {
	for name, lie := range map[string]func(*messages.EncKDCRepPart){
		"nonce":   func(p *messages.EncKDCRepPart) { p.Nonce++ },
		"realm":   func(p *messages.EncKDCRepPart) { p.SRealm = "OTHER.EXAMPLE" },
		"service": func(p *messages.EncKDCRepPart) { p.SName = types.NewPrincipalName(2, "HTTP/evil") },
	} {
		k := domain(t, kdc.Options{Lie: lie})
		_, h, _ := joined(t, k, wsman.Kerberos{}, false)
		if e := openError(t, h, engine.KindProtocol); !strings.Contains(e.Error(), "protocol") {
			t.Errorf("%s: %v", name, e)
		}
	}
	k := domain(t, kdc.Options{Lie: func(p *messages.EncKDCRepPart) { p.Key.KeyType = 23 }})
	_, h, _ := joined(t, k, wsman.Kerberos{}, false)
	if e := openError(t, h, engine.KindAuth); !strings.Contains(e.Hint, "RC4") {
		t.Errorf("%v; %s", e, e.Hint)
	}
}

// No KDC: which addresses, and why; the next one is asked.
func TestKerberosNoKDC(t *testing.T) {
	k := domain(t, kdc.Options{})
	_, h, s := joined(t, k, wsman.Kerberos{}, false)
	nonsense, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nonsense.Close()
	go func() {
		for {
			c, err := nonsense.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			_ = c.Close()
		}
	}()
	s.KDC = []string{"127.0.0.1:1", nonsense.Addr().String()}
	if e := openError(t, h, engine.KindRefused); !strings.Contains(e.Error(), "127.0.0.1:1: connection refused") || !strings.Contains(e.Error(), nonsense.Addr().String()) {
		t.Error(e)
	}
	s.KDC = append(s.KDC, k.Address())
	_ = opened(t, winrm.New(), h)
	s.KDC = []string{"kdc.invalid"}
	_ = openError(t, h, engine.KindDNS)
}
