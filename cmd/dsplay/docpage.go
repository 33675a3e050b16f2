package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// modulesPage writes the reference of all modules as Markdown: docs/modules.md is made of it, and a test compares them.
func modulesPage(w io.Writer, modules []engine.Module) {
	fmt.Fprint(w, "# Modules\n\nMade from the code by `dsplay doc --markdown`; `dsplay doc MODULE` prints the same.\n")
	for _, m := range modules {
		fmt.Fprintf(w, "\n## %s\n\n*%s; on %s.* %s\n\n| argument | type | |\n|---|---|---|\n", m.Name, uses(m), strings.Join(m.Targets, ", "), m.Doc)
		for _, f := range engine.Fields(m.New()) {
			fmt.Fprintf(w, "| `%s` | %s | %s |\n", f.Name, argNotes(f), f.Doc)
		}
		fmt.Fprint(w, "\n| result | type | |\n|---|---|---|\n")
		for _, f := range engine.Fields(m.Result) {
			fmt.Fprintf(w, "| `%s` | %s | %s |\n", f.Name, resultNotes(f), f.Doc)
		}
	}
}

// functionsPage writes the reference of all functions as Markdown: docs/functions.md is made of it, and a test compares them.
func functionsPage(w io.Writer, functions []decode.FunctionDoc) {
	fmt.Fprint(w, "# Functions\n\nMade from the code by `dsplay doc functions --markdown`; `dsplay doc functions NAME` prints the same of one. "+
		"All are pure: they give the same\nfor the same arguments, as long as files and environment stay as they are. Names and behaviour are Terraform's, but for the first group.\n")
	group := ""
	for _, f := range functions {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(w, "\n## %s\n\n| | |\n|---|---|\n", groupTitles[group])
		}
		fmt.Fprintf(w, "| `%s` | %s |\n", f.Signature, strings.ReplaceAll(f.Doc, "|", "\\|"))
	}
}

var groupTitles = map[string]string{
	"dsplay": "dsplay's own, files and secrets", "text": "Texts and times", "collections": "Lists, sets and maps", "conversion": "Types and errors",
	"numbers": "Numbers", "encoding": "Encodings and sums", "networks": "Networks",
}
