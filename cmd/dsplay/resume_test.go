package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/lab"
)

// killedAt runs the playbook and kills it (kill -9) when at says so of an event; it gives the run's name.
func (e *estate) killedAt(at func(engine.Event) bool, more ...string) string {
	e.t.Helper()
	killed := false
	run, _ := e.killAt(func(_ int, ev engine.Event) bool {
		killed = killed || at(ev)
		return killed
	}, more...)
	if !killed {
		e.t.Fatal("the run ended before it could be killed")
	}
	return run
}

// killAt runs the playbook and kills it (kill -9) when at says so of an event and its number, from 1. It gives the run's name and
// the number of events that came.
func (e *estate) killAt(at func(int, engine.Event) bool, more ...string) (run string, events int) {
	e.t.Helper()
	return e.kill(at, append([]string{"run", "playbooks/engine-offline.hcl", "--yes", "--var", "poll=100ms", "--var", "patience=8s"}, more...)...)
}

// kill runs a command line until at says so of an event.
func (e *estate) kill(at func(int, engine.Event) bool, args ...string) (run string, events int) {
	e.t.Helper()
	c, out := e.begin(args...)
	return killed(c, out, at)
}

// begin starts a command line that writes its events to out.
func (e *estate) begin(args ...string) (*exec.Cmd, io.Reader) {
	e.t.Helper()
	c := command(e.t, append(args, "-i", filepath.Join(e.Dir(), "inventory.hcl"), "--json")...)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		e.t.Fatal(err)
	}
	return c, out
}

// killed reads events until the process ends, and kills it when at says so of one.
func killed(c *exec.Cmd, out io.Reader, at func(int, engine.Event) bool) (run string, events int) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var ev engine.Event
		if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
			continue // the last line may be torn
		}
		run, events = ev.Run, events+1
		if at(events, ev) {
			_ = c.Process.Kill() // it may have ended
		}
	}
	_ = c.Wait() // it was killed
	return run, events
}

func kindOf(kind engine.EventKind, pass string) func(engine.Event) bool {
	return func(e engine.Event) bool { return e.Kind == kind && e.Pass == pass }
}

// resume goes on with a run; what a dead one began in the lab is over in a second.
func (e *estate) resume(run string, more ...string) outcome {
	e.t.Helper()
	return e.dsplay(append([]string{"resume", run, "--settle", "1s"}, more...)...)
}

// changes counts what changed something in the world's truth.
func (e *estate) changes(want map[string]int) {
	e.t.Helper()
	got := map[string]int{}
	for host, lines := range e.mutations() {
		got[host] += len(lines)
	}
	for host, n := range want {
		if got[host] != n {
			e.t.Errorf("%s: %d changes, want %d: %q", host, got[host], n, e.mutations()[host])
		}
		delete(got, host)
	}
	for host, n := range got {
		e.t.Errorf("%s: %d changes: %q", host, n, e.mutations()[host])
	}
}

func TestResumeAfterKill(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(engine.Event) bool{
		"intent": kindOf(engine.EventIntent, "apply"),
		"first end": func(e engine.Event) bool {
			return e.Kind == engine.EventEntryEnd && e.Status == "changed" && e.Module != ""
		},
		"goal": func(e engine.Event) bool {
			return e.Kind == engine.EventAttempt && e.Attempt == 2 && e.Status == "started"
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEstate(t, lab.Options{})
			e.inject(lab.Fault{Name: "mux-stuck", Target: "esx3"}, lab.Fault{Name: "dsva-stuck", Target: "esx2"})
			run := e.killedAt(at)
			o := e.resume(run)
			e.ended(o, exitOK, "resuming run "+run)
			e.healthy()
			e.changes(map[string]int{"dsva2": 2, "dsva3": 2, "esx3": 1}) // a heartbeat follows a restart of the agent
			state, _ := stateDir()
			r, err := journal.Read(state, run, nil)
			if err != nil || !r.Ended || r.Summary.Resumed != 1 {
				t.Errorf("the journal: %+v, %v", r, err)
			}
			e.ended(e.resume(run), exitRefused, "it ended at")
		})
	}
}

func TestNothingToResume(t *testing.T) {
	e := newEstate(t, lab.Options{})
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx2"})
	run := e.killedAt(kindOf(engine.EventEntryEnd, "plan"))
	e.ended(e.resume(run), exitRefused, "before it began to change anything")
	e.ended(e.resume("20010101-000000-00000000"), exitUsage, "there is no run")
	e.acted(map[string][]string{})

	run = e.killedAt(kindOf(engine.EventIntent, "apply"))
	state, _ := stateDir()
	path := filepath.Join(journal.Dir(state, run), journal.Events)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), "restarted", "restorted", 1)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	e.ended(e.resume(run), exitRefused, "was changed")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(journal.Dir(state, run), journal.Plan)
	if data, err = os.ReadFile(plan); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plan, []byte(strings.Replace(string(data), "restarted", "restorted", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	e.ended(e.resume(run), exitRefused, "the plan was altered")
}
