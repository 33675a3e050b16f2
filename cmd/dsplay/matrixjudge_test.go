package main

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lab"
)

// judge compares what happened with what the rows say: the world, what was received, and the words.
func (m *ordeal) judge() {
	m.world()
	m.changed()
	m.words()
	r := newReader(m.planned, m.events, looksOf(m.T))
	for _, s := range r.unread(m.plan, m.apply) {
		m.Errorf("not to be read in the plan: %s", s)
	}
	if !m.Failed() {
		m.mutants(r)
	}
}

// mutants are one line more than this run, of which the reader knows everything, as a module would send it that does more than it
// says: every one must be noticed.
func (m *ordeal) mutants(after reader) {
	repeated := map[string]bool{} // an execution that was cut short has announced more than it did
	doer := map[place]string{}
	for _, ev := range m.events {
		switch at := (place{ev.Play, ev.Host, ev.Entry, ev.Item}); ev.Kind {
		case engine.EventIntent:
			doer[at] = cmp.Or(ev.On, ev.Host)
		case engine.EventRetry:
			repeated[doer[at]] = true
		}
	}
	for _, r := range m.apply {
		if !r.Mutates || repeated[r.Host] {
			continue
		}
		other, elsewhere := r, r
		other.Text += "x"
		elsewhere.Host += "x"
		for _, more := range []lab.Received{r, other, elsewhere} {
			if after.applying(more) == "" {
				m.Errorf("nobody would notice if %s received %s besides", more.Host, more.Text)
			}
		}
		if after.planning(r) == "" {
			m.Errorf("nobody would notice if %s received %s while planning", r.Host, r.Text)
		}
	}
}

// world wants every engine to be as its row says, and all others as they were before anything happened.
func (m *ordeal) world() {
	want := map[string]string{}
	for _, g := range m.calm.Guests {
		want[g.Name] = g.Engine
	}
	for _, s := range m.subjects {
		if s.engine == "" {
			continue
		}
		for _, g := range m.calm.Guests {
			if g.Engine == lab.EngineOnline && (s.on == "guest" && g.Name == s.names["guest"] || s.on == "esxi" && g.ESXi == s.names["esxi"] || s.on == "") {
				want[g.Name] = s.engine
			}
		}
	}
	lone := slices.ContainsFunc(m.rows, func(r row) bool { return strings.HasPrefix(r.faults[0], "lone-guest") })
	for _, g := range m.World().Guests {
		if g.Engine != want[g.Name] && !(lone && g.Power == lab.Off) {
			m.Errorf("the engine of %s is %s, want %s", m.struck(g.Name), g.Engine, want[g.Name])
		}
		installs, boots := 0, 0
		for _, s := range m.subjects {
			if s.names["guest"] == g.Name {
				boots += s.boots
			}
		}
		for _, r := range m.apply {
			if r.Host != g.Name || !r.Mutates {
				continue
			}
			if strings.HasPrefix(done(r), "schtasks.exe /run ") {
				installs++
			}
			if strings.HasPrefix(done(r), "shutdown") {
				boots++
			}
		}
		was, _ := m.before.Guest(g.Name)
		// One that is refused, or fails, does not count as a run.
		if ran := g.InstallerRuns - was.InstallerRuns; ran > installs || installs > 0 && ran != 1 && g.Engine == lab.EngineOnline {
			m.Errorf("%s: the installer ran %d times, and was started %d times", m.struck(g.Name), g.InstallerRuns-was.InstallerRuns, installs)
		}
		if n := g.Boots - was.Boots; n != boots && was.Power == lab.On {
			m.Errorf("%s has booted %d times, and was asked to %d times", m.struck(g.Name), n, boots)
		}
	}
	if n := m.World().NSX.WrongPasswords; n > 0 {
		m.Errorf("NSX refused %d passwords", n)
	}
}

// changed wants for every line that changed something a pattern of a row, and for every pattern a line.
func (m *ordeal) changed() {
	want := map[string][]string{}
	for _, s := range m.subjects {
		for role, patterns := range s.acts {
			for _, p := range patterns {
				want[s.fill(role)] = append(want[s.fill(role)], s.fill(p))
			}
		}
	}
	for _, r := range m.apply {
		if !r.Mutates {
			continue
		}
		i := slices.IndexFunc(want[r.Host], func(p string) bool { return regexp.MustCompile(p).MatchString(done(r)) })
		if i < 0 {
			m.Errorf("%s was changed, and no row says so: %s", m.struck(r.Host), done(r))
			continue
		}
		want[r.Host] = slices.Delete(want[r.Host], i, i+1)
	}
	for _, host := range slices.Sorted(maps.Keys(want)) {
		for _, p := range want[host] {
			m.Errorf("%s did not receive %s", m.struck(host), p)
		}
	}
}

// words wants the outcome to be said as the rows say.
func (m *ordeal) words() {
	if m.ended != m.code {
		m.Errorf("exit %d, want %d", m.ended, m.code)
	}
	ends := map[string]string{}
	for _, ev := range m.events {
		if ev.Kind == engine.EventHostEnd && (ends[ev.Host] == "" || ev.Status != "ok") {
			ends[ev.Host] = ev.Status
		}
	}
	for _, s := range m.subjects {
		for _, text := range s.says {
			if !strings.Contains(m.text, s.fill(text)) {
				m.Errorf("%s: the output does not say %q", s.name(), s.fill(text))
			}
		}
		if s.heals != "" && !slices.ContainsFunc(m.events, func(ev engine.Event) bool { return healed(ev, s) }) {
			m.Errorf("%s: no event says that %q healed it", s.name(), s.heals)
		}
		host := s.names[s.on]
		if s.on == "esxi" && s.names["guest"] != "" && strings.Contains(s.faults[0], "{guest}") {
			host = s.names["guest"]
		}
		if status := s.status; s.on != "" && m.planned.Stop == nil {
			if status == "" {
				status = "ok"
			}
			if got := ends[host]; got != status && !(got == "" && status == "ok" && s.heals == "") {
				m.Errorf("%s: %s ended %q, want %q", s.name(), host, got, status)
			}
		}
	}
}

// healed tells whether an event says that the remedy of a subject has helped.
func healed(ev engine.Event, s subject) bool {
	if ev.Kind != engine.EventEntryEnd || ev.Status != string(engine.StatusChanged) || ev.Host != s.names["esxi"] && ev.Host != s.names["guest"] {
		return false
	}
	return strings.Contains(ev.Reason, `the goal holds after "`+s.heals+`"`) || strings.HasSuffix(ev.Entry, "/"+s.heals)
}
