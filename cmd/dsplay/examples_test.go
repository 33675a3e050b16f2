package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// examples are the playbooks that docs/from-ansible.md shows, seen from the root of the repository, where process works.
const examples = "docs/examples/from-ansible"

// ofDsplay finds the text of each block of HCL in a page.
var ofDsplay = regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$")

// Every playbook beside the page is valid against the inventory beside it, without a doubt either.
func TestExamplesAreValid(t *testing.T) {
	t.Setenv("DSVA_SUDO", "any")
	for _, playbook := range []string{"restart-in-halves", "command-where-needed", "ladder", "what-others-say", "password"} {
		t.Run(playbook, func(t *testing.T) {
			got := process(t, "validate", filepath.Join(examples, playbook+".hcl"), "-i", filepath.Join(examples, "inventory.hcl"))
			if got.code != 0 || strings.Contains(got.stdout+got.stderr, "warning") {
				t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
			}
		})
	}
}

// What the page shows is what was validated, and every file is shown: the reader of one has read the other.
func TestExamplesAreThoseOfThePage(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "from-ansible.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, examples, "*.hcl"))
	if err != nil || len(files) != 6 {
		t.Fatalf("%d files, want five playbooks and an inventory: %v", len(files), err)
	}
	shown := map[string]bool{}
	for _, snippet := range ofDsplay.FindAllStringSubmatch(string(page), -1) {
		name := holder(t, files, snippet[1])
		if name == "" {
			t.Errorf("in no file:\n%s", snippet[1])
		}
		shown[name] = true
	}
	for _, file := range files {
		if !shown[file] {
			t.Errorf("%s: nothing of it is in the page", file)
		}
	}
}

// holder is the file that holds the text as it is, or "".
func holder(t *testing.T, files []string, text string) string {
	t.Helper()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), text) {
			return file
		}
	}
	return ""
}
