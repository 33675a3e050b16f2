package show

import "strings"

func (t *texter) head(p *page) {
	t.put("%s: %s", t.say("title"), named(p))
	for _, f := range t.facts(p) {
		t.field("  ", f[0], f[1])
	}
	for _, text := range t.alarms(p) {
		t.put("\n  !! %s", text)
	}
}

func (t *texter) summary(p *page) {
	t.section(t.say("summary"))
	for _, text := range t.sentences(p) {
		t.put("  %s", text)
	}
	if len(p.Effects) > 0 {
		t.put("  %s:", t.say("worst"))
	}
	for _, e := range p.Effects {
		mark := "    - "
		if e.weakens() {
			mark = " !! - "
		}
		t.put("%s%s", mark, t.say("worst.value", t.effect(e.Effect), t.say("n.times", e.Times), t.say("n.hosts", e.Hosts)))
		t.names("      ", "", t.places(e.Where))
	}
	if len(p.Effects) == 0 && p.Worst.Entries > 0 {
		t.put("  %s", t.say("worst.none"))
	}
	t.field("  ", t.say("impact"), t.or(p.Playbook.Impact))
	t.field("  ", t.say("backout"), t.or(p.Playbook.Backout))
}

func (t *texter) blind(p *page) {
	if len(p.Blind) == 0 {
		return
	}
	t.section(t.say("blind"))
	for _, b := range p.Blind {
		t.put("\n  %s — %s", t.say("blind.entry", title(b.Item), b.Play), t.disposition(b.Disposition))
		t.names("    ", t.say("on"), b.Hosts)
		t.field("    ", t.say("why"), b.Error.Text)
		if host := b.blamed(); host != "" {
			t.field("    ", t.say("blame"), host)
		}
		if b.Error.Hint != "" {
			t.field("    ", t.say("hint"), b.Error.Hint)
		}
	}
}

func (t *texter) checks(p *page) {
	if len(p.Document.Checks) == 0 {
		return
	}
	t.section(t.say("checks"))
	if p.Fine > 0 {
		t.put("  %s", t.say("checks.fine", t.say("n.checks", p.Fine)))
	}
	for _, c := range p.Checks {
		t.put("  %s — %s", c.Name, t.check(c.Status))
		if c.Reason != "" {
			t.field("    ", t.say("why"), c.Reason)
		}
		if len(c.Hosts) > 0 {
			t.names("    ", t.say("on"), c.Hosts)
		}
		if len(c.Waits) > 0 {
			t.names("    ", t.say("waits"), c.Waits)
		}
	}
}

func (t *texter) hosts(p *page) {
	if len(p.Touched) > 0 {
		t.section(t.say("hosts") + " (" + t.say("identity") + ")")
		for _, h := range p.Touched {
			id := h.Identity
			switch {
			case h.Acts == 0:
				id = t.say("only.through", t.list(h.Through))
			case id == "":
				id = "!! " + t.say("identity.none")
			}
			t.field("  ", inLine(h.Name), inLine(strings.Join([]string{h.Address, t.way(h), id}, "  ")))
		}
	}
}

func (t *texter) spared(p *page) {
	if len(p.Spared) > 0 {
		t.section(t.say("spared"))
		for _, c := range p.Spared {
			t.put("  %s: %s", t.group(c.Group), t.say("n.hosts", len(c.Hosts)))
		}
	}
}

func (t *texter) appendix(p *page) {
	t.section(t.say("looked"))
	if len(p.Looked) == 0 {
		t.put("  %s", t.say("looked.none"))
	} else {
		t.put("  %s", t.lookedAt(p))
	}
	for _, l := range p.Looked {
		t.put("    %s: %s", t.hostCount(l.Hosts), t.say("n.times", l.Times))
		t.command("      ", l.Line)
	}
	if len(p.Variables) > 0 {
		t.section(t.say("variables"))
		for _, v := range p.Variables {
			t.put("  %s = %s  (%s)", v.Name, t.variable(v.Secret, v.Value), v.Origin)
		}
	}
	t.section(t.say("files"))
	for _, f := range p.Playbook.Files {
		t.put("  %s  %s", f.SHA256, f.Path)
	}
}
