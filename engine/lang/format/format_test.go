package format_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine/lang/format"
)

// tokens are what a text means: everything but spaces.
func tokens(t *testing.T, src []byte) []string {
	t.Helper()
	all, diags := hclsyntax.LexConfig(src, "x", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var out []string
	for _, token := range all {
		out = append(out, token.Type.String()+string(token.Bytes))
	}
	return out
}

// TestMeaningStays formats every HCL file of the source tree whose syntax is right.
func TestMeaningStays(t *testing.T) {
	files := 0
	err := filepath.WalkDir(filepath.Join("..", "..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".hcl" {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		out, problems := format.Source(path, src)
		if problems.Err() != nil {
			return nil // a broken example, for the loader's tests
		}
		files++
		if !slices.Equal(tokens(t, src), tokens(t, out)) {
			t.Errorf("%s means something else when it is formatted", path)
		}
		if again, _ := format.Source(path, out); !bytes.Equal(again, out) {
			t.Errorf("%s: formatted twice it looks different", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 5 {
		t.Errorf("only %d files were formatted", files)
	}
}

func TestSyntaxErrorHasAPlace(t *testing.T) {
	out, problems := format.Source("p.hcl", []byte("play \"p\" {\n  hosts = [\n}\n"))
	if out != nil || problems.Err() == nil {
		t.Fatalf("%q, %v", out, problems)
	}
	if text := problems.Error(); !strings.HasPrefix(text, "p.hcl:") || problems[0].Range.Line == 0 {
		t.Errorf("no place in: %s", text)
	}
}
