package lang_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// TestManual: the manual names every word and every function of the language.
func TestManual(t *testing.T) {
	text, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	inCode := map[string]bool{}
	for _, code := range regexp.MustCompile("(?s)```.*?```|`[^`\n]*`").FindAllString(string(text), -1) {
		for _, word := range regexp.MustCompile(`[a-z][a-z0-9_]*`).FindAllString(code, -1) {
			inCode[word] = true
		}
	}
	words := append(lang.Words(), slices.Collect(maps.Keys(decode.Functions(decode.FunctionOptions{})))...)
	for _, w := range slices.Compact(slices.Sorted(slices.Values(words))) {
		if !inCode[w] {
			t.Errorf("docs/language.md does not name %s", w)
		}
	}
}
