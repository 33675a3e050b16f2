package deepsecurity_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/dsm"
	"github.com/dsplay/dsplay/modules/deepsecurity"
	"github.com/dsplay/dsplay/modules/moduletest"
)

// The lab's manager was written by somebody else from the same facts: what both sides agree on is more than what
// one of them believes.
func TestLabManager(t *testing.T) {
	const one, two, three, off = "42000000-0000-0000-0000-000000000001", "42000000-0000-0000-0000-000000000002",
		"42000000-0000-0000-0000-000000000003", "42000000-0000-0000-0000-000000000004"
	for _, c := range []struct {
		api      string
		japanese bool
		noREST   bool
		asleep   string // the list of the guest in standby
	}{{"rest", false, false, "offline"}, {"rest", true, false, "offline"}, {"soap", false, false, "off"}, {"soap", true, true, "off"}} {
		m := dsm.New(dsm.Config{APIKey: "key", Users: map[string]string{"api": "pw"}, Japanese: c.japanese, NoREST: c.noREST}, []dsm.Computer{
			{ID: 5, Kind: dsm.ESX, Name: "esx1"}, {ID: 7, Kind: dsm.Appliance, Name: "dsva1", Display: "dsva1", ESXi: 5, BIOSUUID: "42000000-0000-0000-0000-000000000009"},
			{ID: 101, Kind: dsm.VM, Name: "one", Display: "one", BIOSUUID: one, Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.On},
			{ID: 102, Kind: dsm.VM, Name: "two", Display: "two", BIOSUUID: two, Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.On},
			{ID: 103, Kind: dsm.VM, Name: "three", Display: "three", BIOSUUID: three, Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.Standby},
			{ID: 104, Kind: dsm.VM, Name: "off", Display: "off", BIOSUUID: off, Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.Off},
		})
		m.Heartbeat(7, map[int]bool{101: true, 102: false, 103: false}, time.Now().Add(-time.Minute))
		server := httptest.NewTLSServer(m)
		t.Cleanup(server.Close)
		h := moduletest.OnAPI("dsm1", connect(t, server, c.api))
		uuids := []string{one, two, three, off, "42000000-0000-0000-0000-000000000009"}
		got := ask(t, h, uuids)
		want := deepsecurity.Guests{Online: []string{"one"}, Offline: []string{"two"}, Off: []string{"off"}}
		if c.asleep == "off" {
			want.Off = []string{"off", "three"}
		} else {
			want.Offline = []string{"three", "two"}
		}
		if !slices.Equal(got.Online, want.Online) || !slices.Equal(got.Offline, want.Offline) || !slices.Equal(got.Off, want.Off) || len(got.Unknown) > 0 {
			t.Errorf("%+v: %+v", c, got)
		}
		m.Freeze(2 * time.Hour) // it goes on showing what it heard then
		h.Forget()
		if got := ask(t, h, uuids); len(got.Online) != 0 || !slices.Equal(got.Unknown, []string{"one"}) || !slices.Equal(got.Offline, want.Offline) {
			t.Errorf("%+v, frozen: %+v", c, got)
		}
	}
}

func ask(t *testing.T, h *moduletest.APIHost, uuids []string) deepsecurity.Guests {
	t.Helper()
	instance := moduletest.New(t, deepsecurity.Computers(), map[string]any{"bios_uuids": uuids})
	got, err := instance.(engine.Prober).Probe(context.WithoutCancel(t.Context()), h)
	if err != nil {
		t.Fatal(err)
	}
	return got.(deepsecurity.Guests)
}

// To both APIs a guest that has left the group of NSX is one that nobody protects: not offline.
func TestAGuestOutsideTheGroup(t *testing.T) {
	const one, two = "42000000-0000-0000-0000-000000000001", "42000000-0000-0000-0000-000000000002"
	for _, api := range []string{"rest", "soap"} {
		m := dsm.New(dsm.Config{APIKey: "key", Users: map[string]string{"api": "pw"}}, []dsm.Computer{
			{ID: 5, Kind: dsm.ESX, Name: "esx1"}, {ID: 7, Kind: dsm.Appliance, Name: "dsva1", Display: "dsva1", ESXi: 5, BIOSUUID: "42000000-0000-0000-0000-000000000009"},
			{ID: 101, Kind: dsm.VM, Name: "one", Display: "one", BIOSUUID: one, Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.On},
			{ID: 102, Kind: dsm.VM, Name: "two", Display: "two", BIOSUUID: two, Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.On},
		})
		m.Heartbeat(7, map[int]bool{101: true, 102: true}, time.Now())
		server := httptest.NewTLSServer(m)
		t.Cleanup(server.Close)
		h := moduletest.OnAPI("dsm1", connect(t, server, api))
		m.SetMember(101, false)
		if got := ask(t, h, []string{one, two}); !slices.Equal(got.Unsupported, []string{"one"}) || !slices.Equal(got.Online, []string{"two"}) {
			t.Errorf("%s: %+v", api, got)
		}
		m.SetMember(101, true)
		h.Forget()
		if got := ask(t, h, []string{one, two}); !slices.Equal(got.Online, []string{"one", "two"}) {
			t.Errorf("%s, back in the group: %+v", api, got)
		}
	}
}

// A request that the plan does not show is not sent, be it one or a job.
func TestOnlyWhatWasPlanned(t *testing.T) {
	const one = "42000000-0000-0000-0000-000000000001"
	for _, api := range []string{"rest", "soap"} {
		m := dsm.New(dsm.Config{APIKey: "key", Users: map[string]string{"api": "pw"}}, []dsm.Computer{
			{ID: 5, Kind: dsm.ESX, Name: "esx1"}, {ID: 7, Kind: dsm.Appliance, Name: "dsva1", Display: "dsva1", ESXi: 5, BIOSUUID: "42000000-0000-0000-0000-000000000009"},
			{ID: 101, Kind: dsm.VM, Name: "one", Display: "one", BIOSUUID: one, Agentless: true, ESXi: 5, Appliance: 7, Power: dsm.On},
		})
		var mu sync.Mutex
		var changing []string
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			text := r.Method + " " + r.URL.Path + " " + string(body)
			for _, word := range []string{"POST /api/scheduledtasks", "POST /api/systemsettings", "hostUpdateNow", "systemSettingSet"} {
				if strings.Contains(text, word) {
					mu.Lock()
					changing = append(changing, text)
					mu.Unlock()
				}
			}
			m.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		h := moduletest.OnAPI("dsm1", connect(t, server, api))
		for _, step := range []any{
			moduletest.New(t, deepsecurity.SendPolicy(), map[string]any{"bios_uuid": one}),
			moduletest.New(t, deepsecurity.UpdateSource(), map[string]any{"url": "https://mirror.example/iau"}),
		} {
			diff, err := step.(engine.Checker).Check(t.Context(), h)
			if err != nil || len(diff.Commands) == 0 {
				t.Fatalf("%s: %+v %v", api, diff, err)
			}
			_, err = step.(engine.Applier).Apply(t.Context(), h, engine.Diff{Commands: []string{"something else"}})
			if err == nil || !strings.Contains(err.Error(), "the plan does not say so") {
				t.Errorf("%s: %s: %v", api, diff.Commands[0], err)
			}
		}
		mu.Lock()
		if len(changing) != 0 {
			t.Errorf("%s: sent %q", api, changing)
		}
		mu.Unlock()
	}
}
