package lang

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// around is a playbook with a hole in one block, in which nothing but the hole is: what the loader says of a word that
// it does not know there tells what it knows, and what it misses tells what it needs.
var around = map[string]string{
	"playbook":   "playbook {\n%\n}",
	"variable":   "variable \"v\" {\n%\n}",
	"validation": "variable \"v\" {\n validation {\n%\n}\n}",
	"check":      "play \"p\" {\n hosts = []\n check \"c\" {\n%\n}\n}",
	"play":       "play \"p\" {\n%\n}",
	"recover":    "play \"p\" {\n hosts = []\n recover \"r\" {\n%\n}\n}",
	"goal":       "play \"p\" {\n hosts = []\n recover \"r\" {\n goal {\n%\n}\n}\n}",
	"attempt":    "play \"p\" {\n hosts = []\n recover \"r\" {\n attempt \"a\" {\n%\n}\n}\n}",
	"block":      "play \"p\" {\n hosts = []\n block \"b\" {\n%\n}\n}",
	"rescue":     "play \"p\" {\n hosts = []\n block \"b\" {\n rescue {\n%\n}\n}\n}",
	"finally":    "play \"p\" {\n hosts = []\n block \"b\" {\n finally {\n%\n}\n}\n}",
	"retry":      "play \"p\" {\n hosts = []\n probe \"m\" \"n\" {\n retry {\n%\n}\n}\n}",
}

// TestBlocksAreThoseOfTheLoader: the table that dsplay doc prints and what the loader takes are the same.
func TestBlocksAreThoseOfTheLoader(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range Blocks() {
		seen[b.Name] = true
		var args, required []string
		for _, a := range b.Args {
			args = append(args, a.Name)
			if a.Required {
				required = append(required, a.Name)
			}
			if a.Doc == "" || a.Type == "" {
				t.Errorf("%s.%s: type or sentence is missing in Blocks", b.Name, a.Name)
			}
		}
		if b.Doc == "" || !strings.HasPrefix(b.Usage, b.Name) {
			t.Errorf("%s: its sentence is missing in Blocks, or its usage is wrong: %q", b.Name, b.Usage)
		}
		wantArgs, wantBlocks, wantRequired := taken(t, b.Name)
		same(t, b.Name+": arguments", args, wantArgs)
		same(t, b.Name+": blocks", b.Blocks, wantBlocks)
		same(t, b.Name+": required arguments", required, wantRequired)
	}
	for name := range around {
		if !seen[name] {
			t.Errorf("%s is missing in Blocks", name)
		}
	}
	for _, b := range Blocks() {
		for _, inner := range b.Blocks {
			if !seen[inner] {
				t.Errorf("%s may stand in %s, but is missing in Blocks", inner, b.Name)
			}
		}
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: Blocks has %v, the loader takes %v: bring blocks.go into line", what, got, want)
	}
}

// taken asks the loader what a block may hold.
func taken(t *testing.T, block string) (args, blocks, required []string) {
	switch block {
	case "probe":
		for _, name := range metaAttrs {
			src := fmt.Sprintf("play \"p\" {\n hosts = []\n probe \"m\" \"n\" {\n  %s = true\n }\n}", name)
			if !strings.Contains(problemsOf(t, src), "Not allowed here") {
				args = append(args, name)
			}
		}
		return args, metaBlocks, nil
	case "step":
		return metaAttrs, metaBlocks, nil
	case "sudo":
		return ownNames(reflect.TypeFor[sudoArgs]()), nil, nil
	case "locals":
		return nil, nil, nil
	case "include":
		return includeAttrs, nil, nil
	case "input":
		return inputAttrs, nil, nil
	case "output":
		return outputAttrs, nil, []string{"value"}
	}
	src, ok := around[block]
	if !ok {
		t.Errorf("%s: the test does not know how to ask the loader", block)
		return nil, nil, nil
	}
	text := problemsOf(t, strings.Replace(src, "%", "zzzzqqqq = 1\nzzzzqqqq {}", 1))
	known := func(kind string) []string {
		m := regexp.MustCompile(`There is no ` + kind + ` "zzzzqqqq" [^.]*\.( Known are: ([^.]*)\.)?`).FindStringSubmatch(text)
		if m == nil {
			t.Errorf("%s: the loader does not mind an unknown %s: %s", block, kind, text)
			return nil
		}
		if m[2] == "" {
			return nil
		}
		return strings.Split(m[2], ", ")
	}
	for _, m := range regexp.MustCompile(`: error: Missing argument[^:]*?`+block+` needs the argument "(\w+)"`).FindAllStringSubmatch(text, -1) {
		required = append(required, m[1])
	}
	return known("argument"), known("block"), required
}

func problemsOf(t *testing.T, src string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.hcl")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems := Load(path, Options{})
	return problems.Error()
}
