package lang_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// TestSuiteIsWhole: every block, argument and function of the language stands in a good file and is what is wrong in a
// bad one: a mistake is marked on its lines.
func TestSuiteIsWhole(t *testing.T) {
	total := 0
	for _, dir := range []string{"good", "bad"} {
		names := files(t, "testdata/"+dir+"/*.hcl")
		total += len(names)
		s := suite{dir: dir, seen: map[string]bool{}}
		for _, name := range append(names, files(t, "testdata/"+dir+"/parts/*.hcl")...) {
			s.read(t, name)
		}
		missing := slices.DeleteFunc(wordsOfTheLanguage(), func(word string) bool {
			return s.seen[word]
		})
		if len(missing) > 0 {
			t.Errorf("testdata/%s has no case with %s", dir, strings.Join(missing, ", "))
		}
	}
	if total < 200 {
		t.Errorf("the suite has %d cases; it shall have 200", total)
	}
}

// wordsOfTheLanguage are "block", "block.argument", "outer/block" and "function()".
func wordsOfTheLanguage() []string {
	var words []string
	for _, b := range lang.Blocks() {
		words = append(words, b.Name)
		for _, a := range b.Args {
			words = append(words, b.Name+"."+a.Name)
		}
		for _, inner := range b.Blocks {
			words = append(words, b.Name+"/"+inner)
		}
	}
	for _, f := range decode.Describe() {
		words = append(words, f.Name+"()")
	}
	slices.Sort(words)
	return words
}

// suite collects the words that files use: all of them in good files, those with a mistake in bad ones.
type suite struct {
	dir   string
	seen  map[string]bool
	wrong []int // lines with a mistake in the file being read
}

// read adds the words of a file; of one that is no HCL, those that can be read.
func (s *suite) read(t *testing.T, name string) {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s.wrong = nil
	for _, m := range markers(name, string(src)) {
		if !m.warning {
			s.wrong = append(s.wrong, m.line)
		}
	}
	f, _ := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	body := f.Body.(*hclsyntax.Body)
	s.blocks("", body)
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok {
			s.add(call.Name+"()", call.Range())
		}
		return nil
	})
}

func (s *suite) blocks(outer string, body *hclsyntax.Body) {
	for name, a := range body.Attributes {
		s.add(outer+"."+name, a.Range())
	}
	for _, b := range body.Blocks {
		whole := hcl.RangeBetween(b.Range(), b.Body.Range())
		s.add(b.Type, whole)
		s.add(outer+"/"+b.Type, whole)
		s.blocks(b.Type, b.Body)
	}
}

func (s *suite) add(word string, r hcl.Range) {
	marked := slices.ContainsFunc(s.wrong, func(line int) bool { return r.Start.Line <= line && line <= r.End.Line })
	if s.dir == "good" || marked {
		s.seen[word] = true
	}
}

// TestChecksOfFunctions judges the checks of good/function-*.hcl: each says what its function gives.
func TestChecksOfFunctions(t *testing.T) {
	for _, name := range files(t, "testdata/good/function-*.hcl") {
		r := begin(t, name, options())
		for _, i := range r.program.Playbook().Items {
			if i.Check == nil {
				continue
			}
			if j, err := r.pass.Check(i.Check); err != nil || !j.OK {
				t.Errorf("%s: it does not hold (%v)", name, err)
			}
		}
	}
}
