package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/dsplay/dsplay/engine"
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
