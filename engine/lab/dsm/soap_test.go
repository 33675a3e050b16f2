package dsm_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/dsm"
)

// soap posts one operation; arguments are name, value pairs.
func (l *lab) soap(op string, args ...string) (int, string) {
	l.Helper()
	var b strings.Builder
	for i := 0; i < len(args); i += 2 {
		fmt.Fprintf(&b, "<urn:%s>%s</urn:%s>", args[i], args[i+1], args[i])
	}
	body := fmt.Sprintf(`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:Manager"><soapenv:Header/><soapenv:Body><urn:%s>%s</urn:%s></soapenv:Body></soapenv:Envelope>`, op, b.String(), op)
	response, err := http.Post(l.url+"/webservice/Manager", "text/xml;charset=UTF-8", strings.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

func value(text, name string) string {
	if m := regexp.MustCompile(`<` + name + `[^>]*>([^<]*)</` + name + `>`).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func (l *lab) login() string {
	l.Helper()
	code, text := l.soap("authenticate", "username", "ops", "password", "s3cret")
	sID := value(text, "authenticateReturn")
	if code != 200 || sID == "" {
		l.Fatalf("authenticate: %d %s", code, text)
	}
	return sID
}

func TestSOAPStatus(t *testing.T) {
	l := start(t, dsm.Config{NoREST: true})
	at := time.Date(2026, 3, 1, 2, 3, 4, 0, time.UTC)
	l.Heartbeat(7, map[int]bool{101: true}, at)
	l.SetPower(102, dsm.Standby)
	sID := l.login()
	_, text := l.soap("hostGetStatus", "id", "101", "sID", sID)
	for name, want := range map[string]string{"applianceName": "dsva1", "esxServerName": "esx1", "applianceID": "7", "overallStatus": "Managed (Online)",
		"protectionType": "APPLIANCE", "state": "ACTIVATED", "lastSuccessfulCommunication": "2026-03-01T02:03:04.000Z"} {
		if got := value(text, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	_, text = l.soap("hostGetStatus", "id", "102", "sID", sID)
	if value(text, "state") != "STANDBY" || value(text, "status") != "Anti-Malware Engine Offline" {
		t.Errorf("a guest in standby: %s", text)
	}
	_, text = l.soap("hostGetStatus", "id", "103", "sID", sID)
	if value(text, "protectionType") != "AGENT" || !strings.Contains(text, `<applianceName xsi:nil="true"/>`) {
		t.Errorf("a guest with an agent: %s", text)
	}
	code, text := l.soap("hostGetStatus", "id", "9", "sID", sID)
	if code != 500 || !strings.Contains(text, "<ns1:ManagerValidationException") {
		t.Errorf("no such host: %d %s", code, text)
	}
}

func TestSOAPLists(t *testing.T) {
	l := start(t, dsm.Config{})
	sID := l.login()
	_, text := l.soap("hostRetrieveAll", "sID", sID)
	if n := strings.Count(text, "<hostRetrieveAllReturn>"); n != 5 || !strings.Contains(text, "<hostType>APPLIANCE</hostType>") || !strings.Contains(text, "<hostType>ESX</hostType>") {
		t.Errorf("%d hosts: %s", n, text)
	}
	_, text = l.soap("hostRetrieveByName", "hostname", "guest1-2", "sID", sID)
	if value(text, "ID") != "102" {
		t.Errorf("by name: %s", text)
	}
	_, text = l.soap("hostDetailRetrieve", "hostFilter", "<urn:type>SPECIFIC_HOST</urn:type><urn:hostID>101</urn:hostID>", "hostDetailLevel", "HIGH", "sID", sID)
	if strings.Count(text, "<hostDetailRetrieveReturn>") != 1 || value(text, "virtualUuid") != "421e-1" || value(text, "hostLight") != "RED" {
		t.Errorf("detail: %s", text)
	}
	if _, text = l.soap("getApiVersion"); value(text, "getApiVersionReturn") != "3" {
		t.Errorf("api version: %s", text)
	}
	if _, text = l.soap("getManagerTime"); !strings.HasPrefix(value(text, "getManagerTimeReturn"), "20") {
		t.Errorf("manager time: %s", text)
	}
}

func TestSOAPSessions(t *testing.T) {
	l := start(t, dsm.Config{MaxSessions: 2, MaxFailures: 3, Session: 50 * time.Millisecond})
	fails := func(what, exception string, code int, text string) {
		t.Helper()
		if code != 500 || !strings.Contains(text, "ns1:"+exception) || !strings.Contains(text, "soapenv:Server.userException") {
			t.Errorf("%s: %d %s, want %s", what, code, text, exception)
		}
	}
	first, second := l.login(), l.login()
	code, text := l.soap("authenticate", "username", "ops", "password", "s3cret")
	fails("a third session", "ManagerMaxSessionsException", code, text)
	l.soap("endSession", "sID", first)
	code, text = l.soap("hostRetrieveAll", "sID", first)
	fails("an ended session", "ManagerAuthenticationException", code, text)
	l.idle(80 * time.Millisecond)
	code, text = l.soap("hostRetrieveAll", "sID", second)
	fails("an expired session", "ManagerAuthenticationException", code, text)
	for range 3 {
		code, text = l.soap("authenticate", "username", "ops", "password", "wrong")
		fails("a wrong password", "ManagerAuthenticationException", code, text)
	}
	code, text = l.soap("authenticate", "username", "ops", "password", "s3cret")
	fails("a locked account", "ManagerLockoutException", code, text)
	l.Clear()
	l.login()
	for _, line := range l.recorded {
		if strings.Contains(line, "s3cret") || strings.Contains(line, "wrong") || strings.Contains(line, first) {
			t.Errorf("recorded %q", line)
		}
	}
}

// idle asks nothing for a while: a session that nobody uses is the only thing that expires.
func (l *lab) idle(d time.Duration) {
	select {
	case <-time.After(d):
	case <-l.Context().Done():
	}
}

func TestSOAPUnknownOperationIsAnAttempt(t *testing.T) {
	l := start(t, dsm.Config{})
	code, _ := l.soap("hostAgentDeactivate", "hostIDs", "101", "sID", l.login())
	if last := l.recorded[len(l.recorded)-1]; code != 500 || last != "ops|hostAgentDeactivate hostIDs=101|true" {
		t.Errorf("%d, recorded %q", code, last)
	}
}
