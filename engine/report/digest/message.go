package digest

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// About is what the events do not say.
type About struct {
	Machine string
	User    string
	Journal string // the folder of the record; "": none
	Hash    string // of the record so far
	Look    string // a command line that looks at the estate again, and changes nothing; "": none
}

// Message is what people are told.
func (d *Digest) Message(about About) engine.Message {
	m := engine.Message{V: engine.MessageVersion, Occasions: d.Occasions(), Subject: d.Subject(about.Machine), Text: d.Page(about),
		Machine: about.Machine, Playbook: d.playbook, Run: d.run, Started: stamp(d.started), Ended: stamp(d.ended),
		Exit: d.exit, Status: d.status, Reason: d.reason, Healed: list(d.healed()), Changed: list(d.changed()), Failed: list(d.bad()),
		Next: list(d.next(about)), Journal: about.Journal, Hash: about.Hash}
	if d.left != nil {
		m.Plan = d.left.Reason
	}
	return m
}

// list is never null in JSON.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Subject says in a line what is the matter.
func (d *Digest) Subject(machine string) string {
	what := "nothing to do"
	switch o := d.Occasions(); {
	case len(o) == 0 && d.exit == exitChanges:
		what = "there is something to do"
	case len(o) == 0 && len(d.warnings) > 0:
		what = "a check warns"
	case len(o) == 0:
	case o[0] == engine.OnFailure && len(d.bad()) > 0:
		what = fmt.Sprintf("FAILED on %d of %d hosts", len(d.bad()), len(d.hosts))
	case o[0] == engine.OnFailure:
		what = "FAILED: " + d.status
	case o[0] == engine.OnApproval:
		what = "approval needed"
	case o[0] == engine.OnRecovery:
		what = "healed: " + some(d.healed(), 3)
	default:
		what = "changed: " + some(d.changed(), 3)
	}
	if d.left != nil && d.failed() {
		what += "; approval needed"
	}
	return strings.Join(words(fmt.Sprintf("dsplay on %s: %s: %s", machine, filepath.Base(d.playbook), what)), " ")
}

// bySignal is what exit codes of signals are above.
const bySignal = 128

// next are command lines for a person, those that belong together in their order.
func (d *Digest) next(about About) []string {
	var out []string
	if d.left != nil {
		out = append(out, d.left.Lines...)
	}
	out = append(out, d.more...)
	if d.failed() {
		if about.Journal != "" && d.run != "" {
			out = append(out, "dsplay runs show "+d.run)
			if d.exit > bySignal && d.acting {
				out = append(out, "dsplay resume "+d.run)
			}
		}
		if about.Look != "" {
			out = append(out, about.Look)
		}
	}
	return out
}

// Unbegun makes the story of a run that ended before its first event: a mistake in a file, a lock, a full disk.
func (d *Digest) Unbegun(playbook string, began, now time.Time, exit int, reason string) {
	*d = Digest{playbook: playbook, started: began, ended: now, exit: exit, status: "it could not begin", reason: reason, over: true}
}

// Broken makes the story of a run that could not tell it itself, because it was killed: next are command lines for a person.
func (d *Digest) Broken(unit string, now time.Time, reason string, next []string) {
	*d = Digest{playbook: unit, ended: now, exit: 1, status: "broken", reason: reason, over: true, cut: true, more: next}
}
