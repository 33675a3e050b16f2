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
// With Live it keeps one line of progress below the text; without, every line stays (for logs and pipes).
// It is an engine.Journal and relies on Sinks for redaction and order.
type Terminal struct {
	W       io.Writer
	Live    bool // W is a terminal
	Clock   bool // the line of progress goes on while no event comes, so that a long wait looks alive; nobody else writes to W during a play
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
	table  table

	pass string          // the pass of the events so far
	told map[string]bool // host and failure of this pass that were shown
	same map[string]int  // failure → how many hosts of the play have it
}

// alike is how many hosts of a play are shown with one and the same failure; more are only counted, except with -v.
const alike = 3

// Append implements engine.Journal.
func (t *Terminal) Append(e engine.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.table.add(e)
	if t.doing == nil {
		t.doing, t.told, t.same = map[string]string{}, map[string]bool{}, map[string]int{}
	}
	t.heading(e)
	switch e.Kind {
	case engine.EventPlayStart:
		t.play, t.total, t.done, t.began = e.Play, e.Hosts, 0, e.Time
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
		t.verbose(1, "  %s: %s: not needed any more: %s", e.Host, title(e), e.Reason)
	case engine.EventPolicy:
		t.policy(e)
	case engine.EventLeft:
		t.line(yellow, "\nLeft for a person: %s\n  id %s\nNext: %s", e.Reason, e.Title, strings.Join(e.Lines, "\n      "))
	case engine.EventNotify:
		t.line(yellow, "could not be told: %s: %s", e.Title, e.Reason)
	case engine.EventRecurrence:
		t.line(yellow, "  %s", e.Reason)
	case engine.EventSettled:
		t.line("", "  %s: %s%s: begun before the interruption: %s: %s", e.Host, title(e), on(e), strings.ReplaceAll(e.Status, "_", " "), e.Reason)
	case engine.EventSignal:
		t.line(yellow, "%s", e.Reason)
	case engine.EventEntryStart:
		if !strings.Contains(e.Entry, "/goal/") {
			t.doing[e.Host] = title(e)
		}
	case engine.EventProgress: // only a live line: it would flood a log
		t.doing[e.Host] = e.Reason
	case engine.EventIntent:
		t.intent(e)
	case engine.EventEntryEnd:
		t.entryEnd(e)
	case engine.EventRetry:
		t.verbose(1, "  %s: again after try %d: %s", e.Host, e.Attempt, e.Reason)
	case engine.EventAttempt:
		t.attempt(e)
	case engine.EventGoal:
		t.doing[e.Host] = "waiting for the goal"
		t.verbose(2, "  %s: goal %s: %s", e.Host, e.Status, e.Reason)
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
	for _, part := range []string{e.Host, title(e)} {
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

func (t *Terminal) progress(now time.Time) {
	if !t.Live || t.play == "" || t.total == 0 || t.status && now.Sub(t.shown) < 100*time.Millisecond {
		return
	}
	t.shown = now
	doing := ""
	if len(t.doing) > 0 {
		host := slices.Min(slices.Collect(maps.Keys(t.doing))) // the same one as a second ago, while it is at it
		doing = fmt.Sprintf("  %s: %s", host, t.doing[host])
	}
	text := Printable(fmt.Sprintf("%s  %d/%d hosts  %s%s", t.play, t.done, t.total, now.Sub(t.began).Round(time.Second), doing))
	if r := []rune(text); len(r) > 78 {
		text = string(r[:77]) + "…"
	}
	fmt.Fprint(t.W, "\r\x1b[K", text)
	t.status = true
}

// startClock writes the line of progress anew every second until the play ends.
func (t *Terminal) startClock() {
	t.stopClock()
	if !t.Live || !t.Clock {
		return
	}
	stopped := make(chan struct{})
	t.stopped = stopped
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stopped:
				return
			case now := <-tick.C:
				t.mu.Lock()
				if t.stopped == stopped {
					t.progress(now)
				}
				t.mu.Unlock()
			}
		}
	}()
}

func (t *Terminal) stopClock() {
	if t.stopped != nil {
		close(t.stopped)
		t.stopped = nil
	}
}

// heading says which of the two passes begins: the plays of both have the same names.
func (t *Terminal) heading(e engine.Event) {
	if e.Kind != engine.EventPlayStart || e.Pass == t.pass {
		return
	}
	t.pass = e.Pass
	clear(t.told)
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

func (t *Terminal) check(e engine.Event) {
	where := ""
	if e.Host != "" {
		where = e.Host + ": "
	}
	switch e.Status {
	case "warning":
		t.line(yellow, "  %swarning: %s", where, e.Reason)
	case "failed":
		t.line(red, "  %scheck %q does not hold: %s", where, e.Entry, e.Reason)
	default:
		t.verbose(1, "  %scheck %q: %s", where, e.Entry, e.Status)
	}
}

func (t *Terminal) intent(e engine.Event) {
	t.line(bold, "  %s: %s%s", e.Host, title(e), on(e))
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
		t.line(green, "  %s: %s: %s (%s)%s", e.Host, title(e), e.Status, e.Took.Round(10*time.Millisecond), reason(e))
	case status == engine.StatusFailed && e.Error != nil && e.Reason != "":
		t.line(yellow, "  %s: %s: failed: %s; %s", e.Host, title(e), e.Error.Text, e.Reason)
	case status == engine.StatusFailed && e.Error != nil && attempted(e.Entry): // the host goes on with the next attempt
		t.line(yellow, "  %s: %s: failed: %s", e.Host, title(e), blamed(e.Host, e.Error))
	case status == engine.StatusFailed && e.Error != nil:
		t.verbose(1, "  %s: %s: failed: %s", e.Host, title(e), e.Error.Text)
	default:
		t.verbose(1, "  %s: %s: %s%s", e.Host, title(e), e.Status, reason(e))
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

// title is what an entry calls itself: its title, or its module and name.
func title(e engine.Event) string {
	name := e.Entry[strings.LastIndex(e.Entry, "/")+1:]
	switch {
	case e.Title != "":
		name = e.Title
	case e.Module != "":
		name = e.Module + " " + name[strings.LastIndex(name, ".")+1:]
	}
	if e.Item != "" {
		name += fmt.Sprintf("[%q]", e.Item)
	}
	return name
}
