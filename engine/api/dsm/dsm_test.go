package dsm_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/dsm"
	"github.com/dsplay/dsplay/engine/api/dsm/dsmtest"
	"github.com/dsplay/dsplay/engine/transport/https"
)

const uuid1, uuid2 = "421e1137-5c49-56e4-246d-9bf7637e69f5", "421e1137-5c49-56e4-246d-9bf7637e69f6"

// manager is two guests of one appliance, the appliance, and a guest with an agent.
func manager() *dsmtest.Server {
	return &dsmtest.Server{Key: "key", User: "api", Password: "p<&>w", Computers: []dsmtest.Computer{
		{ID: 101, Name: "vm-01.corp.local", Display: "VM-01", UUID: uuid1, Heard: "2m", Appliance: "dsva-1", ESXi: "esx1"},
		{ID: 102, Name: "vm-02.corp.local", Display: "VM-02", UUID: uuid2, Engine: "offline", Heard: "3m", Appliance: "dsva-1", ESXi: "esx1"},
		{ID: 103, Name: "dsva-1", UUID: "421e1137-0000-0000-0000-000000000003", Protection: "is_appliance", Engine: "offline"},
		{ID: 104, Name: "vm-04", UUID: "421e1137-0000-0000-0000-000000000004", Protection: "agent"},
	}}
}

// connect opens a real connection to s over TLS.
func connect(t *testing.T, s *dsmtest.Server, set func(*https.Settings)) engine.API {
	t.Helper()
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	address, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	settings := https.Transport{}.Settings().(*https.Settings)
	settings.Kind = "dsm"
	settings.Port, _ = strconv.Atoi(port)
	sum := sha256.Sum256(server.Certificate().Raw)
	settings.Fingerprint = hex.EncodeToString(sum[:])
	set(settings)
	conn, err := https.Transport{}.Open(t.Context(), &engine.Host{Name: "dsm1", Address: address, Connection: engine.Connection{Type: "https", Settings: settings}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(engine.API)
}

func byKey(s *https.Settings) { s.APIKey = engine.Plain("key") }
func byUser(s *https.Settings) {
	s.User, s.Password = "api", engine.Plain("p<&>w")
}
func byBoth(s *https.Settings) { byKey(s); byUser(s) }

func fetch(t *testing.T, api engine.API) *dsm.Directory {
	t.Helper()
	d, err := dsm.Fetch(t.Context(), api)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ask(t *testing.T, d *dsm.Directory, uuid, name string) dsm.Computer {
	t.Helper()
	c, err := d.Computer(t.Context(), uuid, name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBothAPIsSayTheSame(t *testing.T) {
	for _, japanese := range []bool{false, true} {
		for api, set := range map[string]func(*https.Settings){"rest": byKey, "soap": byUser} {
			t.Run(fmt.Sprintf("%s, japanese %v", api, japanese), func(t *testing.T) {
				s := manager()
				s.Japanese = japanese
				d := fetch(t, connect(t, s, set))
				if d.API != api {
					t.Fatalf("asked over %s", d.API)
				}
				one, two := ask(t, d, strings.ToUpper(uuid1), ""), ask(t, d, uuid2, "")
				if one.State != dsm.Online || !one.Agentless || two.State != dsm.Offline || !two.Agentless {
					t.Errorf("VM-01 %s, VM-02 %s", one.State, two.State)
				}
				if age := time.Since(*two.AsOf); (age - 3*time.Minute).Abs() > 30*time.Second {
					t.Errorf("VM-02 was heard %v ago", age)
				}
				if api == "soap" && (two.Appliance != "dsva-1" || two.ESXi != "esx1") {
					t.Errorf("on %q of %q", two.Appliance, two.ESXi)
				}
				if c := ask(t, d, "421e1137-0000-0000-0000-000000000003", ""); !c.IsAppliance || c.Agentless {
					t.Errorf("the appliance: %+v", c)
				}
				if c := ask(t, d, "421e1137-0000-0000-0000-000000000004", ""); c.Agentless || c.State != dsm.Unsupported {
					t.Errorf("the guest with an agent: %+v", c)
				}
			})
		}
	}
}

func TestNobodyIsGuessed(t *testing.T) {
	s := manager()
	s.Computers[1].UUID = uuid1 // a clone
	d := fetch(t, connect(t, s, byKey))
	for _, c := range []struct {
		uuid, name string
		found      bool
		says       string
	}{
		{"", "VM-01", false, "not known"},
		{"  ", "", false, "not known"},
		{uuid2, "VM-02", false, "no computer"},
		{uuid1, "", false, "VM-01 (ID 101), VM-02 (ID 102)"},
		{uuid1, "VM-03", false, "not unique"},
		{uuid1, "vm-02", true, "Engine Offline"},
		{uuid1, "vm-01.corp.local", true, "Online"},
	} {
		got := ask(t, d, c.uuid, c.name)
		if got.Found != c.found || !strings.Contains(strings.Join(got.Messages, ";"), c.says) {
			t.Errorf("%q %q: found %v, %q", c.uuid, c.name, got.Found, got.Messages)
		}
		if !c.found && got.State != dsm.Unknown {
			t.Errorf("%q %q: state %s", c.uuid, c.name, got.State)
		}
	}
}

func TestPagesUntilNothingIsLeft(t *testing.T) {
	s := manager()
	s.PageCap = 1 // less than was asked for
	d := fetch(t, connect(t, s, byKey))
	if ask(t, d, uuid2, "").State != dsm.Offline || s.Calls("search") != 5 {
		t.Errorf("%d requests", s.Calls("search"))
	}
	if d.Version != "20.0.737" {
		t.Errorf("version %q", d.Version)
	}
}

func TestBusyManagerIsAskedAgain(t *testing.T) {
	s := manager()
	s.Busy = 2
	if d := fetch(t, connect(t, s, byKey)); !ask(t, d, uuid1, "").Found {
		t.Error("not found")
	}
	s.Change(func(s *dsmtest.Server) { s.Busy = 99 })
	_, err := dsm.Fetch(t.Context(), connect(t, s, byKey))
	if err == nil || !strings.Contains(err.Error(), "429") || engine.HintOf(err) == "" {
		t.Errorf("want 429 with a hint, got %v", err)
	}
}

func TestOldManagerIsAskedOverSOAP(t *testing.T) {
	s := manager()
	s.NoREST = true
	if d := fetch(t, connect(t, s, byBoth)); d.API != "soap" || ask(t, d, uuid2, "").State != dsm.Offline {
		t.Errorf("asked over %s", d.API)
	}
	_, err := dsm.Fetch(t.Context(), connect(t, s, byKey))
	if !strings.Contains(engine.HintOf(err), "SOAP") {
		t.Errorf("want a hint at SOAP, got %v (%s)", err, engine.HintOf(err))
	}
	s.Change(func(s *dsmtest.Server) { s.NoSOAP = true })
	_, err = dsm.Fetch(t.Context(), connect(t, s, byUser))
	if !strings.Contains(engine.HintOf(err), "webserviceAPIEnabled") {
		t.Errorf("want a hint how to enable SOAP, got %v", err)
	}
}

func TestRefusedKeyIsNotReplacedByThePassword(t *testing.T) {
	s := manager()
	_, err := dsm.Fetch(t.Context(), connect(t, s, func(set *https.Settings) { byBoth(set); set.APIKey = engine.Plain("old") }))
	if engine.KindOf(err) != engine.KindAuth || s.Calls("authenticate") != 0 || !strings.Contains(err.Error(), "Not authorized to view") {
		t.Errorf("%v; %d logins", err, s.Calls("authenticate"))
	}
	if strings.Contains(err.Error()+engine.HintOf(err), "old") {
		t.Errorf("the key is in the error: %v", err)
	}
}

func TestWrongPasswordDoesNotLockTheAccount(t *testing.T) {
	s := manager()
	api := connect(t, s, func(set *https.Settings) { byUser(set); set.Password = engine.Plain("wrong") })
	for range 10 {
		if _, err := dsm.Fetch(t.Context(), api); engine.KindOf(err) != engine.KindAuth {
			t.Fatalf("want auth, got %v", err)
		}
	}
	if n := s.Calls("authenticate"); n != 1 {
		t.Errorf("%d logins", n)
	}
	if d := fetch(t, connect(t, s, byUser)); d.API != "soap" {
		t.Error("the account is locked")
	}
}

func TestSessionsAreEndedAndLimitedOnesNamed(t *testing.T) {
	s := manager()
	s.MaxSessions = 1
	api := connect(t, s, byUser)
	fetch(t, api)
	_, err := dsm.Fetch(t.Context(), connect(t, s, byUser))
	if !strings.Contains(fmt.Sprint(err), "ManagerMaxSessionsException") || !strings.Contains(engine.HintOf(err), "activeSessionsAllowed") {
		t.Errorf("want the session limit, got %v (%s)", err, engine.HintOf(err))
	}
	if err := api.Close(); err != nil || s.Sessions() != 0 {
		t.Errorf("%d sessions are left, %v", s.Sessions(), err)
	}
	fetch(t, connect(t, s, byUser))
}

// Sessions that end after three calls, with forty guests asked at once: everybody is answered, with no more logins than calls.
func TestSessionsThatEndInTheMiddle(t *testing.T) {
	s := manager()
	s.Slow, s.PerLogin = 5*time.Millisecond, 3
	crowd(s)
	api := connect(t, s, byUser)
	d := fetch(t, api)
	askForCrowd(t, d)
	if n := s.Calls("authenticate"); n < 14 || n > 41 {
		t.Errorf("%d logins for 41 calls of three each", n)
	}
	if err := api.Close(); err != nil || s.Sessions() != 0 {
		t.Errorf("%d sessions are left, %v", s.Sessions(), err)
	}
}

// A DSM that takes no session at all gets two logins, and what it says is not taken for a wrong password.
func TestSessionsThatAreNeverValid(t *testing.T) {
	s := manager()
	s.PerLogin = -1
	_, err := dsm.Fetch(t.Context(), connect(t, s, byUser))
	if s.Calls("authenticate") != 2 || engine.KindOf(err) == engine.KindAuth || !strings.Contains(err.Error(), "only just opened") {
		t.Errorf("%d logins: %v", s.Calls("authenticate"), err)
	}
}

// crowd gives a manager forty guests more, whose engines are online.
func crowd(s *dsmtest.Server) {
	for i := range 40 {
		s.Computers = append(s.Computers, dsmtest.Computer{ID: 200 + i, UUID: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), Heard: "1m"})
	}
}

// askForCrowd asks about all of them at once.
func askForCrowd(t *testing.T, d *dsm.Directory) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			c, err := d.Computer(context.WithoutCancel(t.Context()), fmt.Sprintf("00000000-0000-0000-0000-%012d", i), "")
			if err != nil || c.State != dsm.Online {
				t.Errorf("%d: %s %v", i, c.State, err)
			}
		})
	}
	wg.Wait()
}

func TestExpiredSessionIsReplacedOnce(t *testing.T) {
	s := manager()
	s.Slow = 10 * time.Millisecond // so that requests are on their way together
	crowd(s)
	api := connect(t, s, byUser)
	d := fetch(t, api)
	s.Expire()
	askForCrowd(t, d)
	if s.Calls("authenticate") != 2 || s.Sessions() != 1 {
		t.Errorf("%d logins, %d sessions", s.Calls("authenticate"), s.Sessions())
	}
	if s.Most() > 8 {
		t.Errorf("%d requests at once", s.Most())
	}
	n := s.Calls("hostGetStatus")
	if ask(t, d, "00000000-0000-0000-0000-000000000007", ""); s.Calls("hostGetStatus") != n {
		t.Error("what is known was asked again")
	}
	if err := api.Close(); err != nil || s.Sessions() != 0 {
		t.Errorf("%d sessions are left, %v", s.Sessions(), err)
	}
}

func TestTenantLogsInAsOne(t *testing.T) {
	s := manager()
	s.Tenant = "acme"
	fetch(t, connect(t, s, func(set *https.Settings) { byUser(set); set.Tenant = "acme" }))
	if s.Calls("authenticateTenant") != 1 {
		t.Error("not logged in as a tenant")
	}
}

func TestVirtualUUIDsOfTheHigherLevel(t *testing.T) {
	s := manager()
	s.UUIDsOnlyHigh = true
	if d := fetch(t, connect(t, s, byUser)); !ask(t, d, uuid1, "").Found || s.Calls("hostDetailRetrieve") != 2 {
		t.Errorf("%d lists", s.Calls("hostDetailRetrieve"))
	}
}

func TestComputerThatWasDeletedMeanwhileIsUnknown(t *testing.T) {
	s := manager()
	d := fetch(t, connect(t, s, byUser))
	s.Change(func(s *dsmtest.Server) { s.Computers = s.Computers[1:] })
	if c := ask(t, d, uuid1, ""); c.State != dsm.Unknown || !strings.Contains(c.Messages[0], "no host with this ID") {
		t.Errorf("%+v", c)
	}
}

func TestTimesAreCorrectedByTheManagersClock(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*3600)
	for name, c := range map[string]struct {
		set    func(*https.Settings)
		ahead  time.Duration
		zone   *time.Location
		noDate bool
		skew   time.Duration // 0: anything
		known  bool
	}{
		"rest, exact":                {byKey, 0, nil, false, 0, true},
		"rest, an hour ahead":        {byKey, time.Hour, nil, false, time.Hour, true},
		"rest, an hour behind":       {byKey, -time.Hour, nil, false, -time.Hour, true},
		"soap, an hour ahead":        {byUser, time.Hour, nil, false, time.Hour, true},
		"soap, texts without a zone": {byUser, time.Hour, tokyo, false, time.Hour, true},
		"soap, zone never told":      {byUser, 0, tokyo, true, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := manager()
			s.Ahead, s.Zone, s.NoDate = c.ahead, c.zone, c.noDate
			d := fetch(t, connect(t, s, c.set))
			if (d.Skew - c.skew).Abs() > 10*time.Second {
				t.Errorf("skew %v, want %v", d.Skew, c.skew)
			}
			at := ask(t, d, uuid1, "").AsOf
			switch {
			case (at != nil) != c.known:
				t.Errorf("as of %v", at)
			case at != nil && (time.Since(*at)-2*time.Minute).Abs() > 30*time.Second:
				t.Errorf("heard %v ago", time.Since(*at))
			}
		})
	}
}

func TestHostsOfAnotherKindAreRefused(t *testing.T) {
	_, err := dsm.Fetch(t.Context(), connect(t, manager(), func(s *https.Settings) { byKey(s); s.Kind = "vsphere" }))
	if !strings.Contains(fmt.Sprint(err), "vsphere") {
		t.Errorf("got %v", err)
	}
	_, err = dsm.Fetch(t.Context(), connect(t, manager(), func(*https.Settings) {}))
	var e *engine.Error
	if !errors.As(err, &e) || e.Kind != engine.KindAuth || !strings.Contains(e.Hint, "api_key") {
		t.Errorf("no credentials: %v", err)
	}
}

func TestUUID(t *testing.T) {
	for in, want := range map[string]string{
		"421E1137-5C49-56E4-246D-9BF7637E69F5":            uuid1,
		"42 1e 11 37 5c 49 56 e4-24 6d 9b f7 63 7e 69 f5": uuid1,
		" {421e11375c4956e4246d9bf7637e69f5} ":            uuid1,
		"Some other ID":                                   "some other id",
		"":                                                "",
	} {
		if got := dsm.UUID(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
