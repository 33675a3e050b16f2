package lab

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// call asks the NSX manager as its user, past the network.
func (l *Lab) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.SetBasicAuth(nsxUser, l.keys.nsx)
	w := httptest.NewRecorder()
	l.nsx.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// tag gives a guest a tag of NSX-T.
func (l *Lab) tag(t *testing.T, machine, scope, name string) {
	t.Helper()
	g := l.names[machine].(*guest)
	body := `{"external_id":"` + g.uuid + `","tags":[{"scope":"` + scope + `","tag":"` + name + `"}]}`
	if code, text := l.call(t, "POST", "/api/v1/fabric/virtual-machines?action=add_tags", body); code != http.StatusNoContent {
		t.Fatalf("add_tags: %d %s", code, text)
	}
}

func TestTheGroupFollowsTheTag(t *testing.T) {
	l := start(t, Options{ESXi: 1, Guests: 2, Speed: 300}) // the group follows after 100 ms
	l.mustInject(t, "tag-missing", "guest1-1")
	for guest, want := range map[string]string{"guest1-1": EngineUnprotected, "guest1-2": EngineOnline} {
		if got := l.engine(t, guest); got != want {
			t.Errorf("%s is %s, want %s", guest, got, want)
		}
	}
	id := l.names["guest1-1"].(*guest).id
	if c, _ := l.dsm.Computer(id); !c.Outside {
		t.Error("the DSM calls it protected")
	}
	l.tag(t, "guest1-1", "deepsecurity", "protected")
	if got := l.engine(t, "guest1-1"); got != EngineUnprotected {
		t.Errorf("at once it is %s", got)
	}
	eventually(t, "the group following", func() bool { return l.engine(t, "guest1-1") == EngineOnline })
	eventually(t, "the DSM hearing of it", func() bool { c, _ := l.dsm.Computer(id); return !c.Outside })
	g, _ := l.World().Guest("guest1-1")
	if !slices.Equal(g.Tags, []string{"backup|daily", "deepsecurity|protected"}) {
		t.Errorf("its tags are %v", g.Tags)
	}
	if err := l.Inject("tag-missing", "esx1"); err == nil {
		t.Error("an ESXi host loses its tag")
	}
}

func TestOtherNSX(t *testing.T) {
	v := start(t, Options{ESXi: 1, Guests: 1, Speed: fast, NSX: "v"})
	inventory, err := os.ReadFile(filepath.Join(v.Dir(), "inventory.hcl"))
	if err != nil || !strings.Contains(string(inventory), `kind     = "nsx"`) || v.World().ESXi[0].MuxService != "vShield-Endpoint-Mux" {
		t.Errorf("NSX-V: %v\n%s", err, inventory)
	}
	v.mustInject(t, "tag-missing", "guest1-1")
	if code, text := v.call(t, "PUT", "/api/2.0/services/securitytags/tag/securitytag-10/vm/"+v.guests[0].uuid, ""); code != http.StatusOK {
		t.Errorf("attach: %d %s", code, text)
	}
	eventually(t, "the group following", func() bool { return v.engine(t, "guest1-1") == EngineOnline })
	mutating := 0
	for _, r := range v.Received() {
		if r.Kind == "nsx" && r.Host == nsxName && r.User == nsxUser && r.Mutates {
			mutating++
		}
	}
	if mutating != 1 {
		t.Errorf("%d changes are written down: %+v", mutating, v.Received())
	}
	none := start(t, Options{ESXi: 1, Guests: 2, Speed: slow, NSX: "none", Twins: true})
	inventory, err = os.ReadFile(filepath.Join(none.Dir(), "inventory.hcl"))
	if err != nil || strings.Contains(string(inventory), "nsx") || none.engine(t, "guest1-1") != EngineOnline {
		t.Errorf("no NSX: %v\n%s", err, inventory)
	}
	if err := none.Inject("tag-missing", "guest1-1"); err == nil || !strings.Contains(err.Error(), "no NSX manager") {
		t.Errorf("tag-missing without NSX: %v", err)
	}
	if w := none.World(); w.Guests[0].BIOSUUID != w.Guests[1].BIOSUUID || w.NSX.Generation != "none" {
		t.Errorf("the twins: %+v", w)
	}
	for _, o := range []Options{{NSX: "x"}, {NSX: "t", NSXV: true}} {
		o.Dir = t.TempDir()
		if _, err := Start(t.Context(), o); err == nil {
			t.Errorf("a lab with %+v", o)
		}
	}
}
