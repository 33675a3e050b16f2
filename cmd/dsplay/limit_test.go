package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A --limit that names nobody ($HOSTS is not set, a group is empty) must not mean everybody.
func TestLimitToNobodyIsNoRun(t *testing.T) {
	dir := t.TempDir()
	made := filepath.Join(dir, "made")
	for name, text := range map[string]string{
		"inv.hcl": `group "none" {}`,
		"p.hcl": `play "p" {
  hosts = ["localhost"]
  step "shell" "make" {
    text = "touch ` + made + `"
  }
}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []string{"", "none"} {
		o := process(t, "run", filepath.Join(dir, "p.hcl"), "-i", filepath.Join(dir, "inv.hcl"), "--yes", "--limit", limit)
		if o.code != exitUsage {
			t.Errorf("--limit %q: exit %d, want %d\n%s", limit, o.code, exitUsage, o)
		}
		if _, err := os.Stat(made); err == nil {
			t.Fatalf("--limit %q acted on every host", limit)
		}
	}
}
