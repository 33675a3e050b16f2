package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// FileKind is what an HCL file is for.
type FileKind string

// The kinds of files that a tree of playbooks holds.
const (
	FilePlaybook  FileKind = "playbook"
	FileInventory FileKind = "inventory"
	FileVars      FileKind = "variables" // NAME.vars.hcl, or arguments only
	FilePart      FileKind = "part"      // entries to include
	FileTest      FileKind = "test"      // NAME.test.hcl
	FilePolicy    FileKind = "policy"
	FileNotify    FileKind = "notify" // who is told of runs
)

// blockKinds tells a file by the blocks that it has at file level. Entries stand there in parts only.
var blockKinds = map[string]FileKind{
	"play": FilePlaybook, "playbook": FilePlaybook, "variable": FilePlaybook,
	"group": FileInventory, "host": FileInventory, "source": FileInventory,
	"input": FilePart, "output": FilePart, "probe": FilePart, "step": FilePart, "recover": FilePart, "include": FilePart, "block": FilePart,
	"policy": FilePolicy, "notify": FileNotify, "scenario": FileTest,
}

// KindOf tells what a file is for, by its name and the blocks in it. A text that says nothing of itself, or cannot be
// parsed that far, is taken for a playbook: loading it tells what is wrong.
func KindOf(path string, src []byte) FileKind {
	switch {
	case strings.HasSuffix(path, ".test.hcl"):
		return FileTest
	case strings.HasSuffix(path, ".vars.hcl"):
		return FileVars
	}
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	if file == nil {
		return FilePlaybook
	}
	body := file.Body.(*hclsyntax.Body)
	for _, b := range body.Blocks {
		if kind := blockKinds[b.Type]; kind != "" {
			return kind
		}
	}
	if len(body.Blocks) == 0 && len(body.Attributes) > 0 && !diags.HasErrors() {
		return FileVars
	}
	return FilePlaybook
}
