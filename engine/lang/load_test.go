package lang_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/scenario"
)

func options() lang.Options {
	return lang.Options{Modules: testModules(), Inventory: testInventory(), Secrets: &engine.Secrets{}}
}

// marker is what a file under testdata expects on a line.
type marker struct {
	file    string // its base name
	line    int
	warning bool
	text    string
}

func (m marker) meets(p engine.Problem) bool {
	return filepath.Base(p.Range.File) == m.file && p.Range.Line == m.line && p.Warning == m.warning && strings.Contains(p.Summary+": "+p.Detail, m.text)
}

// markers reads "# ERROR: text" and "# WARNING: text"; a line may have several. On a line of its own a marker counts
// for the line above.
func markers(name, src string) []marker {
	var out []marker
	last := 0
	for i, line := range strings.Split(src, "\n") {
		before, rest, found := strings.Cut(line, "# ")
		if strings.TrimSpace(before) != "" || !found {
			last = i + 1
		}
		for _, part := range strings.Split(rest, "# ") {
			if text, ok := strings.CutPrefix(part, "ERROR: "); ok {
				out = append(out, marker{filepath.Base(name), last, false, strings.TrimSpace(text)})
			}
			if text, ok := strings.CutPrefix(part, "WARNING: "); ok {
				out = append(out, marker{filepath.Base(name), last, true, strings.TrimSpace(text)})
			}
		}
	}
	return out
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, scenario.Suffix) })
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return names
}

// TestBad loads files with mistakes: every marked one must be found on its line, and nothing else.
func TestBad(t *testing.T) {
	for _, name := range files(t, "testdata/bad/*.hcl") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			expected := append(markers(name, string(src)), partMarkers(t, name)...)
			if len(expected) == 0 {
				t.Fatal("no marker in the file")
			}
			program, problems := lang.Load(name, options())
			if (program == nil) != (problems.Err() != nil) {
				t.Errorf("program %v, error %v", program, problems.Err())
			}
			if err := compare(expected, problems); err != nil {
				t.Error(err)
			}
			for _, p := range problems {
				if p.Source == "" && p.Range.Line > 0 || p.Range.Col < 1 {
					t.Errorf("no source line: %v", p)
				}
			}
		})
	}
}

// partMarkers are those of the files that a case includes: parts/CASE-*.hcl.
func partMarkers(t *testing.T, name string) []marker {
	t.Helper()
	parts, err := filepath.Glob(filepath.Join(filepath.Dir(name), "parts", strings.TrimSuffix(filepath.Base(name), ".hcl")+"-*.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []marker
	for _, part := range parts {
		src, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, markers(part, string(src))...)
	}
	return out
}

func compare(expected []marker, problems engine.Problems) error {
	var wrong []string
	left := slices.Clone(problems)
	for _, m := range expected {
		i := slices.IndexFunc(left, m.meets)
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("line %d: %q was not found", m.line, m.text))
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, p := range left {
		wrong = append(wrong, "not expected: "+p.String())
	}
	if wrong != nil {
		return fmt.Errorf("%s", strings.Join(wrong, "\n"))
	}
	return nil
}

// TestGood loads files without mistakes; only marked warnings may come.
func TestGood(t *testing.T) {
	for _, name := range files(t, "testdata/good/*.hcl") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			program, problems := lang.Load(name, options())
			if err := compare(markers(name, string(src)), problems); err != nil {
				t.Fatal(err)
			}
			if got := program.Playbook().Path; got != name {
				t.Errorf("path %q", got)
			}
			without := options()
			without.Inventory = nil
			if _, problems := lang.Load(name, without); problems.Err() != nil {
				t.Errorf("without an inventory: %v", problems)
			}
		})
	}
}
