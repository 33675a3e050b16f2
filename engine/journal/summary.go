package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Summary is a run on half a page. It is written when the run ends; of a run that was cut it says what is known.
type Summary struct {
	Run      string    `json:"run"`
	Playbook string    `json:"playbook"` // path as it was given
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"` // zero: it was cut, or goes on
	User     string    `json:"user"`
	Host     string    `json:"host"` // the machine that ran it
	Dsplay   string    `json:"dsplay"`
	Plan     string    `json:"plan,omitempty"`    // id of the plan as it was applied; empty: nothing was applied
	Resumed  int       `json:"resumed,omitempty"` // how often another process went on
	Status   string    `json:"status,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Exit     *int      `json:"exit,omitempty"`
	Hosts    int       `json:"hosts"`             // that took part
	Changed  int       `json:"changed,omitempty"` // of them changed, or perhaps
	Failed   int       `json:"failed,omitempty"`  // of them did not end ok
	Intents  int       `json:"intents,omitempty"` // changes that were begun
	// Recoveries are the recovers whose goal did not hold.
	Recoveries []Recovery `json:"recoveries,omitempty"`
	Hash       string     `json:"hash,omitempty"` // of the last line of the journal
	Lines      int        `json:"lines,omitempty"`
}

// Healed counts the recoveries that reached their goal.
func (s Summary) Healed() int {
	n := 0
	for _, r := range s.Recoveries {
		if r.Healed {
			n++
		}
	}
	return n
}

// ReadSummary reads the summary of a run that ended; fs.ErrNotExist says that it has not.
func ReadSummary(state, run string) (Summary, error) {
	var s Summary
	data, err := os.ReadFile(filepath.Join(Dir(state, run), SummaryFile))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("the summary of run %s cannot be read: %w", run, err)
	}
	return s, nil
}

func writeSummary(dir string, s Summary) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return WriteFile(dir, SummaryFile, append(data, '\n'))
}

// WriteFile puts a file into the folder of a run: whole or not at all, for its owner only, and on the disk when it returns.
func WriteFile(dir, name string, data []byte) error {
	part := filepath.Join(dir, name+".part")
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(part) // err says more
		return err
	}
	if err := os.Rename(part, filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// tally sums a run up while its events pass by.
type tally struct {
	s          Summary
	hosts      map[string]bool // host → it ended ok, in every play
	changed    map[string]bool
	acting     bool // the pass that acts has begun to tell
	idle       bool // the process that goes on with the run has not begun to
	recoveries Recoveries
}

func (t *tally) head(h Head) {
	if h.Kind == engine.EventResume {
		t.s.Resumed++
		t.idle = true
		t.s.Ended, t.s.Exit, t.s.Status, t.s.Reason = time.Time{}, nil, "", ""
		return
	}
	t.s = Summary{Run: h.Run, Started: h.Time, User: h.Process.User, Host: h.Process.Host, Dsplay: h.Dsplay}
	t.hosts, t.changed = map[string]bool{}, map[string]bool{}
}

func (t *tally) add(e engine.Event) {
	t.idle = t.idle && (e.Pass != "apply" || told(e.Kind)) && e.Kind != engine.EventApply
	switch e.Kind { //nolint:exhaustive // the others change nothing here
	case engine.EventRunStart:
		t.s.Playbook = e.Title
	case engine.EventApply:
		t.s.Plan, t.acting = e.Plan, false
	case engine.EventIntent:
		t.s.Intents++
		t.changed[doer(e)] = true
	case engine.EventHostEnd:
		t.hostEnd(e)
	case engine.EventRunEnd:
		t.s.Ended, t.s.Status, t.s.Reason, t.s.Exit = e.Time, e.Status, e.Reason, e.Exit
	}
	t.recoveries.Add(e)
}

// told tells events that say something about what was or would be done, and do nothing themselves.
func told(k engine.EventKind) bool { return k == engine.EventDrift || k == engine.EventRecurrence }

// hostEnd notes how a host left a play. The pass that acts tells its own story, and that of a process which goes on with the run
// tells it anew; without one, the planning is the end.
func (t *tally) hostEnd(e engine.Event) {
	if e.Pass == "apply" && !t.acting {
		clear(t.hosts)
		t.acting = true
	}
	if e.Pass == "apply" || !t.acting {
		well, seen := t.hosts[e.Host]
		t.hosts[e.Host] = e.Status == string(engine.HostOK) && (well || !seen)
	}
}

// end is the sum, and whether the run ended. One that somebody wanted to go on with, and that was refused, has not: what was left
// is left still.
func (t *tally) end() (Summary, bool) {
	s := t.s
	if t.idle {
		s.Ended, s.Exit, s.Status, s.Reason = time.Time{}, nil, "", ""
	}
	s.Hosts, s.Failed, s.Changed = len(t.hosts), 0, len(t.changed)
	for _, well := range t.hosts {
		if !well {
			s.Failed++
		}
	}
	s.Recoveries = t.recoveries.All()
	return s, !s.Ended.IsZero()
}

// doer is the host on which an entry acts.
func doer(e engine.Event) string {
	if e.On != "" {
		return e.On
	}
	return e.Host
}
