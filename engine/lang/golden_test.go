package lang_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/scenario"
	"github.com/dsplay/dsplay/engine/rehearse"
	"github.com/dsplay/dsplay/inventory"
	"github.com/zclconf/go-cty/cty"
)

var update = flag.Bool("update", false, "write the .golden files of testdata/good anew")

// TestGolden plans and runs every good case, and compares what happened with the .golden file beside it: what a case
// means, so that a change of semantics is seen in a diff. What modules answer is said by CASE.test.hcl beside it, a file
// of tests whose expectations hold, too; where it says nothing, or is not there, every module answers with true, 1, "x",
// empty lists and maps, and null where a result may be null, and every step is done and succeeds.
func TestGolden(t *testing.T) {
	t.Setenv("NOBODY_SETS_THIS", "but this test")
	for _, name := range files(t, "testdata/good/*.hcl") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			got := ""
			for _, test := range scenarios(t, name) {
				got += rehearsed(t, name, test)
			}
			if strings.Contains(got, "but this test") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			golden(t, strings.TrimSuffix(name, ".hcl")+".golden", got)
		})
	}
}

// golden compares text with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./engine/lang -run TestGolden -update, and read it", err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it anew; look at the diff):\n%s", path, rehearse.Difference(string(want), got))
	}
}

// scenarios are the tests of CASE.test.hcl, or one that says nothing.
func scenarios(t *testing.T, name string) []*scenario.Test {
	t.Helper()
	beside := strings.TrimSuffix(name, ".hcl") + scenario.Suffix
	src, err := os.ReadFile(beside)
	if err != nil {
		src = []byte("test \"\" {\n  expect {}\n}\n")
	}
	path := filepath.Join(t.TempDir(), filepath.Base(beside))
	if err := os.WriteFile(path, []byte(string(src)+answers(string(src))), 0o600); err != nil {
		t.Fatal(err)
	}
	f, problems := scenario.Load(path, testModules())
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	return f.Tests
}

// answers are mocks of all modules for which src has none.
func answers(src string) string {
	text := ""
	add := func(kind string, m engine.Module) {
		head := fmt.Sprintf("mock %q %q {", kind, m.Name)
		if strings.Contains("\n"+src, "\n"+head) {
			return
		}
		text += head + "\n"
		if fields := engine.Fields(m.Result); len(fields) > 0 || kind == "probe" {
			text += "  result = {\n"
			for _, f := range fields {
				if !f.Optional {
					text += fmt.Sprintf("    %s = %s\n", f.Name, invented(f.Type))
				}
			}
			text += "  }\n"
		}
		text += "}\n"
	}
	for _, m := range testModules() {
		if _, ok := m.New().(engine.Prober); ok {
			add("probe", m)
		}
		if _, ok := m.New().(engine.Applier); ok {
			add("step", m)
		}
	}
	return text
}

func invented(t cty.Type) string {
	switch {
	case t == cty.Bool:
		return "true"
	case t == cty.Number:
		return "1"
	case t == cty.String:
		return `"x"`
	case t.IsMapType():
		return "{}"
	}
	return "[]"
}

// rehearsed plans and runs a case and tells what happened.
func rehearsed(t *testing.T, name string, test *scenario.Test) string {
	t.Helper()
	o := options()
	o.Vars = test.Variables()
	if path, bodies := test.Inventory(); path != "" || bodies != nil {
		m, problems := inventory.Of(bodies, []engine.File{test.Source()}, filepath.Dir(name), inventory.Options{})
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		o.Inventory = m.Inventory()
	}
	program, problems := lang.Load(name, o)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	var told telling
	out, err := rehearse.Rehearsal{Test: test, Program: program, Inventory: o.Inventory, Also: &told}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if out.Problems != nil {
		t.Fatal(out.Problems)
	}
	if test.Name != "" { // else nobody said what to expect
		for _, f := range out.Failures {
			t.Errorf("%s: %s", test.Name, f)
		}
	}
	return told.text(test.Name, out)
}
