// Package vspheretest knows how to make govmomi's simulator into the vCenter of a test: with the machines that the
// test names, behind real TLS, with logins that are checked, sessions that expire, and calls that are counted.
package vspheretest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// User and Password are the only login.
const User, Password = "ops@vsphere.local", "s3cret"

// VM is a virtual machine; what is empty is as it is for a healthy one.
type VM struct {
	Name         string `json:"name"`
	UUID         string `json:"uuid"` // config.instanceUuid
	BIOSUUID     string `json:"bios_uuid"`
	Host         string `json:"host"`
	Power        string `json:"power"`
	Connection   string `json:"connection"`
	Guest        string `json:"guest"`         // guest.guestState
	Tools        string `json:"tools"`         // guest.toolsRunningStatus
	ToolsStatus  string `json:"tools_status"`  // guest.toolsStatus
	ToolsVersion string `json:"tools_version"` // guest.toolsVersionStatus2
	Address      string `json:"address"`
	HostName     string `json:"host_name"`
	Template     bool   `json:"template"`
}

// Host is an ESXi host.
type Host struct {
	Name        string `json:"name"`
	Connection  string `json:"connection"`
	Maintenance bool   `json:"maintenance"`
}

// Server is the vCenter.
type Server struct {
	Address     string // IP
	Port        int
	Fingerprint string // of its certificate
	Service     *simulator.Service

	mu    sync.Mutex
	calls map[string]int
	live  map[string]bool // session cookies
	dead  map[string]bool
	busy  int
}

// Start starts a vCenter that ends with the test.
func Start(t testing.TB, hosts []Host, vms []VM) *Server {
	t.Helper()
	model := simulator.VPX()
	model.Cluster, model.ClusterHost, model.Host, model.Machine = 1, len(hosts), 0, len(vms)
	model.Portgroup, model.Autostart = 0, false // each is a task of the simulator, which ends at a tick of 20 ms
	if err := model.Create(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Remove)
	model.Service.Listen = &url.URL{User: url.UserPassword(User, Password)}
	set(model, hosts, vms)
	inner := model.Service.NewServer()
	t.Cleanup(inner.Close)
	s := &Server{Service: model.Service, calls: map[string]int{}, live: map[string]bool{}, dead: map[string]bool{}}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: inner.URL.Scheme, Host: inner.URL.Host})
	front := httptest.NewTLSServer(s.door(proxy))
	t.Cleanup(front.Close)
	address, port, err := net.SplitHostPort(front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.Address = address
	s.Port, _ = strconv.Atoi(port)
	sum := sha256.Sum256(front.Certificate().Raw)
	s.Fingerprint = hex.EncodeToString(sum[:])
	return s
}

func set(model *simulator.Model, hosts []Host, vms []VM) {
	ctx := model.Service.Context
	refs := map[string]types.ManagedObjectReference{}
	for i, x := range sorted(ctx.Map.All("HostSystem")) {
		h := hosts[i]
		refs[h.Name] = x.Reference()
		ctx.Map.Update(ctx, x, []types.PropertyChange{
			{Name: "name", Val: h.Name},
			{Name: "runtime.connectionState", Val: types.HostSystemConnectionState(cmp.Or(h.Connection, "connected"))},
			{Name: "runtime.inMaintenanceMode", Val: h.Maintenance}})
	}
	for i, x := range sorted(ctx.Map.All("VirtualMachine")) {
		v := vms[i]
		host := refs[cmp.Or(v.Host, hosts[0].Name)]
		ctx.Map.Update(ctx, x, []types.PropertyChange{
			{Name: "name", Val: v.Name},
			{Name: "config.instanceUuid", Val: v.UUID}, {Name: "config.uuid", Val: v.BIOSUUID}, {Name: "config.template", Val: v.Template},
			{Name: "runtime.host", Val: &host},
			{Name: "runtime.powerState", Val: types.VirtualMachinePowerState(cmp.Or(v.Power, "poweredOn"))},
			{Name: "runtime.connectionState", Val: types.VirtualMachineConnectionState(cmp.Or(v.Connection, "connected"))},
			{Name: "guest.guestState", Val: cmp.Or(v.Guest, "running")}, {Name: "guest.toolsRunningStatus", Val: cmp.Or(v.Tools, "guestToolsRunning")},
			{Name: "guest.toolsStatus", Val: types.VirtualMachineToolsStatus(cmp.Or(v.ToolsStatus, "toolsOk"))},
			{Name: "guest.toolsVersionStatus2", Val: cmp.Or(v.ToolsVersion, "guestToolsCurrent")},
			{Name: "guest.ipAddress", Val: v.Address}, {Name: "guest.hostName", Val: v.HostName}})
	}
}

// sorted gives objects in the order in which they were created.
func sorted(all []mo.Entity) []mo.Entity {
	return slices.SortedFunc(slices.Values(all), func(a, b mo.Entity) int {
		x, y := a.Reference().Value, b.Reference().Value
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)) // vm-9 is older than vm-10
	})
}

var method = regexp.MustCompile(`Body>\s*<(\w+)`)

// door counts, refuses while busy, and takes dead sessions away.
func (s *Server) door(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if m := method.FindSubmatch(body); m != nil && !s.admit(string(m[1]), r) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) admit(call string, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[call]++
	if c, err := r.Cookie("vmware_soap_session"); err == nil {
		if s.dead[c.Value] {
			r.Header.Del("Cookie")
		}
		s.live[c.Value] = true
	}
	if s.busy > 0 {
		s.busy--
		return false
	}
	return true
}

// Calls is how often a method was called.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Expire ends all sessions that were seen.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.live {
		s.dead[c] = true
	}
}

// Busy makes the next n calls fail with 503, as while the services of a vCenter start.
func (s *Server) Busy(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = n
}

// Ref is the managed object id of a machine.
func (s *Server) Ref(t testing.TB, name string) string {
	t.Helper()
	for _, x := range s.Service.Context.Map.All("VirtualMachine") {
		if vm := x.(*simulator.VirtualMachine); vm.Name == name {
			return vm.Self.Value
		}
	}
	t.Fatalf("no machine %q", name)
	return ""
}
