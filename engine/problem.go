package engine

import (
	"fmt"
	"strings"
)

// Range is a place in a file; lines and columns count from 1, columns in characters.
type Range struct {
	File                       string
	Line, Col, EndLine, EndCol int
}

func (r Range) String() string {
	if r.Line == 0 {
		return r.File
	}
	return fmt.Sprintf("%s:%d:%d", r.File, r.Line, r.Col)
}

// Problem is one mistake (or, with Warning, one doubt) in a text that a person wrote.
type Problem struct {
	Warning bool
	Summary string // "Unknown module", without a full stop
	Detail  string // full sentences; the suggestion ("Did you mean …?") stands here
	Range   Range
	Source  string // the source line at Range.Line, without line end; may be empty
}

// Problems are all mistakes that were found together. As an error it prints every one.
type Problems []Problem

// Err returns p as an error when one of them is not a warning, else nil.
func (p Problems) Err() error {
	for _, x := range p {
		if !x.Warning {
			return p
		}
	}
	return nil
}

func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, x := range p {
		texts[i] = x.String()
	}
	return strings.Join(texts, "\n")
}

// String prints the place, the message, the source line and a marker below it. It has no variable's value in it.
func (p Problem) String() string {
	var b strings.Builder
	severity := "error"
	if p.Warning {
		severity = "warning"
	}
	fmt.Fprintf(&b, "%s: %s: %s\n", p.Range, severity, p.Summary)
	if p.Source != "" {
		fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(p.Source, "\t", " "))
		width := 1
		if p.Range.EndLine == p.Range.Line && p.Range.EndCol > p.Range.Col {
			width = p.Range.EndCol - p.Range.Col
		}
		if p.Range.Col > 0 {
			fmt.Fprintf(&b, "    %s%s\n", strings.Repeat(" ", p.Range.Col-1), strings.Repeat("^", width))
		}
	}
	if p.Detail != "" {
		fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(p.Detail, "\n", "\n    "))
	}
	return b.String()
}
