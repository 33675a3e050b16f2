package moduletest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each runs a test for each file that fits pattern, which begins with "testdata/": it holds a C as JSON. No file, a field that
// C does not have, and a case that does not say why it exists ("why") are failures, and so are fewer than least files. edit
// changes the text before it is read.
func Each[C any](t *testing.T, pattern string, least int, run func(t *testing.T, c *C), edit ...func(string) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.FromSlash(pattern))
	if err != nil || len(files) < least || len(files) == 0 {
		t.Fatalf("%s: %d cases, want at least %d, %v", pattern, len(files), least, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			for _, f := range edit {
				text = f(text)
			}
			var reason struct{ Why string }
			c := new(C)
			d := json.NewDecoder(strings.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(c); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(text), &reason); err != nil || reason.Why == "" {
				t.Fatalf("the case does not say why it exists; %v", err)
			}
			run(t, c)
		})
	}
}
