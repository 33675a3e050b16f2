package rehearse

import (
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// story is what happened, pass by pass, in the words of an expectation.
type story struct {
	also   engine.Journal
	names  map[string]string // address of a step → what it is called
	passes map[string]*told
	last   string
}

// told is what happened in one pass.
type told struct{ acts, warnings, says []string }

func newStory(p *engine.Playbook, also engine.Journal) *story {
	return &story{also: also, names: stepNames(p), passes: map[string]*told{}}
}

// stepNames calls a step by its name, and by its whole address where several have the same.
func stepNames(p *engine.Playbook) map[string]string {
	names, count := map[string]string{}, map[string]int{}
	for _, i := range p.Items {
		if i.Play == nil {
			continue
		}
		for e := range engine.Walk(i.Play.Entries) {
			if e.Kind == engine.EntryStep {
				names[e.Address] = e.Name
				count[e.Name]++
			}
		}
	}
	for address, name := range names {
		if count[name] > 1 {
			names[address] = address
		}
	}
	return names
}

// label is a step on a host, as an expectation names it.
func (s *story) label(entry, item, host, on string) string {
	name, ok := s.names[entry]
	if !ok {
		name = entry
	}
	if item != "" {
		name += "[" + item + "]"
	}
	if on == "" || on == host {
		return name + " on " + host
	}
	return name + " on " + on + " for " + host
}

// told is what happened in the last pass.
func (s *story) told() *told {
	if t := s.passes[s.last]; t != nil {
		return t
	}
	return &told{}
}

// Append implements engine.Journal.
func (s *story) Append(e engine.Event) error {
	if e.Pass != "" {
		s.last = e.Pass
	}
	t := s.passes[s.last]
	if t == nil {
		t = &told{}
		s.passes[s.last] = t
	}
	switch {
	case e.Kind == engine.EventIntent:
		t.acts = append(t.acts, s.label(e.Entry, e.Item, e.Host, e.On))
	case e.Kind == engine.EventCheck && e.Status == "warning":
		name := e.Entry
		if e.Host != "" {
			name += " on " + e.Host
		}
		t.warnings = append(t.warnings, name)
		t.says = append(t.says, e.Reason)
	}
	if e.Error != nil {
		t.says = append(t.says, strings.TrimSpace(e.Error.Text+" "+e.Error.Hint))
	}
	if s.also != nil {
		return s.also.Append(e)
	}
	return nil
}
