package show

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

func (t *texter) plays(p *page) {
	if len(p.Plays) == 0 {
		return
	}
	t.section(t.say("plays"))
	for _, x := range p.Plays {
		t.put("\n  %s", t.say("play", x.No, x.heading()))
		t.play(x)
		for _, s := range x.Steps {
			t.step(s)
		}
	}
}

func (t *texter) play(x playPart) {
	if len(x.Waits) > 0 {
		t.put("    %s", t.say("play.waits", t.list(x.Waits)))
	} else if len(x.Hosts) > 0 {
		t.put("    %s", t.reach(x))
	}
	for _, f := range t.limits(x) {
		t.field("    ", f[0], f[1])
	}
}

func (t *texter) step(s step) {
	t.put("\n    %d. %s", s.No, title(s.Item))
	for _, a := range s.arms() {
		t.put("%s%s:", margin, t.disposition(a.Disposition))
		t.names(margin+"  ", "", t.places(a.Where))
	}
	t.why(s)
	if len(s.Effects) > 0 {
		mark := margin
		if s.weakens() {
			mark = "   !! "
		}
		t.field(mark, t.say("effects"), t.effects(s.Effects))
	}
	if s.Impact != "" {
		t.field(margin, t.say("impact"), s.Impact)
	}
	t.change(s)
	t.put("%s%s:", margin, t.say("commands"))
	t.commands(s)
	t.holes(s)
	t.field(margin, t.say("place"), s.Place+" ("+s.Module+")")
}

func (t *texter) why(s step) {
	for n, y := range s.Whys {
		text := y.Text
		if len(s.Whys) > 1 && len(y.Hosts) < len(s.Where) {
			text = t.say("why.hosts", text, t.list(y.Hosts))
		}
		name := t.say("why")
		if n > 0 {
			name = ""
		}
		t.field(margin, name, text)
	}
	if len(s.Whys) == 0 {
		t.field(margin, t.say("why"), t.say("why.unsaid"))
	}
	if len(s.Waits) > 0 {
		t.names(margin, t.say("waits"), s.Waits)
	}
}

// change is what will be different.
func (t *texter) change(s step) {
	for _, c := range s.Diff.Changes {
		t.field(margin, t.say("difference"), fmt.Sprintf("%s: %s → %s", c.What, c.Before, c.After))
	}
	if s.Diff.Act != "" {
		t.field(margin, t.say("act"), s.Diff.Act)
	}
	if s.Diff.Opaque {
		t.put("%s%s", margin, t.say("opaque"))
	}
	if s.Diff.Note != "" {
		t.field(margin, t.say("note"), s.Diff.Note)
	}
	for n, a := range t.arguments(s) {
		name := t.say("args")
		if n > 0 {
			name = ""
		}
		t.field(margin, name, inLines(a))
	}
}

// inLines shows an argument whose text has several lines as such, and not as one line with \n in it.
func inLines(argument string) string {
	name, value, _ := strings.Cut(argument, " = ")
	var text string
	if !strings.Contains(value, `\n`) || json.Unmarshal([]byte(value), &text) != nil {
		return argument
	}
	return name + " =\n" + strings.TrimSuffix(text, "\n")
}

func (t *texter) commands(s step) {
	for _, c := range s.Diff.Commands {
		t.command("        ", c)
		if script, ok := engine.PowerShellOf(c); ok {
			t.put("        %s:", t.say("decoded"))
			for line := range strings.SplitSeq(script, "\n") {
				t.put("        | %s", strings.TrimSuffix(line, "\r"))
			}
		}
	}
	if len(s.Diff.Commands) == 0 {
		t.put("        %s", t.say("commands.none"))
	}
}

// holes say what differs from host to host.
func (t *texter) holes(s step) {
	if s.signed() {
		t.put("%s%s", margin, t.say("holes.host"))
	}
	if len(s.Holes) == 0 {
		return
	}
	t.put("%s%s:", margin, t.say("holes"))
	for _, w := range s.Where {
		cells := make([]string, len(w.Cells))
		for n, c := range w.Cells {
			cells[n] = s.Holes[n] + " = " + inLine(c)
		}
		t.put("        %s: %s", t.place(w), t.list(cells))
	}
}
