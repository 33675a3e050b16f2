package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
)

// FuzzLoad: whatever stands in a file, loading it ends with a program or with problems that have a place in the file;
// and what was loaded can be evaluated, as a plan and as a run, without a panic.
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
		lang.KindOf(path, []byte(src))
		o := options()
		program, problems := lang.Load(path, o)
		for _, p := range problems {
			if why := misplaced(p, path, src); why != "" {
				t.Errorf("%s: %+v", why, p)
			}
		}
		_, more := lang.Variables(path, options())
		for _, p := range more {
			if why := misplaced(p, path, src); why != "" {
				t.Errorf("%s: %+v", why, p)
			}
		}
		if program == nil {
			if problems.Err() == nil {
				t.Fatal("no program, and no problem")
			}
			return
		}
		if problems.Err() != nil {
			t.Fatal("a program, and a mistake in it")
		}
		program.Graph()
		for _, plan := range []bool{true, false} {
			r := &runner{t: t, program: program, inv: o.Inventory, pass: program.Pass(o.Inventory, runVars)}
			w := &whole{runner: r, plan: plan, report: func(string, error) {}}
			w.run("vm1")
		}
	})
}

// misplaced says what is wrong with the place of a problem, or "".
func misplaced(p engine.Problem, path, src string) string {
	if p.Summary == "" {
		return "no summary"
	}
	if p.Range.File != path {
		return "" // of an included file
	}
	lines := strings.Split(src, "\n")
	switch r := p.Range; {
	case r.Line == 0 && r.Col == 0: // of the file as a whole
	case r.Line < 1 || r.Line > len(lines):
		return "no such line"
	case r.Col < 1 || r.Col > 3*len(lines[r.Line-1])+2: // HCL counts letters, of what is no UTF-8 others than we
		return "no such column"
	case r.EndLine < r.Line || r.EndLine > len(lines)+1 || r.EndLine == r.Line && r.EndCol < r.Col:
		return "it ends before it begins, or after the file"
	}
	return ""
}
