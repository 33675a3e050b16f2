package sshconfig

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of directives into docs/ssh-config.md")

const (
	page  = "../../../../docs/ssh-config.md"
	begin = "<!-- directives: written by go test ./engine/transport/ssh/sshconfig -update -->\n"
	end   = "<!-- end of directives -->"
)

// TestManualListsTheDirectives: the manual cannot say anything else than the code does.
func TestManualListsTheDirectives(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	is, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	if is == table() {
		return
	}
	if !*update {
		t.Fatalf("%s has another table than the code; run it with -update", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+table()+end+after), 0o644); err != nil { //nolint:gosec // a manual is for everybody
		t.Fatal(err)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| directive | |\n|---|---|\n")
	var honoured, irrelevant []string
	for _, d := range Directives {
		switch {
		case d.Use == Irrelevant:
			irrelevant = append(irrelevant, code(d))
		case d.Note == "":
			honoured = append(honoured, code(d))
		}
	}
	fmt.Fprintf(&b, "| %s | honoured |\n", strings.Join(honoured, " "))
	for _, d := range Directives {
		switch {
		case d.Use == Honoured && d.Note != "":
			fmt.Fprintf(&b, "| %s | honoured; %s %s |\n", code(d), quoted(d.when), d.Note)
		case d.Use == Said:
			fmt.Fprintf(&b, "| %s | %s |\n", code(d), d.Note)
		case d.Use == Refused:
			fmt.Fprintf(&b, "| %s | **no connection**: it %s |\n", code(d), d.Note)
		}
	}
	fmt.Fprintf(&b, "| %s | makes no difference here |\n\n", strings.Join(irrelevant, " "))
	return b.String()
}

func quoted(values string) string {
	return "`" + strings.Join(strings.Fields(values), "` or `") + "`"
}

func code(d *Directive) string {
	text := "`" + d.Name + "`"
	if d.Aliases != "" {
		text += " (`" + strings.Join(strings.Fields(d.Aliases), "` `") + "`)"
	}
	return text
}
