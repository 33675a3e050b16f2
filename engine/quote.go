package engine

import (
	"slices"
	"strings"
)

// QuoteSh quotes s as one word for a POSIX shell; harmless words stay as they are.
func QuoteSh(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !isPlain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func isPlain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:,+@%=", r)
}

// QuotePS quotes s as one PowerShell string literal. PowerShell takes the typographic quotes for quotes, too.
func QuotePS(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if slices.Contains([]rune{'\'', '\u2018', '\u2019', '\u201a', '\u201b'}, r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

// EscapeCmd puts a caret before every character that cmd.exe knows, quotes included, so that it never enters its own quoted
// mode. A % cannot be escaped; but a caret after it makes it the beginning of a variable that does not exist, and such a one
// stays as it is (in a command line; a batch file would drop it).
func EscapeCmd(s string) string {
	var b strings.Builder
	percent := false
	for _, c := range []byte(s) {
		if percent || strings.IndexByte("\"%!^&|<>()", c) >= 0 {
			b.WriteByte('^')
		}
		b.WriteByte(c)
		percent = c == '%'
	}
	return b.String()
}
