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

func (m *marker) head(p *page) {
	m.put("# %s: %s\n", m.say("title"), plain(named(p)))
	m.put("| | |\n|---|---|")
	for _, f := range m.facts(p) {
		m.put("| %s | %s |", f[0], plain(f[1]))
	}
	for _, text := range m.alarms(p) {
		m.put("\n> **%s**", plain(text))
	}
}

func (m *marker) summary(p *page) {
	m.section(m.say("summary"))
	for _, text := range m.sentences(p) {
		m.put("- %s", text)
	}
	m.put("")
	if len(p.Effects) == 0 && p.Worst.Entries > 0 {
		m.put("%s\n", m.say("worst.none"))
	}
	if len(p.Effects) > 0 {
		m.put("### %s\n", m.say("worst"))
	}
	for _, e := range p.Effects {
		name := m.effect(e.Effect)
		if e.weakens() {
			name = "⚠ **" + name + "**"
		}
		m.folded(m.say("worst.value", name, m.say("n.times", e.Times), m.say("n.hosts", e.Hosts)), m.places(e.Where))
	}
	m.put("\n**%s**: %s", m.say("impact"), plain(m.or(p.Playbook.Impact)))
	m.put("\n**%s**: %s", m.say("backout"), plain(m.or(p.Playbook.Backout)))
}

func (m *marker) plays(p *page) {
	if len(p.Plays) == 0 {
		return
	}
	m.section(m.say("plays"))
	for _, x := range p.Plays {
		m.put("### %s\n", m.say("play", x.No, plain(x.heading())))
		if len(x.Waits) > 0 {
			m.put("%s\n", m.say("play.waits", m.names(x.Waits)))
		} else if len(x.Hosts) > 0 {
			m.put("%s\n", m.reach(x))
		}
		for _, f := range m.limits(x) {
			m.field(f[0], plain(f[1]))
		}
		m.put("")
		for _, s := range x.Steps {
			m.step(s)
		}
	}
}

func (m *marker) step(s step) {
	m.put("#### %d. %s\n", s.No, plain(title(s.Item)))
	for _, a := range s.arms() {
		m.folded("**"+m.disposition(a.Disposition)+"**", m.places(a.Where))
	}
	m.why(s)
	if len(s.Effects) > 0 {
		text := m.effects(s.Effects)
		if s.weakens() {
			text = "⚠ **" + text + "**"
		}
		m.field(m.say("effects"), text)
	}
	if s.Impact != "" {
		m.field(m.say("impact"), plain(s.Impact))
	}
	m.change(s)
	m.field(m.say("place"), code(s.Place)+" ("+plain(s.Module)+")")
	if len(s.Diff.Commands) == 0 {
		m.put("\n%s\n", m.say("commands.none"))
		return
	}
	m.put("\n%s:\n", m.say("commands"))
	m.blocks(s.Diff.Commands)
	for _, c := range s.Diff.Commands {
		if script, ok := engine.PowerShellOf(c); ok {
			m.put("%s:\n", m.say("decoded"))
			m.blocks([]string{script})
		}
	}
	m.holes(s)
}

func (m *marker) why(s step) {
	for _, y := range s.Whys {
		text := code(y.Text)
		if len(s.Whys) > 1 && len(y.Hosts) < len(s.Where) {
			text = m.say("why.hosts", text, m.names(y.Hosts))
		}
		m.field(m.say("why"), text)
	}
	if len(s.Whys) == 0 {
		m.field(m.say("why"), m.say("why.unsaid"))
	}
	if len(s.Waits) > 0 {
		m.field(m.say("waits"), m.names(s.Waits))
	}
}

func (m *marker) change(s step) {
	for _, c := range s.Diff.Changes {
		m.field(m.say("difference"), fmt.Sprintf("%s: %s → %s", plain(c.What), code(c.Before), code(c.After)))
	}
	if s.Diff.Act != "" {
		m.field(m.say("act"), code(s.Diff.Act))
	}
	if s.Diff.Opaque {
		m.field(m.say("note"), m.say("opaque"))
	}
	if s.Diff.Note != "" {
		m.field(m.say("note"), code(s.Diff.Note))
	}
	for _, a := range s.Args {
		m.field(m.say("args"), code(a.Name+" = "+a.Value))
	}
	for _, name := range s.Unknown {
		m.field(m.say("args"), m.say("arg.unknown", plain(name)))
	}
}

func (m *marker) holes(s step) {
	if s.signed() {
		m.put("%s\n", m.say("holes.host"))
	}
	if len(s.Holes) == 0 {
		return
	}
	m.put("%s:\n", m.say("holes"))
	m.put("| %s | %s |", m.say("host"), strings.Join(s.Holes, " | "))
	m.put("|---%s|", strings.Repeat("|---", len(s.Holes)))
	for _, w := range s.Where {
		cells := []string{cell(m.place(w))}
		for _, c := range w.Cells {
			cells = append(cells, cell(c))
		}
		m.put("| %s |", strings.Join(cells, " | "))
	}
	m.put("")
}

func (m *marker) blind(p *page) {
	if len(p.Blind) == 0 {
		return
	}
	m.section(m.say("blind"))
	for _, b := range p.Blind {
		m.put("**%s** — %s\n", plain(m.say("blind.entry", title(b.Item), b.Play)), m.disposition(b.Disposition))
		m.folded(m.say("on"), b.Hosts)
		m.field(m.say("why"), code(b.Error.Text))
		if host := b.blamed(); host != "" {
			m.field(m.say("blame"), code(host))
		}
		if b.Error.Hint != "" {
			m.field(m.say("hint"), code(b.Error.Hint))
		}
		m.put("")
	}
}

func (m *marker) checks(p *page) {
	if len(p.Document.Checks) == 0 {
		return
	}
	m.section(m.say("checks"))
	if p.Fine > 0 {
		m.put("- %s", m.say("checks.fine", m.say("n.checks", p.Fine)))
	}
	for _, c := range p.Checks {
		m.put("- **%s** — %s %s", plain(c.Name), m.check(c.Status), code(c.Reason))
		if len(c.Hosts) > 0 {
			m.put("  - %s: %s", m.say("on"), m.names(c.Hosts))
		}
		if len(c.Waits) > 0 {
			m.put("  - %s: %s", m.say("waits"), m.names(c.Waits))
		}
	}
}

func (m *marker) hosts(p *page) {
	if len(p.Touched) > 0 {
		m.section(m.say("hosts"))
		m.put("| %s | %s | %s | %s | %s |\n|---|---|---|---|---|", m.say("host"), m.say("address"), m.say("identity"), m.say("steps"), m.say("effects"))
		for _, h := range p.Touched {
			id := cell(h.Identity)
			switch {
			case h.Acts == 0:
				id = plain(m.say("only.through", m.list(h.Through)))
			case id == "":
				id = "⚠ **" + m.say("identity.none") + "**"
			}
			m.put("| %s | %s | %s | %s | %s |", cell(h.Name), plain(h.Address+" "+m.way(h)), id, m.p.Sprint(h.Acts), m.effects(h.Effects))
		}
	}
	if len(p.Spared) > 0 {
		m.section(m.say("spared"))
		for _, c := range p.Spared {
			m.field(plain(m.group(c.Group)), m.say("n.hosts", len(c.Hosts)))
		}
	}
}

func (m *marker) appendix(p *page) {
	m.section(m.say("looked"))
	if len(p.Looked) == 0 {
		m.put("%s", m.say("looked.none"))
	} else {
		m.lookedTable(p)
	}
	if len(p.Variables) > 0 {
		m.section(m.say("variables"))
		m.put("| %s | %s | %s |\n|---|---|---|", m.say("variable"), m.say("value"), m.say("origin"))
		for _, v := range p.Variables {
			m.put("| %s | %s | %s |", cell(v.Name), cell(m.variable(v.Secret, v.Value)), plain(v.Origin))
		}
	}
	m.section(m.say("files"))
	for _, f := range p.Playbook.Files {
		m.put("- %s %s", code(f.Path), code(f.SHA256))
	}
}

func (m *marker) lookedTable(p *page) {
	m.put("%s\n\n<details><summary>%s</summary>\n", m.lookedAt(p), m.say("n.lines", len(p.Looked)))
	m.put("| %s | %s | %s |\n|---|---|---|", m.say("host"), m.say("times"), m.say("commands"))
	for _, l := range p.Looked {
		m.put("| %s | %s | %s |", plain(m.hostCount(l.Hosts)), m.p.Sprint(l.Times), cell(l.Line))
	}
	m.put("\n</details>")
}
