package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/engine/plan"
)

// mixed are faults of every kind at once: of appliances, of a Mux, of guests; one guest sleeps and is left alone.
func mixed() []lab.Fault {
	return []lab.Fault{{Name: "dsva-stuck", Target: "esx2"}, {Name: "mux-stuck", Target: "esx3"}, {Name: "driver-stopped", Target: "guest1-2"},
		{Name: "tools-without-introspection", Target: "guest1-5"}, {Name: "tools-broken", Target: "guest4-3"}, {Name: "asleep", Target: "guest4-6"}}
}

// filed is a plan in a file.
type filed struct {
	outcome
	path string
	*plan.Document
}

// plan makes a plan of the playbook and wants it to end with code.
func (e *estate) plan(code int, more ...string) filed {
	e.t.Helper()
	return e.planOf("playbooks/engine-offline.hcl", code, append([]string{"--var", "poll=100ms", "--var", "patience=8s"}, more...)...)
}

func (e *estate) planOf(book string, code int, more ...string) filed {
	e.t.Helper()
	path := filepath.Join(e.t.TempDir(), "night.plan")
	o := e.dsplay(append([]string{"plan", book, "--out", path}, more...)...)
	e.ended(o, code)
	if e.t.Failed() {
		e.t.FailNow()
	}
	return filed{o, path, readFile(e.t, path)}
}

func readFile(t *testing.T, path string) *plan.Document {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := plan.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// apply applies a plan, which names its inventory itself.
func (e *estate) apply(p filed, more ...string) outcome {
	e.t.Helper()
	return process(e.t, append([]string{"apply", p.path}, more...)...)
}

// events are the lines of --json.
func events(t *testing.T, lines string) []engine.Event {
	t.Helper()
	var all []engine.Event
	for line := range strings.Lines(lines) {
		var ev engine.Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, ev)
	}
	return all
}

// What planning sends is in the plan, and what is applied was in the plan: both compared line by line with what the systems
// received.
func TestApplyDoesWhatThePlanSaysAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		lab    lab.Options
		faults []lab.Fault
		plan   []string
	}{
		{"all faults", lab.Options{}, mixed(), nil},
		{"older systems", lab.Options{NoREST: true, Japanese: true, NSXV: true, PlainWS: true, ESXi: 3, Guests: 5}, []lab.Fault{{Name: "dsva-stuck", Target: "esx2"},
			{Name: "tools-broken", Target: "guest1-3"}}, nil},
		{"with consent", lab.Options{}, []lab.Fault{{Name: "asleep", Target: "guest2-3"}, {Name: "disconnected", Target: "guest1-1"}},
			[]string{"--var", "wake=true", "--var", "reboot=true", "--var", "change_tools=false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEstate(t, c.lab)
			e.inject(c.faults...)
			p := e.plan(exitOK, c.plan...)
			e.acted(map[string][]string{})
			e.listed(p)
			o := e.apply(p, "--json")
			e.ended(o, exitOK)
			e.inside(p)
			e.allRan(p, o)
			e.healthy()
		})
	}
}

// listed wants a plan to list exactly what the systems have received, as often as they did.
func (e *estate) listed(p filed) {
	e.t.Helper()
	looked := map[string]map[string]int{}
	for _, r := range e.Received() {
		if looked[r.Host] == nil {
			looked[r.Host] = map[string]int{}
		}
		looked[r.Host][asked(r)]++
	}
	for _, h := range p.Hosts {
		listed := map[string]int{}
		for _, l := range h.Looked {
			listed[l.Line] = l.Times
		}
		for _, line := range goodbyes {
			delete(listed, line)
			delete(looked[h.Name], line)
		}
		if !maps.Equal(listed, looked[h.Name]) {
			e.t.Errorf("%s: the plan lists %v, received were %v", h.Name, listed, looked[h.Name])
		}
		delete(looked, h.Name)
	}
	if len(looked) > 0 {
		e.t.Errorf("hosts that the plan does not know received %v", looked)
	}
}

// inside wants every line that changed something to be one that the plan has for its host.
func (e *estate) inside(p filed) {
	e.t.Helper()
	envelope := map[string][]string{}
	for _, i := range p.Items {
		if i.Acts() {
			envelope[i.On] = append(envelope[i.On], i.Diff.Commands...)
		}
	}
	acted := 0
	for _, r := range e.Received() {
		if !r.Mutates {
			continue
		}
		acted++
		if !slices.Contains(envelope[r.Host], done(r)) {
			e.t.Errorf("%s received %q; the plan has %q", r.Host, done(r), envelope[r.Host])
		}
	}
	if acted == 0 {
		e.t.Error("nothing was changed at all")
	}
}

// place is where something stands in a run.
type place struct{ play, host, entry, item string }

// allRan wants everything that the plan says will run to have run, or to be reported as not needed any more; and nothing to
// have run of which the plan says that it will not.
func (e *estate) allRan(p filed, o outcome) {
	e.t.Helper()
	began := map[place]engine.EventKind{}
	for _, ev := range events(e.t, o.stdout) {
		if ev.Kind == engine.EventIntent || ev.Kind == engine.EventResolved {
			began[place{ev.Play, ev.Host, ev.Entry, ev.Item}] = ev.Kind
		}
	}
	for _, i := range p.Items {
		at := place{i.Play, i.Host, i.Entry, i.Item}
		switch {
		case i.Kind != engine.EntryStep:
		case i.Disposition == plan.WillRun && began[at] == "":
			e.t.Errorf("%v will run, says the plan, and it did not", at)
		case !i.Acts() && began[at] != "":
			e.t.Errorf("%v is %s in the plan, and it ran", at, i.Disposition)
		}
		delete(began, at)
	}
	if len(began) > 0 {
		e.t.Errorf("the plan does not know of %v", began)
	}
}
