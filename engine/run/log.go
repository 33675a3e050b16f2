package run

import (
	"sync"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
)

// log numbers events and hands them to the journal, one after the other.
type log struct {
	run     string
	journal engine.Journal
	clock   Clock

	mu  sync.Mutex
	seq int
}

// write records an event; an intent has reached the disk when it returns. Others may write while it waits for that.
func (l *log) write(e engine.Event) error {
	err := l.append(e)
	if disk, ok := l.journal.(engine.Syncer); ok && err == nil && e.Kind == engine.EventIntent {
		return disk.Sync()
	}
	return err
}

func (l *log) append(e engine.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	e.V, e.Run, e.Seq, e.Time = engine.EventVersion, l.run, l.seq, l.clock.Now()
	return l.journal.Append(e)
}

// logCheck records what a check said.
func (p *pass) logCheck(c *engine.Check, play, host string, j engine.Judged) error {
	status := "ok"
	switch {
	case j.Unknown:
		status = "depends"
	case !j.OK && c.Warning:
		status = "warning"
	case !j.OK:
		status = "failed"
	}
	reason := j.Message
	if j.OK || j.Unknown {
		reason = j.Why
	}
	if p.planning {
		p.plan.Judge(plan.Check{Name: c.Name, Play: play, Host: host, Place: c.Range.String(), Status: status, Reason: p.o.Redact(reason), Waits: j.Waits})
	}
	return p.write(engine.Event{Kind: engine.EventCheck, Play: play, Host: host, Entry: c.Name, Status: status, Reason: reason, Place: c.Range.String()})
}
