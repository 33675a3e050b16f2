package show

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// quieter passes text on and writes what cannot be seen, or what a terminal, a browser or a reader would obey, by its
// number. It stands behind every format, so that no place can forget it.
type quieter struct {
	w    io.Writer
	rest []byte // of a rune whose end has not come yet
}

func (q *quieter) Write(p []byte) (int, error) {
	text := p
	if len(q.rest) > 0 {
		text = append(q.rest, p...)
		q.rest = nil
	}
	whole := wholeRunes(text)
	q.rest = append(q.rest, text[whole:]...)
	if _, err := io.WriteString(q.w, quiet(string(text[:whole]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// wholeRunes is how much of a text is not the beginning of a rune whose end is missing.
func wholeRunes(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if last := text[len(text)-n:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return len(text) - n
			}
			break
		}
	}
	return len(text)
}

// close writes what was the beginning of a rune and has no end.
func (q *quieter) close() error {
	_, err := io.WriteString(q.w, quiet(string(q.rest)))
	return err
}

// quiet writes invisible characters by their numbers; ends of lines and tabs stay.
func quiet(s string) string {
	if !strings.ContainsFunc(s, unseen) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unseen(r) {
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// escaped writes invisible characters in the strings of a JSON document as JSON does.
func escaped(s string) string {
	if !strings.ContainsFunc(s, unseen) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unseen(r) {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, u)
		}
	}
	return b.String()
}

// unseen tells a character that has no picture of its own: controls, and what changes the order, the joining or the width
// of others.
func unseen(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < unicode.MaxASCII:
		return r < ' '
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Co) ||
		strings.ContainsRune("\u00a0\u115f\u1160\u3164\uffa0", r)
}

// inLine makes a text one line.
func inLine(s string) string { return strings.Join(strings.FieldsFunc(s, isBreak), " ⏎ ") }

func isBreak(r rune) bool { return r == '\n' }
