package show

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// marker writes a page as Markdown.
type marker struct {
	speaker
	w io.Writer
}

// put writes a line: nothing that stands in its arguments can begin another one.
func (m *marker) put(format string, args ...any) { fmt.Fprintf(m.w, format+"\n", oneLine(args)...) }

// Words of a newer dsplay are not in the vocabulary, so they may be anything.

func (m *marker) effect(e engine.Effect) string       { return plain(m.speaker.effect(e)) }
func (m *marker) effects(list []engine.Effect) string { return plain(m.speaker.effects(list)) }
func (m *marker) check(status string) string          { return plain(m.speaker.check(status)) }

func (m *marker) disposition(d plan.Disposition) string { return plain(m.speaker.disposition(d)) }

func (m *marker) page(p *page) {
	m.head(p)
	m.summary(p)
	m.plays(p)
	m.blind(p)
	m.checks(p)
	m.hosts(p)
	m.appendix(p)
}

// plain makes a text from outside one that says nothing in Markdown or HTML, on one line: no link, no mention, no table.
// It must not stand at the beginning of a line.
func plain(s string) string {
	s = strings.ReplaceAll(inLine(s), "://", "\x00//")
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == 0:
			b.WriteString("&#58;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '@':
			b.WriteString("&#64;")
		case strings.ContainsRune("\\`*_[]|~", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code makes a text literal, on one line; it may stand in a table.
func code(s string) string {
	s = inLine(s)
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// cell is code in a table, where a bar ends a cell even in code: such a text is escaped instead.
func cell(s string) string {
	if strings.Contains(s, "|") {
		return plain(s)
	}
	return code(s)
}

func longestRun(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		run++
		if r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

// blocks writes commands as they are, one below the other; one of several lines has a block of its own.
func (m *marker) blocks(commands []string) {
	if !slices.ContainsFunc(commands, func(c string) bool { return strings.ContainsFunc(c, isBreak) }) {
		commands = []string{strings.Join(commands, "\n")}
	}
	for _, c := range commands {
		fence := strings.Repeat("`", max(3, longestRun(c)+1))
		fmt.Fprintf(m.w, "%s\n%s\n%s\n\n", fence, c, fence)
	}
}

func (m *marker) section(name string) { m.put("\n## %s\n", name) }

func (m *marker) field(name, text string) { m.put("- %s: %s", name, text) }

// names joins hosts as literal texts.
func (m *marker) names(list []string) string {
	out := make([]string, len(list))
	for n, x := range list {
		out[n] = code(x)
	}
	return m.list(out)
}

// folded is a field whose text can be unfolded when it is long.
func (m *marker) folded(name string, hosts []string) {
	if len(hosts) <= 24 {
		m.field(name, m.names(hosts))
		return
	}
	m.put("- <details><summary>%s: %s</summary>\n\n  %s\n  </details>", name, m.say("n.hosts", len(hosts)), m.names(hosts))
}
