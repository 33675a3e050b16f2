package files

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/dsplay/dsplay/engine"
)

const (
	comparable = 64 << 10 // bytes of a text whose lines are compared
	mostLines  = 2000
	mostShown  = 12  // changes of one file in a plan
	widest     = 160 // runes of a line in a plan
)

// contentChanges tells how the content will change: line by line where both are small texts that others may read
// anyway, else by size and hash. Of a secret there is only its name.
func (f *File) contentChanges(ctx context.Context, host engine.Reader) ([]engine.Change, string, error) {
	change := engine.Change{What: f.was.Path, Before: "missing", After: f.described()}
	switch {
	case !f.was.Exists:
		return []engine.Change{change}, "", nil
	case f.content.Secret != "":
		change.Before = "another content"
		return []engine.Change{change}, "", nil
	}
	change.Before = describe(f.was.Size, f.was.SHA256)
	if !public(f.was) || max(f.was.Size, f.content.Size) > comparable {
		return []engine.Change{change}, "", nil
	}
	after, err := f.content.Bytes()
	if err != nil {
		return nil, "", err
	}
	before, err := host.ReadFile(ctx, f.was.Path)
	if err != nil {
		return nil, "", err
	}
	if !isText(before) || !isText(after) {
		return []engine.Change{change}, "", nil
	}
	changes, more := compareLines(f.was.Path, lines(before), lines(after))
	if changes == nil {
		return []engine.Change{change}, "", nil
	}
	note := ""
	if more > 0 {
		note = fmt.Sprintf("%d more places of %s change", more, f.was.Path)
	}
	return changes, note, nil
}

func (f *File) described() string {
	if f.content.Secret != "" {
		return "«secret: " + f.content.Secret + "»"
	}
	return describe(f.content.Size, f.content.SHA256)
}

func describe(size int64, hash string) string {
	if hash == "" {
		return engine.SizeText(size)
	}
	return fmt.Sprintf("%s sha256:%s…", engine.SizeText(size), hash[:12])
}

// readers are rights for everybody in SDDL: Users, Everyone, authenticated users.
var readers = regexp.MustCompile(`\(A;[^)]*;(BU|WD|AU)\)`)

// public tells whether what the file holds is no secret on its host: then it may stand in a plan.
func public(was engine.FileInfo) bool {
	if was.Mode == "" {
		return readers.MatchString(was.ACL)
	}
	return strings.ContainsAny(was.Mode[len(was.Mode)-1:], "4567")
}

func isText(data []byte) bool { return utf8.Valid(data) && !bytes.ContainsRune(data, 0) }

func lines(data []byte) []string {
	var all []string
	for line := range strings.Lines(string(data)) {
		all = append(all, line)
	}
	return all
}

// compareLines gives the changed places, as PATH:LINE of the new text, and how many more there are; nil when the texts
// are too long to be compared.
func compareLines(path string, a, b []string) (changes []engine.Change, more int) {
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	enda, endb := len(a), len(b)
	for enda > from && endb > from && a[enda-1] == b[endb-1] {
		enda, endb = enda-1, endb-1
	}
	if enda-from > mostLines || endb-from > mostLines {
		return nil, 0
	}
	common := longest(a[from:enda], b[from:endb])
	for i, j := from, from; i < enda || j < endb; {
		if i < enda && j < endb && a[i] == b[j] {
			i, j = i+1, j+1
			continue
		}
		i0, j0 := i, j
		for (i < enda || j < endb) && (i >= enda || j >= endb || a[i] != b[j]) {
			if j >= endb || i < enda && common[i-from+1][j-from] >= common[i-from][j-from+1] {
				i++
			} else {
				j++
			}
		}
		if len(changes) == mostShown {
			more++
			continue
		}
		changes = append(changes, engine.Change{What: fmt.Sprintf("%s:%d", path, j0+1), Before: joined(a[i0:i]), After: joined(b[j0:j])})
	}
	return changes, more
}

// longest is the table of the lengths of common subsequences of the ends of a and b.
func longest(a, b []string) [][]int16 {
	table := make([][]int16, len(a)+1)
	cells := make([]int16, (len(a)+1)*(len(b)+1))
	for i := range table {
		table[i] = cells[i*(len(b)+1) : (i+1)*(len(b)+1)]
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	return table
}

// joined shows at most three lines. A line end of Windows, or none at all, is a difference, too, and must be seen.
func joined(part []string) string {
	var shown []string
	for i, line := range part {
		if i == 3 {
			shown = append(shown, fmt.Sprintf("… %d more lines", len(part)-i))
			break
		}
		text := strings.TrimSuffix(line, "\n")
		switch {
		case text == line:
			text += " (no line end)"
		case strings.HasSuffix(text, "\r"):
			text = strings.TrimSuffix(text, "\r") + `\r`
		}
		if r := []rune(text); len(r) > widest {
			text = string(r[:widest-1]) + "…"
		}
		shown = append(shown, text)
	}
	if len(part) == 0 {
		return "nothing"
	}
	return strings.Join(shown, " ⏎ ")
}
