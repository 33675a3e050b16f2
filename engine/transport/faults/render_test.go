package faults_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	manual  = "../../../docs/faults.md"
	results = "testdata/measured.json"
)

var transports = []string{"ssh", "winrm", "https", "guest"}

func load(t *testing.T) (all []measured) {
	t.Helper()
	data, err := os.ReadFile(results)
	if err != nil && *update {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// merge replaces what was measured again, and drops what is no fault any more, in the order of the table.
func merge(stored, fresh []measured) (all []measured) {
	for _, f := range faults() {
		for _, transport := range transports {
			for _, list := range [][]measured{fresh, stored} {
				if i := slices.IndexFunc(list, func(m measured) bool { return m.Fault == f.name && m.Transport == transport }); i >= 0 {
					if _, concerned := f.on[transport]; concerned {
						all = append(all, list[i])
					}
					break
				}
			}
		}
	}
	return all
}

func store(t *testing.T, all []measured) {
	t.Helper()
	data, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{results: string(data) + "\n", manual: render(all)} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestManual: the page is what the table and the measurements give, and every fault is in it.
func TestManual(t *testing.T) {
	if *update {
		t.Skip("it is being written")
	}
	all := load(t)
	got, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != render(all) {
		t.Error("docs/faults.md is not what was measured: run the tests with -update")
	}
	for _, f := range faults() {
		for transport := range f.on {
			if !slices.ContainsFunc(all, func(m measured) bool { return m.Fault == f.name && m.Transport == transport }) {
				t.Errorf("%s over %s was never measured", f.name, transport)
			}
		}
	}
}

const head = `# Faults: what goes wrong on the way to a host, and what you get

This page is made by tests (engine/transport/faults): each row is a fault that is really made, in front of a server, and what a command of
a playbook then gives. The tests fail when a kind, a text, or what is tried again becomes another one, when finding out takes longer
than stated, or when a goroutine, a connection, a command or a remote shell is left where the row says that nothing is.

- **kind** is what ` + "`retry`" + ` and ` + "`rescue`" + ` choose by; – means that it works all the same.
- **found within** is in terms of the settings; **here** is what the test took with short ones
  (` + "`connect_timeout` 0.5 s where it matters, `keepalive` 0.3 s, `operation_timeout` 0.3 s, `request_timeout` 1 s, `answer_timeout` 1 s" + `).
  With the defaults (30 s, 15 s, 20 s, 60 s and 30 s; ` + "`connect_timeout`" + ` of winrm and https: 10 s) read the formula.
- **again** is what dsplay tries again by itself. It never repeats a command that may have been executed.
- Over **guest** it is the vCenter that is refused, silent or reset; the guest itself is not talked to.
- **left on the host**: "nothing" was confirmed; "perhaps" means that nobody could be asked, and the error says so.

`

func render(all []measured) string {
	var b strings.Builder
	b.WriteString(head)
	for _, f := range faults() {
		fmt.Fprintf(&b, "## %s\n\n", strings.ToUpper(f.name[:1])+f.name[1:])
		if f.where != "" {
			fmt.Fprintf(&b, "Measured %s.\n\n", f.where)
		}
		b.WriteString("| transport | kind | found within | here | again | left on the host | you read |\n|---|---|---|---|---|---|---|\n")
		for _, transport := range transports {
			e, concerned := f.on[transport]
			i := slices.IndexFunc(all, func(m measured) bool { return m.Fault == f.name && m.Transport == transport })
			if !concerned || i < 0 {
				continue
			}
			m := all[i]
			kind := "–"
			if m.Kind != "" {
				kind = "`" + string(m.Kind) + "`"
			}
			cells := []string{transport, kind, e.within, m.Took, m.Tried, m.Left, m.Reads}
			for i := range cells {
				cells[i] = strings.ReplaceAll(strings.ReplaceAll(cells[i], "|", `\|`), "\n", " ")
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
