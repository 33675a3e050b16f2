package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The reference page is the code's own: go run ./cmd/dsplay doc --markdown > docs/modules.md
func TestModulesPageIsMadeFromTheCode(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "modules.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	modulesPage(&want, (&app{}).wires().modules)
	if string(page) != want.String() {
		t.Error("docs/modules.md is not what the code says; make it anew: go run ./cmd/dsplay doc --markdown > docs/modules.md")
	}
}
