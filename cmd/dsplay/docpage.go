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
	fmt.Fprint(w, functionsIntro)
	group := ""
	for _, f := range functions {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(w, "\n## %s\n\n| | | for example |\n|---|---|---|\n", groupTitles[group])
		}
		fmt.Fprintf(w, "| `%s` | %s | `%s` → `%s` |\n", cell(f.Signature), cell(f.Doc), cell(f.Example), cell(f.Result))
	}
	fmt.Fprint(w, differencesIntro)
	notesTable(w, decode.Differences())
	fmt.Fprint(w, leftOutIntro)
	notesTable(w, decode.LeftOut())
}

const (
	functionsIntro = `# Functions

Made from the code by ` + "`dsplay doc functions --markdown`; `dsplay doc functions NAME`" + ` prints the same of one. All are pure: they give the same
for the same arguments, as long as files and environment stay as they are. Names and behaviour are Terraform's, but for the first group and
` + "`template`" + `; what differs and what is left out stands at the end. Paths are relative to the file in which they
stand. In the examples, ` + "`hello.txt`" + ` holds ` + "`Hello, wörld`" + `, and ` + "`hello.tmpl`" + ` ` + "`Hello, ${upper(name)}!%{ for i in items } ${i}%{ endfor }`" + `.
`
	differencesIntro = `
## Where Terraform does something else

The console of a real Terraform was asked about over 1,300 expressions; its answers are in ` + "`engine/lang/decode/testdata/terraform/`" + `, and a test compares
them with ours. These are the differences that it finds.

`
	leftOutIntro = `
## What Terraform has besides

`
)

func notesTable(w io.Writer, notes []decode.Note) {
	fmt.Fprint(w, "| | |\n|---|---|\n")
	for _, n := range notes {
		fmt.Fprintf(w, "| `%s` | %s |\n", cell(n.Name), cell(n.Text))
	}
}

// cell keeps a text in its column of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

var groupTitles = map[string]string{
	"dsplay": "dsplay's own", "files": "Files and templates", "text": "Texts and times", "collections": "Lists, sets and maps", "conversion": "Types and errors",
	"numbers": "Numbers", "encoding": "Encodings and sums", "networks": "Networks",
}
