//go:build lab && linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab/wine"
	"github.com/dsplay/dsplay/engine/lab/wine/settings"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

const wineInventory = `
group "guests" {
  connection "winrm" {
    user     = "ops"
    password = secret("env:WINE_PASSWORD")
    https    = false
    port     = %s
  }
}
host "w1" {
  address = "%s"
  groups  = ["guests"]
}
`

// The same guest behind SSH.
const wineSSHInventory = `
group "guests" {
  connection "ssh" {
    user        = "ops"
    password    = secret("env:WINE_PASSWORD")
    port        = %s
    known_hosts = "%s"
  }
}
host "w1" {
  address = "%s"
  groups  = ["guests"]
}
`

const winePlaybook = `
play "driver" {
  hosts = group.guests
  probe "service" "before" { name = "vsepflt" }
  step "service" "driver" {
    name  = "vsepflt"
    state = "started"
  }
  step "service" "tools" {
    name  = "VMTools"
    state = "%s"
  }
}
`

// TestLabWineServices drives a service control manager and a kernel driver that are not ours: plan, run, run again, after a reboot.
func TestLabWineServices(t *testing.T) {
	dir := t.TempDir()
	template, err := wine.Prepare(t.Context(), dir)
	if err != nil {
		t.Fatal("this test needs Debian's wine, wine64 and gcc-mingw-w64-x86-64-win32: ", err)
	}
	g, err := template.Start(t.Context(), t.TempDir(), settings.Settings{Users: map[string]string{"ops": "s3cret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Off(context.Background()) }()
	t.Setenv("WINE_PASSWORD", "s3cret")
	address, port, _ := net.SplitHostPort(g.Addr())
	inventory := wineFile(t, dir, "inventory.hcl", fmt.Sprintf(wineInventory, port, address))
	started := wineFile(t, dir, "started.hcl", fmt.Sprintf(winePlaybook, "started"))
	stopped := wineFile(t, dir, "stopped.hcl", strings.Replace(fmt.Sprintf(winePlaybook, "stopped"), `"started"`, `"stopped"`, 1))
	expect := func(code int, words string, args ...string) {
		t.Helper()
		if o := process(t, append(args, "-i", inventory)...); o.code != code || !strings.Contains(o.String(), words) {
			t.Errorf("dsplay %s: exit %d, want %d and %q\n%s", strings.Join(args, " "), o.code, code, words, o)
		}
	}
	const nothing = "Nothing is to be changed."
	expect(0, nothing, "plan", started)
	expect(0, "sc.exe stop vsepflt", "plan", stopped)
	expect(0, "1 changed", "run", stopped, "--yes")
	expect(0, nothing, "plan", stopped)
	expect(0, "sc.exe start vsepflt", "plan", started)
	expect(0, "1 changed", "run", started, "--yes")
	expect(0, "0 changed", "run", started, "--yes")
	expect(0, "1 changed", "run", stopped, "--yes")
	if err := g.Off(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(4, "w1", "plan", started)
	if err := g.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(0, nothing, "plan", started) // both start with Windows
	sshAddr, key := g.SSH()
	address, port, _ = net.SplitHostPort(sshAddr)
	public, err := ssh.ParsePublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	known := wineFile(t, dir, "known_hosts", knownhosts.Line([]string{sshAddr}, public)+"\n")
	inventory = wineFile(t, dir, "ssh.hcl", fmt.Sprintf(wineSSHInventory, port, known, address))
	expect(0, nothing, "plan", started)
	expect(0, "sc.exe stop vsepflt", "run", stopped, "--yes")
	expect(0, "1 changed", "run", started, "--yes")
}

func wineFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
