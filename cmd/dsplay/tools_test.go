package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
)

// toolsBook is a playbook around the part that ships, for the guests that lack the feature.
const toolsBook = `
play "tools" {
  hosts = var.guests
  probe "vmware_tools" "before" {}
  include "parts/tools-media.hcl" "tools" {
    when     = probe.before.installed
    vcenter  = self.vcenter
    uuid     = self.uuid
    features = ["VMCI", "FileIntrospection"]
    patience = "100ms"
  }
  check "state" {
    condition     = include.tools.outcome == var.outcome
    error_message = "it ended as ${include.tools.outcome}"
  }
}
variable "guests" {
  type        = list(string)
  description = "which"
}
variable "outcome" {
  type        = string
  default     = "done"
  description = "how it is to end"
}
`

// writeBook puts a playbook beside the parts that ship.
func writeBook(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "parts"), os.DirFS(filepath.Join("..", "..", "playbooks", "parts"))); err != nil {
		t.Fatal(err)
	}
	book := filepath.Join(dir, "book.hcl")
	if err := os.WriteFile(book, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return book
}

func TestToolsFromTheImage(t *testing.T) {
	e := newEstate(t, lab.Options{ESXi: 1, Guests: 3, Everyone: true, NoToolsMedia: true})
	book := writeBook(t, toolsBook)
	e.inject(lab.Fault{Name: "tools-without-introspection", Target: "guest1-1"})
	o := e.dsplay("run", book, "--yes", "--var", `guests=["guest1-1"]`)
	e.ended(o, exitOK)
	e.healthy()
}
