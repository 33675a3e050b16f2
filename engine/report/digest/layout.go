package digest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Width is how many columns a page has.
const Width = 78

// page lays texts out in lines.
type page struct{ strings.Builder }

// line writes a text from a column on, in as many lines as it takes; those after the first stand further in.
func (p *page) line(indent int, text string) {
	p.lines(strings.Repeat(" ", indent), indent+2, text, "")
}

// command writes a command line so that it can be copied whole: a shell goes on behind a backslash.
func (p *page) command(text string) { p.lines("  ", 6, text, ` \`) }

func (p *page) lines(first string, others int, text, broken string) {
	room, at := Width-columns(broken), columns(first)
	p.WriteString(first)
	for i, w := range pieces(text) {
		switch {
		case i == 0:
		case at+1+columns(w.text) > room:
			p.WriteString(broken + "\n" + strings.Repeat(" ", others))
			at = others
		case !w.glue:
			p.WriteString(" ")
			at++
		}
		p.WriteString(w.text)
		at += columns(w.text)
	}
	p.WriteString("\n")
}

// fact is a line with a name.
func (p *page) fact(name, text string) { p.lines(fmt.Sprintf("%-10s", name), 10, text, "") }

func (p *page) heading(text string) { p.WriteString("\n" + text + "\n") }

// section is a heading and lines, of which too many are counted; without lines there is none.
func (p *page) section(heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	p.heading(heading)
	for i, l := range lines {
		if i == most && len(lines) > most+1 {
			p.line(2, fmt.Sprintf("... and %d more", len(lines)-most))
			return
		}
		indent := 2
		if strings.HasPrefix(l, "  ") {
			indent = 6
		}
		p.line(indent, l)
	}
}

// piece is what a line is not broken within.
type piece struct {
	text string
	glue bool // no space before it
}

// words are the words of a text. What would drive a terminal or turn the direction of writing only parts them: texts come from hosts.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	})
}

// pieces are the words of a text; between the letters of one that has no spaces, as Japanese has, lines may be broken, too.
func pieces(text string) []piece {
	var out []piece
	for _, w := range words(text) {
		if columns(w) == utf8.RuneCountInString(w) || columns(w) < Width/2 {
			out = append(out, piece{w, false})
			continue
		}
		part, glue := "", false
		for _, r := range w {
			if part += string(r); columns(part) >= Width/4 {
				out, part, glue = append(out, piece{part, glue}), "", true
			}
		}
		if part != "" {
			out = append(out, piece{part, glue})
		}
	}
	return out
}

// columns is how wide a text is in a terminal or a mail: Japanese letters take two.
func columns(text string) int {
	n := 0
	for _, r := range text {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// plainly are signs that have an ASCII form.
var plainly = strings.NewReplacer("…", "...", "«", "<<", "»", ">>", "–", "-", "—", "-", "×", "x", "“", `"`, "”", `"`, "‘", "'", "’", "'", "·", ".", "→", "->", "≤", "<=", "≥", ">=")

// ASCII is a text for a place that shows nothing else: what has no such form becomes a question mark.
func ASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, plainly.Replace(text))
}
