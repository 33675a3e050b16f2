package show

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// texter writes a page for a terminal.
type texter struct {
	speaker
	w io.Writer
}

const (
	textWidth = 110
	textLabel = 20
	margin    = "      "
)

// put writes a line: nothing that stands in its arguments can begin another one.
func (t *texter) put(format string, args ...any) { fmt.Fprintf(t.w, format+"\n", oneLine(args)...) }

// command writes a command line, each line of it after the first with a sign before it.
func (t *texter) command(indent, text string) {
	for n, line := range strings.Split(text, "\n") {
		sign := "$"
		if n > 0 {
			sign = "|"
		}
		t.put("%s%s %s", indent, sign, line)
	}
}

// oneLine makes texts of one line of all texts.
func oneLine(args []any) []any {
	out := slices.Clone(args)
	for n, a := range out {
		if text, ok := a.(string); ok {
			out[n] = inLine(text)
		}
	}
	return out
}

func (t *texter) page(p *page) {
	t.head(p)
	t.summary(p)
	t.plays(p)
	t.blind(p)
	t.checks(p)
	t.hosts(p)
	t.spared(p)
	t.appendix(p)
}

func (t *texter) section(name string) { t.put("\n== %s", name) }

// field is a name and a text beside it; further lines of the text stand below its first.
func (t *texter) field(indent, name, text string) {
	lead := indent + name + strings.Repeat(" ", max(1, textLabel-columns(name)))
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	t.put("%s%s", lead, lines[0])
	for _, l := range lines[1:] {
		t.put("%s| %s", strings.Repeat(" ", columns(lead)-2), l)
	}
}

// names is a field of many names, wrapped.
func (t *texter) names(indent, name string, list []string) {
	lead := indent
	if name != "" {
		lead += name + strings.Repeat(" ", max(1, textLabel-columns(name)))
	}
	line, at := lead, columns(lead)
	for n, x := range list {
		x = inLine(x)
		if n < len(list)-1 {
			x += t.say("sep")
		}
		if at+columns(x) > textWidth && at > columns(lead) {
			t.put("%s", strings.TrimRight(line, " "))
			line, at = strings.Repeat(" ", columns(lead)), columns(lead)
		}
		line, at = line+x, at+columns(x)
	}
	t.put("%s", line)
}

// columns is how wide a terminal shows a text: Chinese characters and kana take two columns.
func columns(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
