package nsx_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab/clock"
	lab "github.com/dsplay/dsplay/engine/lab/nsx"
	"github.com/dsplay/dsplay/modules/moduletest"
	"github.com/dsplay/dsplay/modules/nsx"
)

// manager is the lab's, which was written apart from the client, behind real TLS.
type manager struct {
	*lab.Manager
	server     *httptest.Server
	kind       string
	membership lab.Tag

	mu      sync.Mutex
	health  lab.Health
	changes []string
	asked   int
}

const labGuests = 5

func guestUUID(i int) string { return "50000000-0000-0000-0000-00000000000" + strconv.Itoa(i) }

// labManager has a host with an appliance and five guests with a tag for backups, the first two with one BIOS UUID. Guest 1 has
// no membership. Reads are a lab second late, the group three; 50 lab seconds are a real one.
func labManager(t *testing.T, g lab.Generation) *manager {
	t.Helper()
	m := &manager{health: lab.Health{Deployed: true, Solution: true, Mux: true}, kind: map[lab.Generation]string{lab.V: "nsx", lab.T: "nsxt"}[g], membership: lab.Tag{Scope: "ds", Name: "protected"}}
	backup := lab.Tag{Scope: "backup", Name: "daily"}
	if g == lab.V {
		m.membership.Scope, backup.Scope = "", ""
	}
	cfg := lab.Config{Generation: g, User: "ops", Password: "pw", Membership: m.membership, Group: "G", Defined: []lab.Tag{backup}, Page: 2,
		Hosts: []lab.Host{{Ref: "host-10", ID: "node-1", Name: "esx1", SVM: "59"}}, VMs: []lab.VM{{Ref: "vm-9", Name: "dsva1", InstanceUUID: "59", BIOSUUID: "49", Service: true}},
		Clock: clock.Clock{Speed: 50}, ReadDelay: time.Second, GroupDelay: 3 * time.Second,
		Health: func(string) lab.Health {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.health
		},
		Record: func(_, text string, mutates bool) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.asked++; mutates {
				m.changes = append(m.changes, text)
			}
		}}
	for i := range labGuests {
		vm := lab.VM{Ref: "vm-" + strconv.Itoa(20+i), Name: "guest" + strconv.Itoa(i), InstanceUUID: guestUUID(i), BIOSUUID: "42" + strconv.Itoa(max(i, 1)), Tags: []lab.Tag{backup}}
		if i != 1 {
			vm.Tags = append(vm.Tags, m.membership)
		}
		cfg.VMs = append(cfg.VMs, vm)
	}
	m.Manager = lab.New(cfg)
	m.server = httptest.NewTLSServer(m.Manager)
	t.Cleanup(m.server.Close)
	t.Cleanup(func() {
		if n := m.Sessions(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	return m
}

func (m *manager) sent() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.changes)
}

// instance is a module for a guest.
func (m *manager) instance(t *testing.T, args map[string]any) any {
	t.Helper()
	all := map[string]any{"tag": m.membership.Name, "scope": m.membership.Scope}
	maps.Copy(all, args)
	return moduletest.New(t, nsx.Tag(), all)
}

func both(t *testing.T, f func(t *testing.T, m *manager)) {
	for _, g := range []lab.Generation{lab.V, lab.T} {
		t.Run(string(g), func(t *testing.T) { f(t, labManager(t, g)) })
	}
}

// The step adds what is missing by the one request of the plan, and takes nothing away; then there is nothing to do.
func TestStepOnTheLab(t *testing.T) {
	both(t, func(t *testing.T, m *manager) {
		h := dial(t, m.server, m.kind, "pw")
		instance := m.instance(t, map[string]any{"uuid": guestUUID(1), "group": "G"})
		diff, err := instance.(engine.Checker).Check(t.Context(), h)
		if err != nil || len(diff.Commands) != 1 || len(m.sent()) != 0 {
			t.Fatalf("%+v %v, sent %q", diff, err, m.sent())
		}
		m.EndSessions() // while somebody read the plan
		m.Busy(5)
		result, err := instance.(engine.Applier).Apply(t.Context(), h, diff)
		m.Busy(0)
		if err != nil {
			t.Fatal(err)
		}
		if r := result.(nsx.Tagged); !r.Tagged || r.Member == nil || !*r.Member || len(r.Tags) != 2 || !m.Member(guestUUID(1)) {
			t.Errorf("%+v; its tags are %v", r, m.Tags(guestUUID(1)))
		}
		sent := slices.Compact(m.sent()) // one that was answered 429 or came in a dead session was not done, and comes again
		if !slices.Equal(sent, diff.Commands) {
			t.Errorf("sent %q, the plan says %q", sent, diff.Commands)
		}
		h.Forget()
		if diff, err := instance.(engine.Checker).Check(t.Context(), h); err != nil || !diff.Empty() || diff.Note == "" {
			t.Errorf("afterwards %+v, %v", diff, err)
		}
		if n := len(m.Tags(guestUUID(2))); n != 2 {
			t.Errorf("another guest has %d tags", n)
		}
	})
}

// What the plan did not say is not sent.
func TestStepSendsOnlyWhatWasPlanned(t *testing.T) {
	both(t, func(t *testing.T, m *manager) {
		h := dial(t, m.server, m.kind, "pw")
		instance := m.instance(t, map[string]any{"uuid": guestUUID(1)})
		_, err := instance.(engine.Applier).Apply(t.Context(), h, engine.Diff{Commands: []string{"PUT /something/else"}})
		if err == nil || !strings.Contains(err.Error(), "the plan does not say so") || len(m.sent()) != 0 {
			t.Errorf("%v, sent %q", err, m.sent())
		}
	})
}

func TestClonesOnTheLab(t *testing.T) {
	both(t, func(t *testing.T, m *manager) {
		h := dial(t, m.server, m.kind, "pw")
		got, err := m.instance(t, map[string]any{"bios_uuid": "421"}).(engine.Prober).Probe(t.Context(), h)
		if err != nil || got.(nsx.Tagged).Found {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := m.instance(t, map[string]any{"bios_uuid": "421"}).(engine.Checker).Check(t.Context(), h); err == nil || len(m.sent()) != 0 {
			t.Errorf("a step on a clone: %v, sent %q", err, m.sent())
		}
	})
}

// However many guests are asked for: the tags are read once.
func TestManyProbesAreOnePass(t *testing.T) {
	both(t, func(t *testing.T, m *manager) {
		h := dial(t, m.server, m.kind, "pw")
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				got, err := m.instance(t, map[string]any{"uuid": guestUUID(i % labGuests)}).(engine.Prober).Probe(t.Context(), h)
				if err != nil || got.(nsx.Tagged).Tagged != (i%labGuests != 1) {
					t.Errorf("guest%d: %+v %v", i%labGuests, got, err)
				}
			})
		}
		wg.Wait()
		if m.asked > 4 { // V: login, tags, two lists of guests; T: login, three pages
			t.Errorf("%d requests for 40 probes", m.asked)
		}
	})
}

// A wrong password is sent once, whatever is asked and how often; so no account is locked.
func TestAWrongPasswordIsTriedOnce(t *testing.T) {
	both(t, func(t *testing.T, m *manager) {
		h := dial(t, m.server, m.kind, "wrong")
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 5 {
					_, err := m.instance(t, map[string]any{"uuid": guestUUID(1)}).(engine.Prober).Probe(t.Context(), h)
					if engine.KindOf(err) != engine.KindAuth || engine.HintOf(err) == "" {
						t.Errorf("%v (%s)", err, engine.HintOf(err))
					}
				}
			})
		}
		wg.Wait()
		if n, locked := m.WrongPasswords(); n != 1 || locked {
			t.Errorf("%d wrong passwords, locked %v", n, locked)
		}
	})
}

// A manager without sessions takes HTTP Basic.
func TestWithoutSessions(t *testing.T) {
	m := labManager(t, lab.T)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/session/") {
			http.NotFound(w, r)
			return
		}
		m.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	h := dial(t, server, "nsxt", "pw")
	got, err := m.instance(t, map[string]any{"uuid": guestUUID(2)}).(engine.Prober).Probe(t.Context(), h)
	if err != nil || !got.(nsx.Tagged).Tagged {
		t.Errorf("%+v, %v", got, err)
	}
	wrong := dial(t, server, "nsxt", "wrong")
	for range 3 {
		if _, err := m.instance(t, map[string]any{"uuid": guestUUID(2)}).(engine.Prober).Probe(t.Context(), wrong); engine.KindOf(err) != engine.KindAuth {
			t.Errorf("a wrong password: %v", err)
		}
	}
	if n, _ := m.WrongPasswords(); n != 1 {
		t.Errorf("%d wrong passwords", n)
	}
}

// A manager that is gone is no manager without tags.
func TestAManagerThatIsGone(t *testing.T) {
	m := labManager(t, lab.V)
	h := dial(t, m.server, m.kind, "pw")
	m.server.Close()
	_, err := m.instance(t, map[string]any{"uuid": guestUUID(1)}).(engine.Prober).Probe(t.Context(), h)
	var e *engine.Error
	if !errors.As(err, &e) || !e.Unreachable || e.Host != "nsx1" {
		t.Errorf("%+v", err)
	}
}

// NSX-V warns where NSX-T says what is down; both say that an appliance is off, each in its way.
func TestHealthOnTheLab(t *testing.T) {
	both(t, func(t *testing.T, m *manager) {
		for _, c := range []struct {
			health lab.Health
			v, t   string
		}{
			{lab.Health{Deployed: true, Solution: true, Mux: true}, "up", "up"},
			{lab.Health{Deployed: true, Solution: true}, "degraded", "down"},
			{lab.Health{Deployed: true, Mux: true}, "degraded", "down"},
			{lab.Health{}, "down", "unknown"},
		} {
			m.mu.Lock()
			m.health = c.health
			m.mu.Unlock()
			h := dial(t, m.server, m.kind, "pw")
			instance := moduletest.New(t, nsx.Health(), map[string]any{"esxi": "esx1", "ref": "host-10"})
			got, err := instance.(engine.Prober).Probe(t.Context(), h)
			want := map[string]string{"nsx": c.v, "nsxt": c.t}[m.kind]
			if err != nil || !got.(nsx.Introspection).Found || got.(nsx.Introspection).State != want || len(got.(nsx.Introspection).Appliances) != 1 {
				t.Errorf("%+v: %+v %v, want %s", c.health, got, err, want)
			}
		}
		if sent := m.sent(); len(sent) != 0 {
			t.Errorf("a probe sent %q", sent)
		}
	})
}
