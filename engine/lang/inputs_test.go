package lang_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine/lang"
)

// TestVariables shows what a playbook wants to be given, and that it needs no values for that.
func TestVariables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "play.hcl")
	if err := os.WriteFile(path, []byte(takes), 0o600); err != nil {
		t.Fatal(err)
	}
	vars, problems := lang.Variables(path, given("count", "3"))
	if problems.Err() == nil {
		t.Error("nobody said that text has no value")
	}
	i := slices.IndexFunc(vars, func(v lang.Variable) bool { return v.Name == "object" })
	if len(vars) != 7 || i != 4 {
		t.Fatalf("%+v", vars)
	}
	if v := vars[i]; v.Type != `object({ a = number, b = optional(string, "z") })` || v.Value != `{a = 1, b = "z"}` || v.Origin != "its default" {
		t.Errorf("%+v", v)
	}
	if v := vars[0]; !v.Missing || v.Value != "" {
		t.Errorf("%+v", v)
	}
	if v := vars[1]; v.Value != "3" || v.Origin != "--var count" {
		t.Errorf("%+v", v)
	}
}
