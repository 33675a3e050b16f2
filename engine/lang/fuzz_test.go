package lang_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dsplay/dsplay/engine/lang"
)

// FuzzLoad: whatever stands in a file, loading it ends with a program or with problems that have a place; and what was
// loaded can be evaluated without a panic.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.hcl", "testdata/bad/*.hcl"} {
		for _, name := range files(f, pattern) {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(src))
		}
	}
	path := filepath.Join(f.TempDir(), "fuzz.hcl")
	f.Fuzz(func(t *testing.T, src string) {
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		o := options()
		program, problems := lang.Load(path, o)
		if program == nil {
			if problems.Err() == nil {
				t.Fatal("no program, and no problem")
			}
			return
		}
		r := &runner{t: t, program: program, inv: o.Inventory, pass: program.Pass(o.Inventory, runVars)}
		w := &whole{runner: r, report: func(string, error) {}}
		w.run("vm1")
	})
}
