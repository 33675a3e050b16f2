package inventory_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/transport/https"
	"github.com/dsplay/dsplay/engine/transport/local"
	"github.com/dsplay/dsplay/engine/transport/ssh"
	"github.com/dsplay/dsplay/engine/transport/winrm"
	"github.com/dsplay/dsplay/inventory"
)

// The example is what users copy, so it must load with the real transports.
func TestExample(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("DSVA_SUDO", "hunter2")
	if err := os.Mkdir(filepath.Join(home, ".secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ops", "vcenter", "dsm", "web2"} {
		if err := os.WriteFile(filepath.Join(home, ".secrets", name), []byte("secret of "+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, problems := inventory.Load("examples/engine-offline", inventory.Options{Secrets: &engine.Secrets{}, Transports: map[string]engine.Transport{
		"ssh": ssh.New(), "winrm": winrm.New(), "https": https.Transport{}, "local": local.Transport{}}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	inv := m.Inventory()
	old := inv.Hosts["dsva2"]
	if s := old.Connection.Settings.(*ssh.Settings); s.User != "dsva" || !s.Legacy || old.Sudo.Password.Reveal() != "hunter2" {
		t.Errorf("dsva2: %+v", s)
	}
	if s := inv.Hosts["web2"].Connection.Settings.(*winrm.Settings); s.User != "Administrator" || s.Password.Reveal() != "secret of web2" {
		t.Errorf("web2: %+v", s)
	}
	if !slices.Equal(inv.Groups["dsva"], []string{"dsva1", "dsva2"}) {
		t.Errorf("group dsva: %v", inv.Groups["dsva"])
	}
	for _, guest := range inv.Groups["guests"] { // what the playbook for offline engines reads of a guest
		for _, attr := range []string{"vcenter", "dsm", "uuid", "bios_uuid", "esxi"} {
			if v, ok := inv.Hosts[guest].Attrs[attr]; !ok || v.Type() != cty.String {
				t.Errorf("%s has no %s", guest, attr)
			}
		}
	}
}
