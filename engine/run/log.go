package run

import (
	"sync"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// log numbers events and hands them to the journal, one after the other.
type log struct {
	run     string
	journal engine.Journal
	clock   Clock

	mu  sync.Mutex
	seq int
}

func (l *log) write(e engine.Event) error {
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

// text is a value as JSON, for events and plans; unknown parts and marks make it empty.
func text(v cty.Value) string {
	if v == cty.NilVal {
		return ""
	}
	b, err := ctyjson.Marshal(v, v.Type()) // which refuses unknown values and marks
	if err != nil {
		return ""
	}
	return string(b)
}
