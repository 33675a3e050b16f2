package vsphere_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere"
	"github.com/dsplay/dsplay/engine/api/vsphere/vspheretest"
	"github.com/dsplay/dsplay/engine/lab/vcenter"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/https/httpstest"
)

// agent is an ESXi host on which somebody else is faster: what it is asked to start runs by then.
type agent struct {
	mu      sync.Mutex
	running bool
}

func (a *agent) Services() []vcenter.Service {
	a.mu.Lock()
	defer a.mu.Unlock()
	return []vcenter.Service{{Key: "TSM-SSH", Label: "SSH", Running: a.running, Policy: "off"}, {Key: "DCUI", Running: true, Policy: "on", Required: true}}
}

func (a *agent) Start(string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running = true
	return vcenter.ErrState
}

func (a *agent) Stop(string) error                  { return vcenter.ErrNoService }
func (a *agent) Restart(string) error               { return errors.New("hostd does not answer") }
func (a *agent) SetPolicy(string, string) error     { return nil }
func (a *agent) Exceptions() []string               { return []string{"ops"} }
func (a *agent) SetLockdown(types.HostLockdownMode) {}

func TestServices(t *testing.T) {
	v, err := vcenter.New(vcenter.Config{User: vspheretest.User, Password: vspheretest.Password, Hosts: []string{"esx1"}, Agent: func(string) vcenter.Agent { return &agent{} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	server := httptest.NewTLSServer(v)
	t.Cleanup(server.Close)
	api := httpstest.Open(t, server, "vc1", func(s *https.Settings) {
		s.Kind, s.User, s.Password = "vsphere", vspheretest.User, engine.Plain(vspheretest.Password)
	})
	estate := fetch(t, api)
	found := estate.FindHosts("", "esx1")
	if len(found) != 1 || len(estate.FindHosts("", "esx9")) != 0 || len(estate.FindHosts(found[0].Ref, "another")) != 1 || len(estate.FindHosts("", "")) != 0 {
		t.Fatalf("%+v", estate.Hosts)
	}
	services, err := vsphere.ServicesOf(t.Context(), api, found[0])
	if err != nil || len(services.List) != 2 || services.List[0].Key != "DCUI" || !services.List[0].Required {
		t.Fatalf("%+v, %v", services, err)
	}
	if _, err := services.Starting("TSM-SSH").Do(t.Context(), api); err != nil {
		t.Errorf("start what runs: %v", err)
	}
	for _, r := range []vsphere.Request{services.Stopping("TSM-SSH"), services.Restarting("TSM-SSH")} {
		if _, err := r.Do(t.Context(), api); engine.KindOf(err) != engine.KindModule || !strings.Contains(err.Error(), r.String()) || engine.HintOf(err) == "" {
			t.Errorf("%s: %v (%s)", r, err, engine.HintOf(err))
		}
	}
	v.SetLockdown("esx1", types.HostLockdownModeLockdownStrict)
	if l, err := vsphere.LockdownOf(t.Context(), api, found[0]); err != nil || l.Mode != "lockdownStrict" || !l.On() || !l.Known || len(l.Exceptions) != 1 {
		t.Errorf("%+v, %v", l, err)
	}
}
