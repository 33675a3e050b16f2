package report

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// told is what a person sees of events.
func told(verbose int, events ...engine.Event) string {
	var out bytes.Buffer
	t := &Terminal{W: &out, Verbose: verbose}
	for _, e := range events {
		_ = t.Append(e)
	}
	return out.String()
}

// A wait without events looks alive on a terminal: the line of progress counts on, and stops with the play.
func TestTerminalCountsOnWhileNothingHappens(t *testing.T) {
	r, w := io.Pipe()
	terminal := &Terminal{W: w, Live: true, Clock: true}
	go func() {
		_ = terminal.Append(engine.Event{Kind: engine.EventPlayStart, Play: "case_b", Hosts: 1, Time: time.Now().Add(-time.Minute)})
		_ = terminal.Append(engine.Event{Kind: engine.EventGoal, Play: "case_b", Host: "esx1", Time: time.Now()})
	}()
	read := bufio.NewReader(r)
	for range 2 { // the first line is that of the event, the next ones are the clock's
		if line, err := read.ReadString('l'); err != nil {
			t.Fatal(line, err)
		}
		if line, err := read.ReadString('\r'); err != nil {
			t.Fatal(line, err)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	_ = terminal.Append(engine.Event{Kind: engine.EventPlayEnd, Play: "case_b", Time: time.Now()})
	if terminal.stopped != nil {
		t.Error("the clock goes on after the play")
	}
}

// One cause of many failures is told three times with the host that is to blame, and then counted.
func TestTerminalCountsWhatIsAlike(t *testing.T) {
	events := []engine.Event{{Kind: engine.EventPlayStart, Pass: "plan", Play: "triage", Hosts: 6}}
	for n := range 5 {
		events = append(events, engine.Event{Kind: engine.EventHostEnd, Host: fmt.Sprintf("g%d", n), Status: "failed",
			Error: &engine.EventError{Host: "dsm1", Text: "connection refused", Hint: "does it run?"}})
	}
	events = append(events,
		engine.Event{Kind: engine.EventHostEnd, Host: "g5", Status: "failed", Error: &engine.EventError{Host: "g5", Text: "exit code 1"}},
		engine.Event{Kind: engine.EventPlayEnd, Play: "triage", Counts: map[string]int{"failed": 6}},
		engine.Event{Kind: engine.EventPlayStart, Pass: "apply", Play: "triage"})
	want := `Looking; nothing is changed.
  g0: failed: dsm1: connection refused
      does it run?
  g1: failed: dsm1: connection refused
  g2: failed: dsm1: connection refused
  g5: failed: exit code 1
  … and 2 more: failed: dsm1: connection refused
triage: 6 hosts, 6 failed  (0s)
Acting.
`
	if got := told(0, events...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := told(1, events...); !bytes.Contains([]byte(got), []byte("g4: failed")) {
		t.Errorf("-v hides a host:\n%s", got)
	}
}

// A host that did not answer ends its own play and is reported as a host that is asked by others: one line is enough.
func TestTerminalTellsAHostOnce(t *testing.T) {
	e := engine.Event{Kind: engine.EventHostEnd, Host: "esx2", Status: "unreachable", Error: &engine.EventError{Text: "refused"}}
	if got, want := told(0, e, e), "  esx2: unreachable: refused\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTerminalShowsFailuresThatAreIgnored(t *testing.T) {
	e := engine.Event{Kind: engine.EventEntryEnd, Host: "h", Entry: "p/step.x", Module: "command", Status: "failed",
		Reason: "its error is ignored (ignore_errors)", Error: &engine.EventError{Text: "exit code 1"}}
	if got, want := told(0, e), "  h: command x: failed: exit code 1; its error is ignored (ignore_errors)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// An attempt that failed does not fail its host; why it failed has to be seen all the same.
func TestTerminalShowsAttemptsThatFailed(t *testing.T) {
	e := engine.Event{Kind: engine.EventEntryEnd, Host: "g1", Entry: "case_a/engine/start the driver/step.start", Module: "service", Status: "failed",
		Error: &engine.EventError{Host: "g1", Text: "exit code 31"}}
	if got, want := told(0, e), "  g1: service start: failed: exit code 31\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e.Entry = "case_a/step.start" // the end of the host tells it
	if got := told(0, e); got != "" {
		t.Errorf("told twice: %q", got)
	}
}

// A wait of a quarter of an hour does not look like a hang in a log: a line when it begins, with its end, and then one a minute.
func TestTerminalTellsOfAWait(t *testing.T) {
	zone := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = zone })
	began := time.Date(2026, 11, 23, 2, 57, 0, 0, time.UTC)
	events := []engine.Event{{Kind: engine.EventPlayStart, Play: "case_b", Hosts: 1, Time: began}}
	for n, after := range []time.Duration{0, 30 * time.Second, time.Minute, 90 * time.Second} {
		events = append(events, engine.Event{Kind: engine.EventGoal, Host: "esx2", Entry: "case_b/engines", Status: "false", Title: "no engine is back",
			Reason: "length(x) > 0: x = []", Attempt: n + 1, Time: began.Add(after), Until: began.Add(15 * time.Minute)})
	}
	events = append(events,
		engine.Event{Kind: engine.EventEntryStart, Host: "esx2", Entry: "case_b/engines/the Mux/step.mux", Module: "esxi_mux", Time: began.Add(15 * time.Minute)},
		engine.Event{Kind: engine.EventRetry, Host: "esx2", Entry: "case_b/probe.after", Attempt: 4, Reason: "no", Time: began.Add(15*time.Minute + time.Second)})
	want := `  esx2: waiting until 03:12 for engines: no engine is back (look 1)
case_b  0/1 hosts  1m0s  esx2: waiting until 03:12 for engines: no engine is back (look 3)
case_b  0/1 hosts  15m0s  esx2: esxi_mux mux
`
	if got := told(0, events...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Both passes judge a check, and it ends its host: one line tells it.
func TestTerminalTellsACheckOnce(t *testing.T) {
	check := engine.Event{Kind: engine.EventCheck, Play: "case_a", Host: "g1", Entry: "VMware Tools", Status: "failed", Reason: "it is not installed"}
	end := engine.Event{Kind: engine.EventHostEnd, Play: "case_a", Host: "g1", Status: "failed", Error: &engine.EventError{Host: "g1", Text: "check VMware Tools: it is not installed"}}
	warning := engine.Event{Kind: engine.EventCheck, Play: "case_a", Host: "g1", Entry: "driver", Status: "warning", Reason: "it runs"}
	got := told(0, warning, check, end, engine.Event{Kind: engine.EventPlayStart, Pass: "apply", Play: "case_a"}, warning, check, end)
	if want := "  g1: warning: it runs\n  g1: check \"VMware Tools\" does not hold: it is not installed\nActing.\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	check.Host, check.Place = "", "p.hcl:3:1" // it ends the run, which says why
	exit := 5
	got = told(0, check, engine.Event{Kind: engine.EventRunEnd, Status: "stopped", Reason: "it is not installed; 3 hosts", Exit: &exit})
	if want := "  check \"VMware Tools\" does not hold (p.hcl:3:1)\n\nstopped: it is not installed; 3 hosts\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
