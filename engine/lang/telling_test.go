package lang_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/rehearse"
)

// telling is a journal that is told: in the words of a golden file.
type telling struct{ events []engine.Event }

func (l *telling) Append(e engine.Event) error {
	l.events = append(l.events, e)
	return nil
}

// text is what was planned and what happened. Hosts for which the same is to be told are told together; how long
// something waited is simulated time, and always the same.
func (l *telling) text(name string, out rehearse.Outcome) string {
	var b strings.Builder
	if name != "" {
		fmt.Fprintf(&b, "SCENARIO %s\n", name)
	}
	b.WriteString("PLAN\n")
	items(&b, out.Plan.Items())
	l.pass(&b, "plan")
	fmt.Fprintf(&b, "  worst case: %s\n", out.Plan.Worst())
	if slices.ContainsFunc(l.events, func(e engine.Event) bool { return e.Pass == "apply" }) {
		b.WriteString("RUN\n")
		l.pass(&b, "apply")
	}
	b.WriteString("END\n")
	for _, host := range slices.Sorted(maps.Keys(out.Result.Hosts)) {
		h := out.Result.Hosts[host]
		fmt.Fprintf(&b, "  %s %s", host, h.Status)
		if h.Changed > 0 {
			b.WriteString(", acted on")
		}
		if h.Silent {
			b.WriteString(", because of silence")
		}
		b.WriteString("\n")
	}
	switch s := out.Result.Stop; {
	case s != nil:
		fmt.Fprintf(&b, "  stopped by %s %s: %s\n", s.Kind, s.Item, s.Reason)
	case !out.Result.AnyHost:
		b.WriteString("  no play had a host\n")
	}
	return b.String()
}

func items(b *strings.Builder, all []plan.Item) {
	heads, order := map[string][]string{}, []string{}
	for _, i := range all {
		text := item(i)
		if heads[text] == nil {
			order = append(order, text)
		}
		heads[text] = append(heads[text], i.Host)
	}
	for _, text := range order {
		b.WriteString(strings.Replace(text, "HOSTS", strings.Join(heads[text], " "), 1))
	}
}

func item(i plan.Item) string {
	text := fmt.Sprintf("  %s, HOSTS%s: %s\n", named(i.Entry, i.Item), by(i.On, i.Host), i.Disposition)
	line := func(what, value string) {
		if value != "" {
			text += "      " + what + value + "\n"
		}
	}
	line("", i.Title)
	line("because ", i.Reason)
	line("waits for ", strings.Join(i.Waits, ", "))
	for _, a := range i.Args {
		line(a.Name+" = ", a.Value)
	}
	line("unknown: ", strings.Join(i.Unknown, ", "))
	for _, e := range i.Effects {
		line("effect: ", string(e))
	}
	line("sees ", i.Values)
	if i.Error != nil {
		line("fails: ", failure(i.Error))
	}
	return text
}

func named(entry, item string) string {
	if item == "" {
		return entry
	}
	return fmt.Sprintf("%s[%q]", entry, item)
}

func by(on, host string) string {
	if on == "" || on == host {
		return ""
	}
	return " by " + on
}

func failure(e *engine.EventError) string {
	text := fmt.Sprintf("%s, of %q: %s", e.Kind, e.Host, e.Text)
	if e.Hint != "" {
		text += fmt.Sprintf(" (%s)", e.Hint)
	}
	if e.Unreachable {
		text += " [unreachable]"
	}
	return text
}

// pass tells the events of one pass: what belongs to a host is told host by host.
func (l *telling) pass(b *strings.Builder, pass string) {
	hosts := map[string]*strings.Builder{}
	last := map[string]time.Time{}
	flush := func() {
		heads, order := map[string][]string{}, []string{}
		for _, name := range slices.Sorted(maps.Keys(hosts)) {
			text := folded(hosts[name].String())
			if heads[text] == nil {
				order = append(order, text)
			}
			heads[text] = append(heads[text], name)
		}
		for _, text := range order {
			fmt.Fprintf(b, "    %s\n%s", strings.Join(heads[text], " "), text)
		}
		clear(hosts)
		clear(last)
	}
	for _, e := range l.events {
		if e.Pass != pass {
			continue
		}
		text := event(e)
		switch {
		case text == "":
			continue
		case e.Host == "" || e.Play == "":
			flush()
			b.WriteString("  " + text + "\n")
			continue
		case hosts[e.Host] == nil:
			hosts[e.Host] = &strings.Builder{}
		case e.Time.After(last[e.Host]):
			fmt.Fprintf(hosts[e.Host], "      %s later\n", e.Time.Sub(last[e.Host]))
		}
		last[e.Host] = e.Time
		hosts[e.Host].WriteString("      " + text + "\n")
	}
	flush()
}

// folded tells only once what happens again and again.
func folded(text string) string {
	const lines = 3 // of a look at a goal
	in, out := strings.SplitAfter(text, "\n"), []string{}
	for i := 0; i < len(in); {
		n := 0
		for next := i + lines; next+lines <= len(in) && slices.Equal(in[i:i+lines], in[next:next+lines]); next += lines {
			n++
		}
		if n < 2 {
			out = append(out, in[i])
			i++
			continue
		}
		out = append(append(out, in[i:i+lines]...), fmt.Sprintf("      the same %d times more\n", n))
		i += (n + 1) * lines
	}
	return strings.Join(out, "")
}

// event is one line; "" for what the plan or another event tells.
func event(e engine.Event) string {
	if e.Pass == "plan" && (e.Kind == engine.EventEntryEnd || e.Kind == engine.EventHostEnd && e.Status == "ok") {
		return ""
	}
	text := ""
	switch e.Kind {
	case engine.EventPlayStart:
		text = fmt.Sprintf("play %s, hosts: %d", e.Play, e.Hosts)
		if e.Title != "" {
			text += fmt.Sprintf(" %q", e.Title)
		}
	case engine.EventBatchStart:
		if e.Counts["of"] == 1 {
			return ""
		}
		text = fmt.Sprintf("batch %d of %d, hosts: %d", e.Attempt, e.Counts["of"], e.Hosts)
	case engine.EventIntent:
		text = "does " + named(e.Entry, e.Item) + by(e.On, e.Host)
		for _, a := range e.Args {
			text += fmt.Sprintf(" %s=%s", a.Name, a.Value)
		}
		return text
	case engine.EventEntryEnd:
		text = fmt.Sprintf("%s %s %s", named(e.Entry, e.Item)+by(e.On, e.Host), e.Status, e.Values)
	case engine.EventRetry:
		text = fmt.Sprintf("%s is repeated after execution %d", named(e.Entry, e.Item), e.Attempt)
	case engine.EventGoal:
		text = fmt.Sprintf("goal of %s %s", e.Entry, e.Status)
	case engine.EventAttempt:
		text = fmt.Sprintf("attempt %q %s", e.Title, e.Status)
	case engine.EventCheck:
		text = fmt.Sprintf("check %s %s", e.Entry, e.Status)
	case engine.EventHostEnd:
		text = "ends " + e.Status
		if e.Play == "" {
			text = e.Host + " " + text
		}
	case engine.EventPlayEnd:
		text = "play " + e.Play + " is over:"
		for _, status := range slices.Sorted(maps.Keys(e.Counts)) {
			text += fmt.Sprintf(" %s %d", status, e.Counts[status])
		}
	case engine.EventSignal:
		text = "signal"
	default:
		return ""
	}
	text = strings.TrimSpace(text)
	if e.Reason != "" {
		text += " because " + e.Reason
	}
	if e.Error != nil {
		text += " fails: " + failure(e.Error)
	}
	return text
}
