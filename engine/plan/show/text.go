package show

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dsplay/dsplay/engine"
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
		if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6) {
			n++
		}
	}
	return n
}

func (t *texter) head(p *page) {
	t.put("%s: %s", t.say("title"), named(p))
	for _, f := range t.facts(p) {
		t.field("  ", f[0], f[1])
	}
	for _, text := range t.alarms(p) {
		t.put("\n  !! %s", text)
	}
}

// named is what a plan is about.
func named(p *page) string {
	if p.Playbook.Description != "" {
		return p.Playbook.Description
	}
	return p.Playbook.Path
}

// facts are the first lines of a plan: what it is, whose, and until when.
func (s speaker) facts(p *page) [][2]string {
	var out [][2]string
	if p.ID != "" {
		out = append(out, [2]string{s.say("id"), p.ID})
	}
	out = append(out, [][2]string{
		{s.say("playbook"), p.Playbook.Path},
		{s.say("inventory"), p.Inventory.Path},
		{s.say("made"), s.date(p.Made)},
		{s.say("planner"), s.say("planner.value", p.Planner.User, p.Planner.Host, p.Dsplay)},
		{s.say("until"), s.until(p)},
	}...)
	if p.Limit != nil {
		limit := s.list(p.Limit)
		if len(p.Limit) > 24 {
			limit = s.say("n.hosts", len(p.Limit))
		}
		out = append(out, [2]string{s.say("limit"), limit})
	}
	if len(p.Tags) > 0 {
		out = append(out, [2]string{s.say("tags"), s.list(p.Tags)})
	}
	if len(p.SkipTags) > 0 {
		out = append(out, [2]string{s.say("tags.skip"), s.list(p.SkipTags)})
	}
	return out
}

// alarms are what makes a plan worthless.
func (s speaker) alarms(p *page) []string {
	var out []string
	if p.Offline {
		out = append(out, s.say("offline"))
	}
	if p.Stop != nil {
		out = append(out, s.say("stop", s.stop(p.Stop.Kind))+" "+p.Stop.Reason)
	}
	return out
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

// or is a text of the playbook's author, or that there is none.
func (s speaker) or(text string) string {
	if text == "" {
		return s.say("unsaid")
	}
	return text
}

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

func (x playPart) heading() string {
	if x.Title != "" && x.Title != x.Name {
		return x.Name + " — " + x.Title
	}
	return x.Name
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

// limits are how a play is kept small: batches, failures, window.
func (s speaker) limits(x playPart) [][2]string {
	batches, failures, window := s.say("batches.none"), s.say("failures.none"), s.say("window.none")
	switch {
	case len(x.Batches) == 1:
		batches = s.say("batches.one")
	case len(x.Batches) > 1:
		batches = s.say("batches.value", len(x.Batches), s.sizes(x.Batches))
	}
	switch {
	case x.MaxFailures == nil:
	case *x.MaxFailures == 0:
		failures = s.say("failures.zero")
	default:
		failures = s.say("failures.value", *x.MaxFailures)
	}
	if x.Window != "" {
		window = x.Window
		if x.Opens != "" {
			window = s.say("window.opens", x.Window, x.Opens)
		}
	}
	return [][2]string{{s.say("batches"), batches}, {s.say("failures"), failures}, {s.say("window"), window}}
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

// arguments are those of a step, the unknown ones among them.
func (s speaker) arguments(x step) []string {
	var out []string
	for _, a := range x.Args {
		out = append(out, a.Name+" = "+a.Value)
	}
	for _, name := range x.Unknown {
		out = append(out, s.say("arg.unknown", name))
	}
	return out
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

func (s speaker) group(name string) string {
	if name == "" {
		return s.say("group.none")
	}
	return name
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

func (s speaker) lookedAt(p *page) string {
	hosts := 0
	for _, h := range p.All {
		if len(h.Looked) > 0 {
			hosts++
		}
	}
	return s.say("looked.intro", s.say("n.lines", p.Lines), s.say("n.hosts", hosts))
}

// hostCount is a name, or a number when there are too many names for a line.
func (s speaker) hostCount(hosts []string) string {
	if len(hosts) <= 3 {
		return s.list(hosts)
	}
	return s.say("n.hosts", len(hosts))
}

func (s speaker) variable(secret string, value json.RawMessage) string {
	if secret != "" {
		return s.say("secret", secret)
	}
	return string(value)
}
