package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/dsplay/dsplay/engine"
)

// Text writes the plan for people: what may change something, host by host, with the reason and the exact commands,
// then the worst case. redact hides secrets in what came from outside; what a host says can neither drive the terminal nor
// look like a line of the plan.
func (p *Plan) Text(w io.Writer, redact func(string) string) {
	hide := redact
	redact = func(s string) string { return quiet(hide(s)) }
	acting := p.Acting()
	if len(acting) == 0 {
		fmt.Fprintln(w, "Plan: nothing to change.")
		return
	}
	acting = append(acting, p.unplanned()...)
	fmt.Fprintln(w, "Plan: this is what may be changed, and nothing else.")
	play, host, why := "", "", ""
	for _, i := range grouped(acting) {
		if i.Play != play || i.Host != host {
			play, host, why = i.Play, i.Host, ""
			fmt.Fprintf(w, "\n  %s · %s\n", i.Play, i.Host)
		}
		if address, reason := p.around(i); address != why {
			why = address
			fmt.Fprintf(w, "    why: %s\n", redact(reason))
		}
		item(w, i, redact)
	}
	fmt.Fprintf(w, "\nWorst case: %s\n", p.Worst())
	pb := p.Playbook
	for _, t := range [][2]string{{"Impact", pb.Impact}, {"Backout", pb.Backout}} {
		if t[1] != "" {
			fmt.Fprintf(w, "%s: %s\n", t[0], t[1])
		}
	}
}

// unplanned are the steps that might be needed and cannot be planned: they will not be done.
func (p *Plan) unplanned() []Item {
	return p.pick(func(i Item) bool {
		return i.Kind == engine.EntryStep && (i.Disposition == Unreachable || i.Disposition == Error)
	})
}

// grouped orders by play and host, then by entry: what one person looks for.
func grouped(items []Item) []Item {
	plays := map[string]int{}
	for _, i := range items {
		if _, ok := plays[i.Play]; !ok {
			plays[i.Play] = len(plays)
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		if d := plays[a.Play] - plays[b.Play]; d != 0 {
			return d
		}
		return strings.Compare(a.Host, b.Host)
	})
	return items
}

// around is the recover around an item and why it is needed; "" when there is none.
func (p *Plan) around(i Item) (address, reason string) {
	for address = i.Entry; strings.Contains(address, "/"); {
		address = address[:strings.LastIndex(address, "/")]
		if r, ok := p.Find(i.Play, i.Host, address); ok && r.Reason != "" {
			return address, r.Reason
		}
	}
	return "", ""
}

// quiet makes every line of a text after the first a continuation, and every character that a terminal obeys a dot.
func quiet(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return '·'
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
	return strings.ReplaceAll(s, "\n", "\n        | ")
}

var words = map[Disposition]string{
	WillRun:    "will run",
	Attempt:    "only if the goal does not hold by then",
	RescueOnly: "only if the block fails",
	Depends:    "depends on what has not run",

	Unreachable: "CANNOT BE PLANNED, so it will not be done: its host does not answer",
	Error:       "CANNOT BE PLANNED, so it will not be done",
}

func item(w io.Writer, i Item, redact func(string) string) {
	title := i.Title
	if title == "" {
		title = i.Entry[strings.Index(i.Entry, "/")+1:]
	}
	if i.Item != "" {
		title += fmt.Sprintf("[%q]", i.Item)
	}
	fmt.Fprintf(w, "    %s — %s, on %s (%s)\n", title, words[i.Disposition], i.On, i.Place)
	switch {
	case i.Error != nil:
		fmt.Fprintf(w, "      %s\n", redact(i.Error.Text))
	case i.Reason != "":
		fmt.Fprintf(w, "      when: %s\n", redact(i.Reason))
	}
	for _, name := range i.Unknown {
		fmt.Fprintf(w, "      %s: not known yet\n", name)
	}
	for _, c := range i.Diff.Changes {
		fmt.Fprintf(w, "      %s: %s → %s\n", redact(c.What), redact(c.Before), redact(c.After))
	}
	for _, c := range i.Diff.Commands {
		fmt.Fprintf(w, "      $ %s\n", redact(c))
	}
	if i.Diff.Note != "" {
		fmt.Fprintf(w, "      note: %s\n", redact(i.Diff.Note))
	}
	if len(i.Waits) > 0 {
		fmt.Fprintf(w, "      waits for: %s\n", strings.Join(i.Waits, ", "))
	}
	if len(i.Effects) > 0 {
		fmt.Fprintf(w, "      effects: %s\n", strings.Join(texts(i.Effects), ", "))
	}
}

func texts(effects []engine.Effect) []string {
	out := make([]string, len(effects))
	for n, e := range effects {
		out[n] = string(e)
	}
	return out
}

// String is the worst case on one line.
func (w Worst) String() string {
	s := fmt.Sprintf("%s on %s", plural(w.Entries, "entry acts", "entries act"), plural(len(w.Hosts), "host", "hosts"))
	var effects []string
	for e, n := range w.Effects {
		effects = append(effects, fmt.Sprintf("%s ×%d", e, n))
	}
	slices.Sort(effects)
	if len(effects) > 0 {
		s += "; " + strings.Join(effects, ", ")
	}
	if w.Unknown > 0 {
		s += fmt.Sprintf("; %d with arguments that are not known yet", w.Unknown)
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
