package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// missingTag is a playbook around the part that ships.
const missingTag = `
play "tags" {
  hosts = group.guests
  include "parts/membership-tag.hcl" "tag" {
    when  = self.nsx_tag != null
    nsx   = self.nsx
    uuid  = self.uuid
    tag   = self.nsx_tag.name
    scope = self.nsx_tag.scope
    group = self.nsx_tag.group
  }
}
play "hosts" {
  hosts = group.esxi
  probe "nsx_health" "introspection" {
    on   = self.nsx
    esxi = self.name
    ref  = self.esxi_ref
  }
  check "introspection" {
    condition     = probe.introspection.state == "up"
    error_message = "NSX: ${probe.introspection.message}"
  }
}
`

// A guest that has lost its tag gets it back, by the one request that the plan shows, and its engine comes back. Nobody else is
// touched, not even the guest that never had the tag; and the second time there is nothing to do.
func TestMissingTag(t *testing.T) {
	t.Parallel()
	for _, generation := range []string{"v", "t"} {
		t.Run(generation, func(t *testing.T) {
			e := newEstate(t, lab.Options{NSX: generation, ESXi: 2, Guests: 4, Static: generation == "v"})
			dir := t.TempDir()
			part := read(t, filepath.Join("..", "..", "playbooks", "parts", "membership-tag.hcl"))
			if err := os.Mkdir(filepath.Join(dir, "parts"), 0o700); err != nil {
				t.Fatal(err)
			}
			book := filepath.Join(dir, "tags.hcl")
			for file, text := range map[string]string{book: missingTag, filepath.Join(dir, "parts", "membership-tag.hcl"): part} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			e.inject(lab.Fault{Name: "tag-missing", Target: "guest1-2"})
			before, _ := e.World().Guest("guest1-2")
			planned := e.dsplay("plan", book)
			if planned.code != exitOK || before.Engine != lab.EngineUnprotected {
				t.Fatalf("engine %s, exit %d\n%s", before.Engine, planned.code, planned)
			}
			if o := e.dsplay("run", book, "--yes"); o.code != 0 {
				t.Fatalf("exit %d\n%s", o.code, o)
			}
			var sent []string
			for _, r := range e.Received() {
				if r.Mutates {
					sent = append(sent, r.Text)
				}
			}
			if len(sent) != 1 || !strings.Contains(planned.String(), sent[0]) {
				t.Errorf("sent %q, which is not what the plan shows:\n%s", sent, planned)
			}
			w := e.World()
			if g, _ := w.Guest("guest1-2"); g.Engine != lab.EngineOnline || len(g.Tags) != 2 || slices.Equal(g.Tags, before.Tags) {
				t.Errorf("%+v", g)
			}
			if g, _ := w.Guest("guest2-4"); g.Engine != lab.EngineAgent || len(g.Tags) != 1 {
				t.Errorf("the guest with an agent of its own: %+v", g)
			}
			if w.NSX.WrongPasswords != 0 || w.NSX.Sessions != 0 {
				t.Errorf("%+v", w.NSX)
			}
			if o := e.dsplay("run", book, "--yes"); o.code != 0 || len(e.Received()) == 0 {
				t.Errorf("once more: exit %d\n%s", o.code, o)
			}
			e.inject(lab.Fault{Name: "mux-stopped", Target: "esx2"})
			if o := e.dsplay("run", book, "--yes"); o.code == 0 || !strings.Contains(o.String(), "NSX: ") {
				t.Errorf("a Mux that is stopped: exit %d\n%s", o.code, o)
			}
			count := 0
			for _, r := range e.Received() {
				if r.Mutates {
					count++
				}
			}
			if count != 1 {
				t.Errorf("%d changes in all", count)
			}
		})
	}
}
