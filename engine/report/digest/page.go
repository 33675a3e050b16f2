package digest

import (
	"fmt"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine/journal"
)

// most is how many lines of one kind a page has; the rest is counted.
const most = 20

// Page is the whole story on one page: no line is wider than Width, but for a single word that is.
func (d *Digest) Page(about About) string {
	p := &page{}
	p.line(0, d.Subject(about.Machine))
	p.line(0, strings.Repeat("-", Width))
	d.head(p, about)
	p.section("What was wrong", d.wrong())
	p.section("What was done", d.done())
	p.section("What is left to a person", d.remains())
	if next := d.next(about); len(next) > 0 {
		p.heading("Next")
		for _, line := range next {
			p.command(line)
		}
	}
	if about.Journal != "" {
		p.section("The record", []string{about.Journal})
		if about.Hash != "" {
			p.line(2, about.Hash)
		}
	}
	return p.String()
}

func (d *Digest) head(p *page, about About) {
	run := d.run
	switch {
	case d.cut:
		run = "not known"
	case run == "":
		run = "none: it could not begin"
	}
	by := ""
	if about.User != "" {
		by = " as " + about.User
	}
	if d.policy != "" {
		by += ", permitted by policy " + d.policy
	}
	p.fact("Playbook", d.playbook)
	p.fact("Run", run+by)
	p.fact("Time", when(d.started, d.ended))
	ended := d.status
	if d.reason != "" {
		ended += ": " + d.reason
	}
	if !d.over {
		ended = "it has no end"
	}
	if !d.cut {
		ended += fmt.Sprintf(" (exit %d)", d.exit)
	}
	p.fact("Ended", ended)
}

func when(from, to time.Time) string {
	const form = "2006-01-02 15:04:05 -07:00"
	switch {
	case from.IsZero() && to.IsZero():
		return "not known"
	case from.IsZero():
		return "until " + to.Local().Format(form)
	case to.IsZero():
		return from.Local().Format(form)
	}
	return fmt.Sprintf("%s, for %s", from.Local().Format(form), to.Sub(from).Round(time.Second))
}

// wrong is what was found: checks, goals that did not hold, hosts that were not ok. What ended the run or a host is said there.
func (d *Digest) wrong() []string {
	var out []string
	for _, c := range d.checks {
		if !d.ends(c.host, c.reason) {
			out = append(out, c.text)
		}
	}
	for _, r := range d.recoveries.All() {
		text := fmt.Sprintf("%s: the goal of %q did not hold", r.Host, name(r))
		why := d.goals[spot{r.Play, r.Host, r.Entry, ""}]
		switch {
		case why == "":
			out = append(out, text)
		case !d.ends(r.Host, why):
			out = append(out, text+": "+why)
		}
	}
	out = append(out, d.drift...)
	for _, h := range d.bad() {
		x := d.hosts[h]
		text := h + ": " + x.status
		if x.text != "" {
			text += ": " + x.text
		}
		out = append(out, text)
		if x.hint != "" {
			out = append(out, "  "+x.hint)
		}
	}
	for _, w := range d.warnings {
		out = append(out, "warning: "+w.text)
	}
	return out
}

// ends tells whether it is said of the end of the run, or of a host.
func (d *Digest) ends(host, reason string) bool {
	reason = strings.TrimSuffix(reason, ".")
	h := d.hosts[host]
	return strings.Contains(d.reason, reason) || h != nil && strings.Contains(h.text, reason)
}

// done is what was changed, in order, and what it led to.
func (d *Digest) done() []string {
	var out []string
	for _, x := range d.deeds {
		where := x.host
		if x.on != "" && x.on != x.host {
			where += " on " + x.on
		}
		out = append(out, fmt.Sprintf("%s %s: %s: %s", x.time.Local().Format("15:04:05"), where, x.title, x.outcome))
	}
	for _, r := range d.recoveries.All() {
		switch tried := strings.Join(r.Attempts, ", then "); {
		case r.Healed:
			out = append(out, fmt.Sprintf("%s: healed, the goal of %q holds (%s)", r.Host, name(r), tried))
		case r.Over:
			out = append(out, fmt.Sprintf("%s: not healed, the goal of %q does not hold after: %s", r.Host, name(r), tried))
		}
	}
	switch {
	case len(out) > 0:
	case d.cut:
		out = append(out, "not known: what it had begun stands in its record")
	default:
		out = append(out, "nothing was changed")
	}
	return out
}

// remains is what somebody has to look after.
func (d *Digest) remains() []string {
	var out []string
	if d.left != nil {
		out = append(out, fmt.Sprintf("A plan waits for approval (%s): %s", d.worst, d.left.Reason))
	}
	for _, r := range d.refusals {
		out = append(out, "refused by policy "+r)
	}
	out = append(out, d.again...)
	if bad := d.bad(); len(bad) > 0 {
		out = append(out, fmt.Sprintf("%d of %d hosts did not end ok: %s", len(bad), len(d.hosts), some(bad, 10)))
	}
	if len(d.notBegun) > 0 {
		out = append(out, "plays not begun: "+strings.Join(d.notBegun, ", "))
	}
	for _, x := range d.deeds {
		if strings.HasPrefix(x.outcome, unknown) {
			out = append(out, fmt.Sprintf("%s: %s: nobody knows whether it happened", x.host, x.title))
		}
	}
	for _, u := range d.untold {
		out = append(out, "could not be told: "+u)
	}
	return out
}

func name(r journal.Recovery) string { return strings.TrimPrefix(r.Name(), "recover.") }

// some names the first n of a list, and counts the rest.
func some(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:n], ", "), len(list)-n)
}
