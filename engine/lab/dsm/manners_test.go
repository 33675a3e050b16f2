package dsm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/dsm"
)

// Texts are in the language of the account: of the state, and of events that happened before anybody read them.
func TestLanguageIsOfTheAccount(t *testing.T) {
	l := start(t, dsm.Config{Languages: map[string]string{"ops": "ja"}})
	l.Heartbeat(7, map[int]bool{101: false}, time.Now())
	l.Behave(func(m *dsm.Manners) { m.Unlicensed = true })
	sID := l.login()
	l.soap("hostUpdateComponent", "hostIDs", "101", "type", "0", "id", "0", "sID", sID)
	_, status := l.soap("hostGetStatus", "id", "101", "sID", sID)
	_, events := l.soap("systemEventRetrieve", "sID", sID)
	if value(status, "overallStatus") != "不正プログラム対策エンジンがオフライン" || !strings.Contains(events, "パターンファイルのアップデート失敗") || !strings.Contains(events, "ライセンスの有効期限") {
		t.Errorf("%s\n%s", status, events)
	}
	if _, message := l.status(101); message != "Anti-Malware Engine Offline" {
		t.Errorf("to the API key: %s", message)
	}
	if e := l.Events(); len(e) != 2 || e[1].Number != 2205 || !strings.Contains(e[1].Description, "license") {
		t.Errorf("%+v", e)
	}
}

// An error stays shown of the computer, not of its anti-malware, until it is cleared; what is still wrong comes back with the
// next heartbeat, and so does everything on a manager that contradicts itself.
func TestErrorsStay(t *testing.T) {
	l := start(t, dsm.Config{})
	beat := func(online bool) { l.Heartbeat(7, map[int]bool{101: online}, time.Now()) }
	sID := l.login()
	shown := func(general, antiMalware string) {
		t.Helper()
		_, status := l.soap("hostGetStatus", "id", "101", "sID", sID)
		if value(status, "overallStatus") != general || value(status, "antiMalwareStatus") != antiMalware {
			t.Errorf("it shows %q and %q, want %q and %q", value(status, "overallStatus"), value(status, "antiMalwareStatus"), general, antiMalware)
		}
	}
	const offline, online, on = "Anti-Malware Engine Offline", "Managed (Online)", "On, Real Time"
	beat(false)
	l.Behave(func(m *dsm.Manners) { m.ErrorsStay = true })
	beat(true)
	shown(offline, on)
	if !l.Erred(101) || l.Erred(102) {
		t.Error("who shows an error?")
	}
	l.soap("hostClearWarningsErrors", "hostIDs", "101", "sID", sID)
	shown(online, on)
	beat(true)
	shown(online, on)
	beat(false)
	l.soap("hostClearWarningsErrors", "hostIDs", "101", "sID", sID)
	shown(online, offline) // what the heartbeat said of the engine is no message
	beat(false)
	shown(offline, offline)
	l.Behave(func(m *dsm.Manners) { m.ErrorsReturn = true })
	beat(true)
	l.soap("hostClearWarningsErrors", "hostIDs", "101", "sID", sID)
	shown(online, on)
	beat(true)
	shown(offline, on)
	l.Clear()
	shown(online, on)
}

// Sessions end in the middle of work, are somebody else's, or are refused to a locked account; who was refused is counted.
func TestUnpleasantLogins(t *testing.T) {
	l := start(t, dsm.Config{MaxFailures: 3})
	l.Behave(func(m *dsm.Manners) { m.CallsPerLogin = 2 })
	sID := l.login()
	for n, want := range []int{200, 200, 500, 500} {
		if code, text := l.soap("hostRetrieveAll", "sID", sID); code != want {
			t.Errorf("call %d: %d %s", n+1, code, text)
		}
	}
	l.Behave(func(m *dsm.Manners) { *m = dsm.Manners{Crowded: true} })
	if _, text := l.soap("authenticate", "username", "ops", "password", "s3cret"); !strings.Contains(text, "ManagerMaxSessionsException") {
		t.Error(text)
	}
	l.Behave(func(m *dsm.Manners) { *m = dsm.Manners{} })
	for range 4 {
		l.soap("authenticate", "username", "ops", "password", "no")
	}
	l.rest("GET", "/api/computers", "", "api-version", "v1", "api-secret-key", "no")
	if got := l.Logins(); got != (dsm.Logins{Accepted: 1, WrongPasswords: 4, WrongKeys: 1, Locked: true}) {
		t.Errorf("%+v", got)
	}
	l.Clear()
	l.login()
	l.Lock()
	if _, text := l.soap("authenticate", "username", "ops", "password", "s3cret"); !strings.Contains(text, "ManagerLockoutException") {
		t.Error(text)
	}
	l.Behave(func(m *dsm.Manners) { m.SOAPOff = true })
	if code, _ := l.soap("getApiVersion"); code != 403 {
		t.Errorf("SOAP that is off: %d", code)
	}
}

// hostGetStatus answers yesterday's; REST and the lists of SOAP are up to date.
func TestYesterday(t *testing.T) {
	l := start(t, dsm.Config{})
	l.Heartbeat(7, map[int]bool{101: true}, time.Now())
	l.Yesterday(26 * time.Hour)
	l.Heartbeat(7, map[int]bool{101: false}, time.Now())
	_, text := l.soap("hostGetStatus", "id", "101", "sID", l.login())
	at, err := time.Parse(time.RFC3339, value(text, "lastSuccessfulCommunication"))
	if err != nil || time.Since(at) < 25*time.Hour || value(text, "status") != "Managed (Online)" {
		t.Errorf("%v %s", err, text)
	}
	if light, _ := l.status(101); light != "error" {
		t.Errorf("REST says %s", light)
	}
}

// A policy is sent over both APIs, and its progress can be followed; who is off does not get it.
func TestSendPolicy(t *testing.T) {
	held := make(chan func(), 1)
	l := start(t, dsm.Config{Background: func(f func()) { held <- f }})
	sID := l.login()
	since := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	progress := func(id string) string {
		_, text := l.soap("hostJobProgress", "type", "UPDATE", "sinceManagerTime", since, "hostIDs", id, "sID", sID)
		return value(text, "complete") + value(text, "error") + value(text, "pending") + value(text, "unable")
	}
	body := `{"name":"x","type":"send-policy","enabled":true,"runNow":true,"sendPolicyTaskParameters":{"computerFilter":{"type":"computer","computerID":101}}}`
	if code, text := l.rest("POST", "/api/scheduledtasks", body); code != 200 {
		t.Errorf("%d %s", code, text)
	}
	if _, text := l.rest("GET", "/api/computers/101?expand=tasks", ""); progress("101") != "0010" || !strings.Contains(text, "Sending Policy") || strings.Contains(text, "lastSendPolicySuccess") {
		t.Errorf("%s %s", progress("101"), text)
	}
	(<-held)()
	if _, text := l.rest("GET", "/api/computers/101?expand=tasks", ""); progress("101") != "1000" || strings.Contains(text, "Sending Policy") || !strings.Contains(text, "lastSendPolicySuccess") {
		t.Errorf("%s %s", progress("101"), text)
	}
	l.SetPower(102, dsm.Off)
	if l.soap("hostUpdateNow", "hostIDs", "102", "sID", sID); progress("102") != "0001" {
		t.Error(progress("102"))
	}
}
