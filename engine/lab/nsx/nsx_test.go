package nsx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine/lab/clock"
	"github.com/dsplay/dsplay/engine/lab/nsx"
)

var (
	protect = nsx.Tag{Scope: "ds", Name: "protected"}
	backup  = nsx.Tag{Scope: "backup", Name: "daily"}
)

type lab struct {
	*testing.T
	*nsx.Manager
	url, password string
	recorded      []string
}

// start makes a manager of one host with two guests that share a BIOS UUID; nothing takes time unless cfg says so.
func start(t *testing.T, cfg nsx.Config) *lab {
	t.Helper()
	l := &lab{T: t, password: "s3cret"}
	if cfg.Generation == nsx.V {
		protect, backup = nsx.Tag{Name: "DS-Protect"}, nsx.Tag{Name: "backup"}
	} else {
		protect, backup = nsx.Tag{Scope: "ds", Name: "protected"}, nsx.Tag{Scope: "backup", Name: "daily"}
	}
	cfg.User, cfg.Password, cfg.Membership, cfg.Group, cfg.Defined = "ops", "s3cret", protect, "G", []nsx.Tag{backup}
	cfg.Hosts = []nsx.Host{{Ref: "host-10", ID: "node-1", Name: "esx1", SVM: "50-9"}}
	cfg.VMs = []nsx.VM{
		{Ref: "vm-17", Name: "one", InstanceUUID: "50-1", BIOSUUID: "42-1", Tags: []nsx.Tag{backup, protect}},
		{Ref: "vm-18", Name: "two", InstanceUUID: "50-2", BIOSUUID: "42-1", Tags: []nsx.Tag{backup}},
		{Ref: "vm-9", Name: "svm", InstanceUUID: "50-9", BIOSUUID: "42-9", Service: true},
	}
	cfg.Record = func(user, text string, mutates bool) {
		l.recorded = append(l.recorded, fmt.Sprintf("%s|%s|%v", user, text, mutates))
	}
	l.Manager = nsx.New(cfg)
	server := httptest.NewServer(l.Manager)
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *lab) do(method, path, body string) (int, string) {
	l.Helper()
	request, err := http.NewRequestWithContext(l.Context(), method, l.url+path, strings.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	request.SetBasicAuth("ops", l.password)
	return l.send(request)
}

func (l *lab) send(request *http.Request) (int, string) {
	l.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		l.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// wants fails unless the answer has this status and these texts.
func (l *lab) wants(status int, method, path, body string, texts ...string) string {
	l.Helper()
	code, text := l.do(method, path, body)
	if code != status {
		l.Errorf("%s %s: %d %s, want %d", method, path, code, text, status)
	}
	for _, want := range texts {
		if !strings.Contains(text, want) {
			l.Errorf("%s %s: %s lacks %s", method, path, text, want)
		}
	}
	return text
}

func (l *lab) has(vm string, tags ...nsx.Tag) {
	l.Helper()
	if got := l.Tags(vm); !slices.Equal(got, tags) {
		l.Errorf("the tags of %s are %v, want %v", vm, got, tags)
	}
}

const machines = "/api/v1/fabric/virtual-machines"

func TestTagsOfT(t *testing.T) {
	l := start(t, nsx.Config{Generation: nsx.T})
	given := `{"external_id":"50-2","tags":[{"scope":"ds","tag":"protected"}]}`
	l.wants(204, "POST", machines+"?action=add_tags", given)
	l.wants(204, "POST", machines+"?action=add_tags", given)
	l.has("50-2", backup, protect)
	if !l.Member("50-2") {
		t.Error("the group does not follow")
	}
	l.wants(200, "GET", machines+"?external_id=50-2", "", `"display_name":"two"`, `"tag":"protected"`, `"biosUuid:42-1"`, `"target_display_name":"esx1"`, `"result_count":1`)
	l.wants(204, "POST", machines+"?action=remove_tags", given)
	l.has("50-2", backup)
	l.wants(204, "POST", machines+"?action=update_tags", given) // the trap
	l.has("50-2", protect)
	l.wants(204, "POST", "/policy/api/v1/infra/realized-state/virtual-machines/50-1/tags", `{"virtual_machine_id":"50-1","tags":[]}`) // and its twin
	l.has("50-1")
	if text := l.wants(200, "GET", machines+"?external_id=50-1", ""); strings.Contains(text, `"tags"`) {
		t.Errorf("a machine without tags has them: %s", text)
	}
	l.wants(200, "GET", "/policy/api/v1/infra/domains/default/groups/G/members/virtual-machines", "", `"display_name":"two"`, `"result_count":1`)
	l.wants(200, "GET", "/policy/api/v1/infra/domains/default/groups", "", `"value":"ds|protected"`)
	l.wants(404, "POST", machines+"?action=add_tags", `{"external_id":"50-7","tags":[]}`, "could not be found")
	l.wants(400, "POST", machines+"?action=set_tags", given)
	l.wants(400, "POST", machines+"?action=add_tags", "<xml/>")
	l.wants(404, "GET", "/api/2.0/services/securitytags/tag", "")
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf(`{"tag":"t%d"}`, i))
	}
	l.wants(400, "POST", machines+"?action=add_tags", `{"external_id":"50-2","tags":[`+strings.Join(many, ",")+`]}`, "30 tags")
	l.has("50-2", protect)
	want := []string{"ops|POST /api/v1/fabric/virtual-machines?action=add_tags " + given + "|true", "ops|GET /api/v1/fabric/virtual-machines?external_id=50-2|false"}
	if got := l.recorded[1:3]; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestTagsOfV(t *testing.T) {
	l := start(t, nsx.Config{Generation: nsx.V})
	const tags = "/api/2.0/services/securitytags/"
	l.wants(200, "GET", tags+"tag", "", "<securityTags>", "<objectId>securitytag-10</objectId>", "<name>DS-Protect</name>", "<vmCount>1</vmCount>", "<vmCount>2</vmCount>")
	l.wants(200, "PUT", tags+"tag/securitytag-10/vm/50-2", "")
	l.has("50-2", backup, protect)
	l.wants(200, "GET", tags+"tag/securitytag-10/vmDetail", "", "<attachedVMList><attachedVM><objectId>vm-17</objectId>", "<instanceUUID>50-2</instanceUUID><biosUUID>42-1</biosUUID>")
	l.wants(200, "GET", "/api/2.0/services/securitygroup/lookup/virtualmachine/vm-18", "", "<securityGroups><securityGroups><securitygroup>", "<name>G</name>")
	l.wants(200, "DELETE", tags+"tag/securitytag-10/vm/vm-18", "")
	l.has("50-2", backup)
	// a BIOS UUID means every clone
	l.wants(200, "POST", tags+"tag/securitytag-10/vm?action=detach", `<securityTagAssignment><tagParameter><key>bios_uuid</key><value>42-1</value></tagParameter></securityTagAssignment>`)
	l.has("50-1", backup)
	l.wants(200, "POST", tags+"tag/securitytag-10/vm?action=attach", `<securityTagAssignment><tagParameter><key>bios_uuid</key><value>42-1</value></tagParameter></securityTagAssignment>`)
	l.has("50-1", backup, protect)
	l.has("50-2", backup, protect)
	l.wants(200, "POST", tags+"vm/vm-18?action=CLEAR_ALL_TAGS", "")
	l.has("50-2")
	l.wants(200, "POST", tags+"vm/vm-18?action=ASSIGN_TAGS", `<securityTags><securityTag><objectId>securitytag-11</objectId></securityTag></securityTags>`)
	l.wants(200, "GET", tags+"vm/vm-18", "", "<name>backup</name>")
	l.wants(404, "PUT", tags+"tag/securitytag-99/vm/vm-18", "", "securitytag-99 could not be found")
	l.wants(404, "PUT", tags+"tag/securitytag-10/vm/vm-99", "", "vm-99 could not be found")
	l.wants(200, "GET", "/api/2.0/si/host/host-10/agents", "", "<fabricAgents><agent>", "<vmId>vm-9</vmId>", "<serviceStatus><status>UP</status>")
	l.wants(404, "GET", "/api/2.0/si/host/host-11/agents", "")
	l.wants(404, "GET", machines, "", "<error>")
}

// A reader sees a change late, the group follows later still.
func TestWhatIsWrittenIsReadLater(t *testing.T) {
	l := start(t, nsx.Config{Generation: nsx.T, ReadDelay: time.Hour, GroupDelay: 2 * time.Hour, Clock: clock.Clock{Speed: 36000}}) // 100 and 200 ms
	l.wants(204, "POST", machines+"?action=add_tags", `{"external_id":"50-2","tags":[{"scope":"ds","tag":"protected"}]}`)
	if text := l.wants(200, "GET", machines+"?external_id=50-2", ""); strings.Contains(text, "protected") {
		t.Errorf("it is read at once: %s", text)
	}
	if l.Member("50-2") {
		t.Error("the group follows at once")
	}
	for read := false; ; time.Sleep(5 * time.Millisecond) {
		_, text := l.do("GET", machines+"?external_id=50-2", "")
		if read = read || strings.Contains(text, "protected"); l.Member("50-2") {
			if !read {
				t.Error("the group followed before readers saw the tag")
			}
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("never")
		}
	}
	if !l.Lose("50-2") || l.Member("50-2") || l.Lose("50-7") {
		t.Error("a tag that was lost is lost at once")
	}
	if l.Clear(); !l.Member("50-1") {
		t.Error("after Clear")
	}
}

func TestPages(t *testing.T) {
	l := start(t, nsx.Config{Generation: nsx.T, Page: 2})
	var names []string
	for query := "?page_size=100"; query != ""; {
		var page struct {
			Results []struct {
				DisplayName string `json:"display_name"`
			}
			ResultCount int `json:"result_count"`
			Cursor      string
		}
		if err := json.Unmarshal([]byte(l.wants(200, "GET", machines+query, "")), &page); err != nil || page.ResultCount != 3 {
			t.Fatalf("%v: %+v", err, page)
		}
		for _, x := range page.Results {
			names = append(names, x.DisplayName)
		}
		if query = ""; page.Cursor != "" {
			query = "?cursor=" + url.QueryEscape(page.Cursor)
		}
	}
	if !slices.Equal(names, []string{"one", "two", "svm"}) {
		t.Errorf("the pages have %v", names)
	}
	l.wants(400, "GET", machines+"?cursor=nonsense", "")
}

func TestSessions(t *testing.T) {
	l := start(t, nsx.Config{Generation: nsx.T})
	login := func(password string) (status int, c *http.Cookie, token string) {
		form := url.Values{"j_username": {"ops"}, "j_password": {password}}
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+"/api/session/create", strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		for _, x := range response.Cookies() {
			c = x
		}
		return response.StatusCode, c, response.Header.Get("X-XSRF-TOKEN")
	}
	within := func(c *http.Cookie, token string) int {
		request, _ := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, l.url+machines, nil)
		request.AddCookie(c)
		request.Header.Set("X-XSRF-TOKEN", token)
		code, _ := l.send(request)
		return code
	}
	_, c, token := login("s3cret")
	if c == nil || within(c, token) != 200 || within(c, "forged") != 403 || l.Sessions() != 1 {
		t.Errorf("a session: %v, %d open", c, l.Sessions())
	}
	if l.EndSessions(); within(c, token) != 403 || l.Sessions() != 0 {
		t.Error("a session that has ended goes on")
	}
	for range 5 {
		if code, c, _ := login("wrong"); code != 403 || c != nil {
			t.Errorf("a wrong password: %d", code)
		}
	}
	if code, _, _ := login("s3cret"); code != 403 {
		t.Errorf("a locked account: %d", code)
	}
	if n, locked := l.WrongPasswords(); n != 5 || !locked {
		t.Errorf("%d wrong passwords, locked %v", n, locked)
	}
	if l.Clear(); within(&http.Cookie{Name: c.Name, Value: "x"}, "") != 403 {
		t.Error("nobody's session")
	}
	if code, _, _ := login("s3cret"); code != 200 {
		t.Errorf("after Clear: %d", code)
	}
	for _, line := range l.recorded {
		if strings.Contains(line, "wrong") || strings.Contains(line, "s3cret") || strings.HasSuffix(line, "true") {
			t.Errorf("recorded: %s", line)
		}
	}
}

func TestRefusals(t *testing.T) {
	for generation, status := range map[nsx.Generation]int{nsx.V: 401, nsx.T: 403} {
		l := start(t, nsx.Config{Generation: generation, MaxFailures: 2})
		path := map[nsx.Generation]string{nsx.V: "/api/2.0/services/securitytags/tag", nsx.T: machines}[generation]
		l.Busy(2)
		codes := []int{}
		for range 4 {
			code, _ := l.do("GET", path, "")
			codes = append(codes, code)
		}
		if !slices.Equal(codes, []int{200, 429, 200, 429}) {
			t.Errorf("busy: %v", codes)
		}
		l.Busy(0)
		l.password = "wrong"
		l.wants(status, "GET", path, "")
		l.wants(status, "GET", path, "")
		l.password = "s3cret"
		l.wants(status, "GET", path, "")
	}
}

func TestHealthOfT(t *testing.T) {
	health := nsx.Health{Deployed: true, Solution: true}
	l := start(t, nsx.Config{Generation: nsx.T, Health: func(string) nsx.Health { return health }})
	const instances = "/api/v1/serviceinsertion/services/service-dsva/service-instances"
	l.wants(200, "GET", "/api/v1/serviceinsertion/services", "", `"id":"service-dsva"`)
	l.wants(200, "GET", instances, "", `"id":"instance-cluster1"`)
	l.wants(200, "GET", instances+"/instance-cluster1/instance-runtimes", "", `"service_vm_id":"50-9"`, `"runtime_status":"RUNNING"`)
	l.wants(200, "GET", instances+"/instance-cluster1/instance-runtimes/runtime-host-10/health-status", "", `"solution_status":"UP"`, `"mux_connected_status":"DOWN"`, `"is_stale":false`)
	health.Deployed = false
	l.wants(200, "GET", instances+"/instance-cluster1/instance-runtimes/runtime-host-10/health-status", "", `"is_stale":true`)
	l.wants(404, "GET", instances+"/instance-cluster1/instance-runtimes/runtime-host-11/health-status", "")
}
