package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/transport/dialer/proxytest"
)

// TestOneConnectionPerHost counts, on the way, the TCP connections of a run with several plays that plans and applies:
// every host gets one, whatever its transport, and the vCenter that a source of the inventory asks gets no second one.
// (A reboot, or requests at the same time, would rightly need more.)
func TestOneConnectionPerHost(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 2, Guests: 2})
	proxy, err := proxytest.Listen(proxytest.Options{SOCKS: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	block := regexp.MustCompile(`connection "(ssh|winrm|https)" \{`)
	text := read(t, filepath.Join(e.Dir(), "inventory.hcl"))
	inv := filepath.Join(t.TempDir(), "inventory.hcl")
	through := block.ReplaceAllString(text, "$0\n    proxy = \"socks5://"+proxy.Addr()+"\"")
	if err := os.WriteFile(inv, []byte(through), 0o600); err != nil {
		t.Fatal(err)
	}
	var book strings.Builder
	for i := range 4 {
		fmt.Fprintf(&book, `play "p%d" {
  hosts = concat(group.esxi, group.dsva, group.guests)
  probe "ds_computer" "seen" {
    on        = "dsm1"
    bios_uuid = "421e1137-5c49-56e4-246d-9bf7637e69f5"
  }
  probe "vm" "vm" {
    on   = "vc1"
    uuid = "50000000-0000-0000-0000-000000000001"
  }
  step "shell" "look" {
    text = "echo %d"
  }
}
`, i, i)
	}
	file := filepath.Join(t.TempDir(), "reuse.hcl")
	if err := os.WriteFile(file, []byte(book.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	o := process(t, "run", file, "-i", inv, "--yes", "--parallel", "1")
	if o.code != 0 {
		t.Fatalf("exit %d\n%s", o.code, o)
	}
	count := map[string]int{}
	for _, target := range proxy.Asked() {
		count[target]++
	}
	if len(count) != 2+2+4+2 {
		t.Errorf("connections to %d systems, want 10: %v", len(count), count)
	}
	for target, n := range count {
		if n != 1 {
			t.Errorf("%d connections to %s, want 1", n, target)
		}
	}
}
