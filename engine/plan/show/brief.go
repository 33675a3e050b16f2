package show

import (
	"io"

	"github.com/dsplay/dsplay/engine/plan"
)

// Brief is what a person reads before saying yes: what would be done, what could not be looked at, and what is lost at
// worst. Text has everything.
func Brief(w io.Writer, doc *plan.Document, o Options) error {
	return guarded(w, func(w io.Writer) error {
		p := newPage(doc, o.Now)
		t := &texter{speaker: newSpeaker(o), w: w}
		for _, text := range t.alarms(p) {
			t.put("\n  !! %s", inLine(text))
		}
		if p.Worst.Entries > 0 {
			t.plays(p)
		}
		t.blind(p)
		t.summary(p)
		return nil
	})
}
