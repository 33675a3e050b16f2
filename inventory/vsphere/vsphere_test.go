package vsphere_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/api/vsphere/vspheretest"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/inventory"
	"github.com/dsplay/dsplay/inventory/vsphere"
)

var (
	hosts = []vspheretest.Host{{Name: "esx1.corp.example"}, {Name: "esx2.corp.example", Maintenance: true}, {Name: "esx3.corp.example"}}
	vms   = []vspheretest.VM{
		{Name: "guest1", UUID: "50000000-0000-0000-0000-000000000001", BIOSUUID: "42000000-0000-0000-0000-000000000001", Host: "esx1.corp.example", Address: "198.51.100.1", HostName: "guest1.corp.example"},
		{Name: "guest2", UUID: "50000000-0000-0000-0000-000000000002", Host: "esx2.corp.example", Address: "fe80::1", HostName: "guest2.corp.example", Power: "suspended"},
		{Name: "web", UUID: "50000000-0000-0000-0000-000000000003"},
		{Name: "web", UUID: "50000000-0000-0000-0000-000000000004"},
		{Name: "image", Template: true},
		{Name: "Trend Micro Deep Security (1)", Host: "esx1.corp.example"},
		{Name: "Trend Micro Deep Security (2)", Host: "esx2.corp.example", Power: "poweredOff"},
		{Name: "Trend Micro Deep Security (3)", Host: "esx2.corp.example"},
		{Name: "a%2fb", Host: "esx3.corp.example"},
	}
)

// resolve loads an inventory with a source of these arguments, and asks the vCenter.
func resolve(t *testing.T, s *vspheretest.Server, arguments string) (*engine.Inventory, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "inventory.hcl")
	text := fmt.Sprintf(`
group "guests" {}
group "esxi" {}
group "dsva" {}
host "vc1" {
  address = %q
  connection "https" {
    kind        = "vsphere"
    port        = %d
    user        = %q
    password    = %q
    fingerprint = %q
  }
}
source "vsphere" "vc1" {
  from = "vc1"
  %s
}`, s.Address, s.Port, vspheretest.User, vspheretest.Password, s.Fingerprint, arguments)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	model, problems := inventory.Load(file, inventory.Options{
		Transports: map[string]engine.Transport{"https": https.Transport{}}, Sources: map[string]inventory.Source{"vsphere": vsphere.Source{}}})
	if problems.Err() != nil {
		return nil, problems
	}
	inv, problems := model.Resolve(t.Context(), func(ctx context.Context, h *engine.Host) (engine.Conn, error) {
		conn, err := https.Transport{}.Open(ctx, h)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
		return conn, err
	})
	return inv, problems.Err()
}

// attrs writes what a host is: "NAME@ADDRESS [groups] a=1 b=2", attributes in the order asked for.
func shown(h *engine.Host, names ...string) string {
	if h == nil {
		return "no such host"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s@%s %v", h.Name, h.Address, h.Groups)
	for _, name := range names {
		if v, ok := h.Attrs[name]; ok {
			fmt.Fprintf(&b, " %s=%#v", name, v)
		}
	}
	return strings.NewReplacer(`cty.StringVal("`, "", `")`, "", "cty.", "").Replace(b.String())
}

func TestFindsGuestsHostsAndAppliances(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	inv, err := resolve(t, s, `
  appliance = "^Trend Micro Deep Security"
  groups    = { guests = "guests", esxi = "esxi", appliances = "dsva" }`)
	if err != nil {
		t.Fatal(err)
	}
	vmAttrs := []string{"uuid", "bios_uuid", "power", "guest_state", "tools_status", "esxi", "vm"}
	hostAttrs := []string{"connection_state", "maintenance", "dsva"}
	for _, c := range []struct {
		name, want string
		attrs      []string
	}{
		{"guest1", "guest1@198.51.100.1 [guests] uuid=50000000-0000-0000-0000-000000000001 bios_uuid=42000000-0000-0000-0000-000000000001 power=poweredOn guest_state=running tools_status=toolsOk esxi=esx1.corp.example vm=" + s.Ref(t, "guest1"), vmAttrs},
		{"guest2", "guest2@guest2.corp.example [guests] power=suspended", []string{"power"}},
		{"a/b", "a/b@a/b [guests] esxi=esx3.corp.example", []string{"esxi"}},
		{"image", "no such host", nil},
		{"web", "no such host", nil},
		{"esx1.corp.example", "esx1.corp.example@esx1.corp.example [esxi] connection_state=connected maintenance=False dsva=Trend Micro Deep Security (1)", hostAttrs},
		{"esx2.corp.example", "esx2.corp.example@esx2.corp.example [esxi] maintenance=True dsva=Trend Micro Deep Security (3)", hostAttrs[1:]},
		{"esx3.corp.example", "esx3.corp.example@esx3.corp.example [esxi]", hostAttrs[2:]},
		{"Trend Micro Deep Security (2)", "Trend Micro Deep Security (2)@Trend Micro Deep Security (2) [dsva] esxi=esx2.corp.example", []string{"esxi"}},
	} {
		if got := shown(inv.Hosts[c.name], c.attrs...); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	webs := 0
	for name := range inv.Hosts {
		if strings.HasPrefix(name, "web-vm-") {
			webs++
		}
	}
	if webs != 2 {
		t.Errorf("%d of two machines of the same name: %v", webs, inv.Names())
	}
	if v := inv.Hosts["esx1.corp.example"].Attrs["version"]; v.IsNull() || v.AsString() == "" {
		t.Error("no version")
	}
}

func TestAppliancesWrittenByHandAndGuestsChosen(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	inv, err := resolve(t, s, `
  guests = "^guest"
  dsva   = "dsva-{short}"
  groups = { guests = "guests" }`)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(inv.Names(), " "); got != "esx1.corp.example esx2.corp.example esx3.corp.example guest1 guest2 vc1" {
		t.Error(got)
	}
	if got := shown(inv.Hosts["esx2.corp.example"], "dsva"); got != "esx2.corp.example@esx2.corp.example [] dsva=dsva-esx2" {
		t.Error(got)
	}
}

func TestSettings(t *testing.T) {
	for arg, s := range map[string]vsphere.Settings{
		"appliance": {Appliance: "("},
		"guests":    {Guests: "["},
		"groups":    {Groups: map[string]string{"guest": "guests"}},
		"dsva":      {DSVA: "dsva1"},
	} {
		var bad engine.BadArg
		if err := s.Validate(); !errors.As(err, &bad) || bad.Arg != arg {
			t.Errorf("%s: %v", arg, err)
		}
	}
	if err := (&vsphere.Settings{From: "vc1", Appliance: "^dsva", DSVA: "dsva-{esxi}", Groups: map[string]string{"esxi": "x"}}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestFailuresNameTheVCenter(t *testing.T) {
	s := vspheretest.Start(t, hosts, vms)
	settings := &vsphere.Settings{From: "vc1"}
	_, err := vsphere.Source{}.Fetch(t.Context(), settings, func(context.Context, string) (engine.Conn, error) { return notAPI{}, nil })
	if engine.HostOf(err) != "vc1" || engine.HintOf(err) == "" {
		t.Errorf("no API: %v", err)
	}
	_, err = vsphere.Source{}.Fetch(t.Context(), settings, func(ctx context.Context, name string) (engine.Conn, error) {
		wrong := https.Transport{}.Settings().(*https.Settings)
		wrong.Kind, wrong.Port, wrong.Fingerprint, wrong.User, wrong.Password = "vsphere", s.Port, s.Fingerprint, vspheretest.User, engine.Plain("wrong")
		conn, err := https.Transport{}.Open(ctx, &engine.Host{Name: name, Address: s.Address, Connection: engine.Connection{Type: "https", Settings: wrong}})
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
		return conn, err
	})
	if engine.HostOf(err) != "vc1" || engine.KindOf(err) != engine.KindAuth {
		t.Errorf("wrong password: %v", err)
	}
}

type notAPI struct{}

func (notAPI) Identity() string { return "none" }
func (notAPI) Close() error     { return nil }
