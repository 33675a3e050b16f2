package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/dsplay/dsplay/engine"
)

// Terminal shows events to a person: what was found, what is being done, what went wrong, and a table at the end.
// With Live it keeps one line of progress below the text; without, every line stays (for logs and pipes), and a minute without a
// line gets one of progress.
// It is an engine.Journal and relies on Sinks for redaction and order.
type Terminal struct {
	W       io.Writer
	Live    bool // W is a terminal
	Clock   bool // progress is shown while no event comes, so that a long wait looks alive; nobody else writes to W during a play
	Color   bool
	Verbose int // 1: every entry, 2: values and conditions, too

	mu      sync.Mutex    // the clock writes, too
	stopped chan struct{} // ends the clock of the play

	play   string
	total  int
	done   int
	began  time.Time
	doing  map[string]string // host → what it does now
	status bool              // a progress line stands
	shown  time.Time         // when it was last written
	now    time.Time         // what is shown is of now
	stayed time.Time         // when the last line was left
	table  table

	pass string          // the pass of the events so far
	told map[string]bool // host and failure that were shown: both passes find them
	same map[string]int  // failure → how many hosts of the play have it
}

// alike is how many hosts of a play are shown with one and the same failure; more are only counted, except with -v.
const alike = 3

// Append implements engine.Journal.
func (t *Terminal) Append(e engine.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = e.Time
	t.table.add(e)
	if t.doing == nil {
		t.doing, t.told, t.same = map[string]string{}, map[string]bool{}, map[string]int{}
	}
	t.heading(e)
	switch e.Kind {
	case engine.EventPlayStart:
		t.play, t.total, t.done, t.began, t.stayed = e.Play, e.Hosts, 0, e.Time, e.Time
		t.startClock()
	case engine.EventBatchStart:
		if of := e.Counts["of"]; of > 1 {
			t.line("", "%s: batch %d of %d, %s", e.Play, e.Attempt, of, hosts(e.Hosts))
		}
	case engine.EventPlayEnd:
		t.playEnd(e)
	case engine.EventHostEnd:
		t.hostEnd(e)
	case engine.EventCheck:
		t.check(e)
	case engine.EventDrift:
		t.drift(e)
	case engine.EventResolved:
		t.verbose(1, "  %s: %s: not needed any more: %s", e.Host, e.EntryTitle(), e.Reason)
	case engine.EventPolicy:
		t.policy(e)
	case engine.EventLeft:
		t.line(yellow, "\nLeft for a person: %s\n  id %s\nNext: %s", e.Reason, e.Title, strings.Join(e.Lines, "\n      "))
	case engine.EventNotify:
		t.line(yellow, "could not be told: %s: %s", e.Title, e.Reason)
	case engine.EventRecurrence:
		t.line(yellow, "  %s", e.Reason)
	case engine.EventSettled:
		t.line("", "  %s: %s%s: begun before the interruption: %s: %s", e.Host, e.EntryTitle(), on(e), strings.ReplaceAll(e.Status, "_", " "), e.Reason)
	case engine.EventSignal:
		t.line(yellow, "%s", e.Reason)
	case engine.EventEntryStart:
		if !strings.Contains(e.Entry, "/goal/") {
			t.doing[e.Host] = e.EntryTitle()
		}
	case engine.EventProgress:
		t.doing[e.Host] = e.Reason
	case engine.EventIntent:
		t.intent(e)
	case engine.EventEntryEnd:
		t.entryEnd(e)
	case engine.EventRetry:
		t.doing[e.Host] = fmt.Sprintf("%s: again after try %d: %s", e.EntryTitle(), e.Attempt, e.Reason)
		t.verbose(1, "  %s: again after try %d: %s", e.Host, e.Attempt, e.Reason)
	case engine.EventAttempt:
		t.attempt(e)
	case engine.EventGoal:
		t.goal(e)
	case engine.EventRunEnd:
		t.play = ""
		t.stopClock()
		t.table.write(t, e)
	}
	t.progress(e.Time)
	return nil
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

// line prints a line that stays.
func (t *Terminal) line(color, format string, a ...any) {
	if t.status {
		fmt.Fprint(t.W, "\r\x1b[K")
		t.status = false
	}
	t.stayed = t.now
	text := Printable(fmt.Sprintf(format, a...))
	if t.Color && color != "" {
		text = color + text + reset
	}
	fmt.Fprintln(t.W, text)
}

// drift shows what would be decided otherwise than in the plan.
func (t *Terminal) drift(e engine.Event) {
	color, what := red, "  drift: "
	if e.Status == "dropped" {
		color, what = yellow, "  dropped from the plan: "
	}
	if t.same["drift"]++; t.same["drift"] > 20 && t.Verbose == 0 {
		if t.same["drift"] == 21 {
			t.line(color, "  … and more (-v shows all)")
		}
		return
	}
	where := e.Play
	for _, part := range []string{e.Host, e.EntryTitle()} {
		if part != "" {
			where += " · " + part
		}
	}
	t.line(color, "%s%s: %s", what, where, e.Reason)
}

// policy shows what a policy refuses and why; what it has nothing against only with -v.
func (t *Terminal) policy(e engine.Event) {
	switch {
	case e.Item == "" && e.Status == "permitted":
		t.line(green, "policy %s: permits it", e.Title)
	case e.Item == "":
		t.line(red, "policy %s: refuses it", e.Title)
	case e.Status == "refused":
		t.line(red, "  %s: %s: %s", e.Title, e.Item, e.Reason)
	default:
		t.verbose(1, "  %s: %s: %s", e.Title, e.Item, e.Reason)
	}
}

// Printable keeps what came from a host from driving the terminal: other control characters than line ends and tabs, and
// those that turn the direction of writing, become dots.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return '·'
		}
		return r
	}, s)
}

func (t *Terminal) verbose(level int, format string, a ...any) {
	if t.Verbose >= level {
		t.line("", format, a...)
	}
}

// heading says which of the two passes begins: the plays of both have the same names.
func (t *Terminal) heading(e engine.Event) {
	if e.Kind != engine.EventPlayStart || e.Pass == t.pass {
		return
	}
	t.pass = e.Pass
	switch e.Pass {
	case "plan":
		t.line(bold, "Looking; nothing is changed.")
	case "apply":
		t.line(bold, "Acting.")
	}
}

func (t *Terminal) playEnd(e engine.Event) {
	for _, what := range slices.Sorted(maps.Keys(t.same)) {
		if more := t.same[what] - alike; more > 0 && t.Verbose == 0 {
			t.line(red, "  … and %d more: %s", more, what)
		}
	}
	clear(t.same)
	if t.total > 0 {
		t.line("", "%s: %s, %s  (%s)", e.Play, hosts(t.total), counts(e.Counts), e.Time.Sub(t.began).Round(10*time.Millisecond))
	}
	t.play, t.total = "", 0
	t.stopClock()
	clear(t.doing)
}

func (t *Terminal) hostEnd(e engine.Event) {
	t.done++
	delete(t.doing, e.Host)
	if e.Status == string(engine.HostOK) || e.Error == nil {
		return
	}
	what := e.Status + ": " + blamed(e.Host, e.Error)
	if t.told[e.Host+" "+what] { // a host that broke its own play is reported once more, as a host that did not answer
		return
	}
	t.told[e.Host+" "+what] = true
	if t.same[what]++; t.same[what] > alike && t.Verbose == 0 {
		return
	}
	t.line(red, "  %s: %s", e.Host, what)
	if e.Error.Hint != "" && t.same[what] == 1 {
		t.line("", "      %s", e.Error.Hint)
	}
}

// blamed is the error of a host, with the one that failed when that is another.
func blamed(host string, e *engine.EventError) string {
	if e.Host == "" || e.Host == host {
		return e.Text
	}
	return e.Host + ": " + e.Text
}

// check shows a check that does not hold, once: both passes judge it. One of a file ends the run, which says why; one of a host is
// how the host ends, unless something catches it.
func (t *Terminal) check(e engine.Event) {
	where := ""
	if e.Host != "" {
		where = e.Host + ": "
	}
	said := fmt.Sprintf("%s %s: check %s: %s", e.Host, engine.HostFailed, e.Entry, e.Reason) // as the end of the host says it
	known := t.told[said]
	if e.Status == "warning" || e.Status == "failed" {
		t.told[said] = true
	}
	switch {
	case known && t.Verbose == 0:
	case e.Status == "warning":
		t.line(yellow, "  %swarning: %s", where, e.Reason)
	case e.Status == "failed" && e.Host == "":
		t.line(red, "  check %q does not hold (%s)", e.Entry, e.Place)
	case e.Status == "failed":
		t.line(red, "  %scheck %q does not hold: %s", where, e.Entry, e.Reason)
	default:
		t.verbose(1, "  %scheck %q: %s", where, e.Entry, e.Status)
	}
}

func (t *Terminal) intent(e engine.Event) {
	t.line(bold, "  %s: %s%s", e.Host, e.EntryTitle(), on(e))
	for _, c := range e.Lines { // whole in the plan, in the JSON lines, and with -v
		if r := []rune(c); len(r) > 100 && t.Verbose == 0 {
			c = string(r[:99]) + "…"
		}
		t.line("", "      $ %s", c)
	}
}

func (t *Terminal) entryEnd(e engine.Event) {
	switch status := engine.Status(e.Status); {
	case status == engine.StatusChanged || status == engine.StatusRan:
		t.line(green, "  %s: %s: %s (%s)%s", e.Host, e.EntryTitle(), e.Status, e.Took.Round(10*time.Millisecond), reason(e))
	case status == engine.StatusFailed && e.Error != nil && e.Reason != "":
		t.line(yellow, "  %s: %s: failed: %s; %s", e.Host, e.EntryTitle(), e.Error.Text, e.Reason)
	case status == engine.StatusFailed && e.Error != nil && attempted(e.Entry): // the host goes on with the next attempt
		t.line(yellow, "  %s: %s: failed: %s", e.Host, e.EntryTitle(), blamed(e.Host, e.Error))
	case status == engine.StatusFailed && e.Error != nil:
		t.verbose(1, "  %s: %s: failed: %s", e.Host, e.EntryTitle(), e.Error.Text)
	default:
		t.verbose(1, "  %s: %s: %s%s", e.Host, e.EntryTitle(), e.Status, reason(e))
	}
	if e.Values != "" {
		t.verbose(2, "      %s", e.Values)
	}
}

// attempted tells whether an entry stands in an attempt of a recover: PLAY/RECOVER/ATTEMPT/ENTRY.
func attempted(entry string) bool {
	return strings.Count(entry, "/") > 2 && !strings.Contains(entry, "/goal/")
}

func (t *Terminal) attempt(e engine.Event) {
	if e.Status == string(engine.StatusSkipped) {
		t.verbose(1, "  %s: attempt %q is skipped: %s", e.Host, e.Title, e.Reason)
		return
	}
	t.line("", "  %s: attempt %d: %s", e.Host, e.Attempt, e.Title)
}

func hosts(n int) string {
	if n == 1 {
		return "1 host"
	}
	return fmt.Sprintf("%d hosts", n)
}

func reason(e engine.Event) string {
	if e.Reason == "" {
		return ""
	}
	return ": " + e.Reason
}

func on(e engine.Event) string {
	if e.On == "" {
		return ""
	}
	return ", on " + e.On
}
