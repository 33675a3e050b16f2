package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine/lang/decode"
)

// The reference pages are the code's own.
func TestReferencePagesAreMadeFromTheCode(t *testing.T) {
	var modules, functions strings.Builder
	modulesPage(&modules, (&app{}).wires().modules)
	functionsPage(&functions, decode.Describe())
	for _, page := range []struct{ file, command, want string }{
		{"modules.md", "doc --markdown", modules.String()},
		{"functions.md", "doc functions --markdown", functions.String()},
	} {
		got, err := os.ReadFile(filepath.Join("..", "..", "docs", page.file))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != page.want {
			t.Errorf("docs/%s is not what the code says; make it anew: go run ./cmd/dsplay %s > docs/%s", page.file, page.command, page.file)
		}
	}
}

// TestDocOfAConnection: whoever wants to know of ssh need not know that it is a connection.
func TestDocOfAConnection(t *testing.T) {
	for _, word := range []string{"ssh", "winrm", "vsphere"} {
		var out strings.Builder
		if err := (&app{out: &out}).docWord(word); err != nil || !strings.Contains(out.String(), strconv.Quote(word)) || !strings.Contains(out.String(), "Arguments") {
			t.Errorf("%s: %v\n%s", word, err, out.String())
		}
	}
	if err := (&app{out: io.Discard}).docWord("sssh"); err == nil || !strings.Contains(err.Error(), `Did you mean "ssh"?`) {
		t.Errorf("%v", err)
	}
}

// TestDocWordsAreUnambiguous: no module is called like a block, and neither like another word of doc.
func TestDocWordsAreUnambiguous(t *testing.T) {
	words := append((&app{}).words(), functionsWord, connectionWord, sourceWord)
	slices.Sort(words)
	if unique := slices.Compact(slices.Clone(words)); len(unique) != len(words) {
		t.Errorf("a word has two meanings: %v", words)
	}
}
