package dsm_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/dsm"
)

// estate is one ESXi host, its appliance, two guests without and one with an agent.
func estate() []dsm.Computer {
	return []dsm.Computer{
		{ID: 5, Kind: dsm.ESX, Name: "esx1", Platform: "VMware ESXi 7.0.3"},
		{ID: 7, Kind: dsm.Appliance, Name: "dsva1", ESXi: 5, Power: dsm.On},
		{ID: 101, Kind: dsm.VM, Name: "guest1-1", BIOSUUID: "421e-1", Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.On},
		{ID: 102, Kind: dsm.VM, Name: "guest1-2", BIOSUUID: "421e-2", Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.On},
		{ID: 103, Kind: dsm.VM, Name: "guest1-3", BIOSUUID: "421e-3", ESXi: 5, Appliance: 7, Power: dsm.On},
	}
}

type lab struct {
	*testing.T
	*dsm.Manager
	url      string
	recorded []string
}

func start(t *testing.T, cfg dsm.Config) *lab {
	t.Helper()
	l := &lab{T: t}
	cfg.APIKey, cfg.Users = "key", map[string]string{"ops": "s3cret"}
	cfg.Record = func(user, text string, mutates bool) {
		l.recorded = append(l.recorded, fmt.Sprintf("%s|%s|%v", user, text, mutates))
	}
	l.Manager = dsm.New(cfg, estate())
	server := httptest.NewServer(l.Manager)
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *lab) rest(method, path, body string, headers ...string) (int, string) {
	l.Helper()
	request, err := http.NewRequestWithContext(l.Context(), method, l.url+path, strings.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	if headers == nil {
		headers = []string{"api-version", "v1", "api-secret-key", "key"}
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		l.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

type computers struct {
	Computers []struct {
		ID                         int
		HostName                   string
		ApplianceFingerPrint       *string
		LastApplianceCommunication int64
		ComputerStatus             *struct {
			ApplianceStatus         string
			ApplianceStatusMessages []string
		}
		AntiMalware *struct {
			State        string
			ModuleStatus struct{ ApplianceStatus, ApplianceStatusMessage string }
		}
		ESXSummary *struct{ State string }
	}
}

func (l *lab) list(method, path, body string) computers {
	l.Helper()
	code, text := l.rest(method, path, body)
	var c computers
	if err := json.Unmarshal([]byte(text), &c); code != 200 || err != nil {
		l.Fatalf("%s %s: %d %s", method, path, code, text)
	}
	return c
}

func (l *lab) status(id int) (light, message string) {
	l.Helper()
	for _, c := range l.list("GET", "/api/computers?expand=computerStatus", "").Computers {
		if c.ID == id {
			return c.ComputerStatus.ApplianceStatus, strings.Join(c.ComputerStatus.ApplianceStatusMessages, "; ")
		}
	}
	l.Fatalf("no computer %d", id)
	return "", ""
}

func TestItKnowsOnlyWhatItIsTold(t *testing.T) {
	l := start(t, dsm.Config{})
	now := time.Now().Truncate(time.Millisecond)
	l.Heartbeat(7, map[int]bool{101: true, 102: false}, now)
	if light, text := l.status(101); light != "active" || text != "Managed (Online)" {
		t.Errorf("online guest: %s %q", light, text)
	}
	if light, text := l.status(102); light != "error" || text != "Anti-Malware Engine Offline" {
		t.Errorf("offline guest: %s %q", light, text)
	}
	l.SetPower(101, dsm.Off)
	if light, text := l.status(101); light != "inactive" || text != "Unmanaged (VM Stopped)" {
		t.Errorf("guest that is off: %s %q", light, text)
	}
	l.Freeze(26 * time.Hour)
	l.Heartbeat(7, map[int]bool{102: true}, now.Add(time.Minute))
	c := l.list("POST", "/api/computers/search?expand=none", `{"searchCriteria":[{"idTest":"equal","idValue":102}]}`).Computers
	if len(c) != 1 || c[0].LastApplianceCommunication != now.Add(-26*time.Hour).UnixMilli() {
		t.Errorf("frozen: %+v, want a communication 26 hours before %v", c, now)
	}
	if light, _ := l.status(102); light != "error" {
		t.Errorf("a frozen manager learned something: %s", light)
	}
	l.Clear()
	l.Heartbeat(7, map[int]bool{102: true}, now.Add(time.Minute))
	if light, _ := l.status(102); light != "active" {
		t.Errorf("after Clear and a heartbeat: %s", light)
	}
}

func TestMissedHeartbeats(t *testing.T) {
	l := start(t, dsm.Config{})
	now := time.Now().Truncate(time.Millisecond)
	l.Heartbeat(7, map[int]bool{101: true, 102: true}, now)
	l.Missed(7)
	if light, text := l.status(101); light != "error" || text != "Offline" {
		t.Errorf("guest of a silent appliance: %s %q", light, text)
	}
	if c, _ := l.Computer(101); !c.Reported.Equal(now) {
		t.Errorf("a heartbeat that did not come counts as one: %v", c.Reported)
	}
	l.Heartbeat(7, map[int]bool{101: true}, now)
	if light, text := l.status(101); light != "active" {
		t.Errorf("after a heartbeat: %s %q", light, text)
	}
}

func TestJapanese(t *testing.T) {
	l := start(t, dsm.Config{Japanese: true})
	if light, text := l.status(101); light != "error" || text != "不正プログラム対策エンジンがオフライン" {
		t.Errorf("%s %q", light, text)
	}
}

func TestRESTAsksForItsHeaders(t *testing.T) {
	l := start(t, dsm.Config{})
	for name, c := range map[string]struct {
		headers []string
		path    string
		code    int
	}{
		"no version":     {[]string{"api-secret-key", "key"}, "/api/computers", 400},
		"no key":         {[]string{"api-version", "v1"}, "/api/computers", 403},
		"wrong key":      {[]string{"api-version", "v1", "api-secret-key", "other"}, "/api/computers", 403},
		"no such id":     {nil, "/api/computers/9", 404},
		"no such thing":  {nil, "/api/nonsense", 404},
		"bad expand":     {nil, "/api/computers?expand=everything", 400},
		"right":          {nil, "/api/computers/101", 200},
		"no legacy REST": {nil, "/rest/authentication/login", 404},
	} {
		if code, text := l.rest("GET", c.path, "", c.headers...); code != c.code {
			t.Errorf("%s: %d, want %d: %s", name, code, c.code, text)
		}
	}
	l.Busy(2)
	first, _ := l.rest("GET", "/api/computers/101", "")
	second, text := l.rest("GET", "/api/computers/101", "")
	if first+second != 200+429 || second == 429 && !strings.Contains(text, `"message"`) {
		t.Errorf("busy: %d, %d %s", first, second, text)
	}
}

func TestRESTPagesAndExpands(t *testing.T) {
	l := start(t, dsm.Config{})
	var ids []int
	for last := 0; ; {
		page := l.list("POST", "/api/computers/search?expand=none", fmt.Sprintf(`{"maxItems":2,"sortByObjectID":true,"searchCriteria":[{"idTest":"greater-than","idValue":%d}]}`, last)).Computers
		for _, c := range page {
			ids, last = append(ids, c.ID), c.ID
			if c.ComputerStatus != nil || c.AntiMalware != nil {
				t.Errorf("expand=none shows %+v", c)
			}
		}
		if len(page) < 2 {
			break
		}
	}
	if fmt.Sprint(ids) != "[5 7 101 102 103]" {
		t.Errorf("pages give %v", ids)
	}
	found := l.list("POST", "/api/computers/search", `{"searchCriteria":[{"fieldName":"hostName","stringTest":"equal","stringValue":"guest%","stringWildcards":true}]}`).Computers
	if len(found) != 3 || found[0].ApplianceFingerPrint == nil || found[2].ApplianceFingerPrint != nil || found[0].AntiMalware.State != "on" {
		t.Errorf("search by name: %+v", found)
	}
	if code, text := l.rest("POST", "/api/computers/search", `{"searchCriteria":[{"fieldName":"computerStatus/applianceStatus","stringTest":"equal","stringValue":"error"}]}`); code != 400 {
		t.Errorf("a status can be searched: %d %s", code, text)
	}
}

func TestWithoutREST(t *testing.T) {
	l := start(t, dsm.Config{NoREST: true})
	if code, text := l.rest("GET", "/api/computers", ""); code != 404 || strings.HasPrefix(text, "{") {
		t.Errorf("%d %s, want 404 and a page", code, text)
	}
}

func TestRecordTellsReadsFromChanges(t *testing.T) {
	l := start(t, dsm.Config{})
	l.rest("GET", "/api/computers/101?expand=none", "")
	l.rest("POST", "/api/computers/search", `{"maxItems":1}`)
	l.rest("DELETE", "/api/computers/101", "")
	want := []string{"api-key|GET /api/computers/101?expand=none|false", `api-key|POST /api/computers/search {"maxItems":1}|false`, "api-key|DELETE /api/computers/101|true"}
	if fmt.Sprint(l.recorded) != fmt.Sprint(want) {
		t.Errorf("recorded %q", l.recorded)
	}
}
