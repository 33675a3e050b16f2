package show

import (
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

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
