package show

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
