package nsx

import (
	"slices"
	"time"
)

// Tag is a tag of a virtual machine. NSX-V knows no scope.
type Tag struct{ Scope, Name string }

// String is scope|name, as the user interface of NSX-T shows it.
func (t Tag) String() string {
	if t.Scope == "" {
		return t.Name
	}
	return t.Scope + "|" + t.Name
}

// machine is a VM and the history of its tags, the youngest last.
type machine struct {
	VM
	history []moment
}

type moment struct {
	at   time.Time
	tags []Tag
}

// now gives the youngest tags. What follows wants the lock, but for change, which takes it.
func (x *machine) now() []Tag { return x.history[len(x.history)-1].tags }

// before gives the tags as they were so long ago.
func (x *machine) before(d time.Duration) []Tag {
	for i := len(x.history) - 1; i > 0; i-- {
		if time.Since(x.history[i].at) >= d {
			return x.history[i].tags
		}
	}
	return x.history[0].tags
}

// read is what the API shows.
func (m *Manager) read(x *machine) []Tag { return x.before(m.cfg.Clock.Real(m.cfg.ReadDelay)) }

func (m *Manager) member(x *machine) bool {
	return slices.Contains(x.before(m.cfg.Clock.Real(m.cfg.GroupDelay)), m.cfg.Membership)
}

// change sets the tags of a machine. What is no change leaves no trace.
func (m *Manager) change(x *machine, f func([]Tag) []Tag) {
	m.mu.Lock()
	tags := f(slices.Clone(x.now()))
	same := slices.Equal(tags, x.now())
	if !same {
		x.history = append(x.history, moment{time.Now(), tags})
	}
	m.mu.Unlock()
	if !same {
		m.cfg.Changed(x.InstanceUUID)
	}
}

func with(tags []Tag, more ...Tag) []Tag {
	for _, t := range more {
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags
}

func without(tags []Tag, less ...Tag) []Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t Tag) bool { return slices.Contains(less, t) })
}
