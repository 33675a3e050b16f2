package format_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine/lang/format"
)

// FuzzSource: formatting changes spaces only, comments stay, and what was formatted is not changed by formatting it
// again. What is refused has a place.
func FuzzSource(f *testing.F) {
	names, err := filepath.Glob("../testdata/*/*.hcl")
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("a = 1 # one\n/* two */ b = <<-E\n   x ${ 1+1 } // no comment\n  E\n// three"))
	f.Fuzz(func(t *testing.T, src []byte) {
		out, problems := format.Source("f.hcl", src)
		if problems.Err() != nil {
			for _, p := range problems {
				if p.Range.Line < 1 || p.Range.Line > bytes.Count(src, []byte("\n"))+1 {
					t.Errorf("no such line: %+v", p)
				}
			}
			return
		}
		if before, after := tokens(t, src), tokens(t, out); !slices.Equal(before, after) {
			t.Errorf("it means something else:\n%q\n%q", before, after)
		}
		again, problems := format.Source("f.hcl", out)
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		if !bytes.Equal(again, out) {
			t.Errorf("formatted twice it looks different:\n%q\n%q", out, again)
		}
	})
}
