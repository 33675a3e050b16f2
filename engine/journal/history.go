package journal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Run is what one run did, for whoever has to judge the next one.
type Run struct {
	Summary
	Stands State
	// Intents are the changes that were begun, in order.
	Intents []Intent
}

// Intent is one change that a run began.
type Intent struct {
	Time  time.Time
	Play  string
	Host  string // of the play
	On    string // the host that was acted on: Host, or the one that the entry names with on
	Entry string
	Item  string // of a for_each
	// Module and Action tell what was done: Action is the same for the same module with the same arguments.
	Module, Action string
	Args           []engine.Arg
	Outcome        Outcome
	Ended          time.Time // zero: Outcome is unknown
}

// Outcome is what became of a change that was begun.
type Outcome string

// The outcomes.
const (
	Changed   Outcome = "changed"
	Ran       Outcome = "ran"       // an opaque command
	Unchanged Outcome = "unchanged" // by changed_when
	Failed    Outcome = "failed"    // it may have changed something
	Unknown   Outcome = "unknown"   // there is no result: the run was cut, or goes on
)

// Action identifies what a module does with arguments as they are shown (plan.Item.Args, Event.Args): secrets count by name.
func Action(module string, args []engine.Arg) string {
	sorted := slices.SortedFunc(slices.Values(args), func(a, b engine.Arg) int { return cmp.Compare(a.Name, b.Name) })
	text, err := json.Marshal([]any{module, sorted})
	if err != nil { // texts always marshal
		return module
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// History gives the runs of a state folder that wrote something at or after since, or that go on, the oldest first, with everything that
// each of them did, before since, too. The error says which records could not be read or were
// changed; the others are given nevertheless. Who decides by it whether something may be done should refuse when there is an
// error. A state folder without runs has no history, and that is no error.
func History(state string, since time.Time) ([]Run, error) {
	ids, err := IDs(state)
	if err != nil {
		return nil, err
	}
	var runs []Run
	var bad []error
	for _, id := range slices.Backward(ids) {
		info, err := os.Stat(filepath.Join(Dir(state, id), Events))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // it is just being made, or removed
		case err != nil:
			bad = append(bad, err)
			continue
		case info.Size() == 0: // its first line was never written, so nothing was begun
			continue
		case info.ModTime().Before(since) && !goesOn(state, id):
			continue
		}
		run, err := runOf(state, id)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		runs = append(runs, run)
	}
	return runs, errors.Join(bad...)
}

func runOf(state, id string) (Run, error) {
	s, err := ReadSummary(state, id)
	if err == nil && s.Intents == 0 {
		return Run{Summary: s, Stands: Over}, nil
	}
	var c intents
	if err == nil { // the sum is known, so only what was begun has to be read
		r, err := readSome(state, id, c.add, ofIntents)
		if err == nil {
			err = s.agrees(r)
		}
		return Run{Summary: s, Stands: Over, Intents: c.list}, err
	}
	r, err := Read(state, id, c.add)
	if err != nil {
		return Run{}, err
	}
	return Run{Summary: r.Summary, Stands: r.Stands, Intents: c.list}, nil
}

// ofIntents tells the lines that say what was begun and what became of it.
func ofIntents(line []byte) bool {
	return bytes.Contains(line, []byte(`"kind":"intent"`)) ||
		bytes.Contains(line, []byte(`"kind":"entry_end"`)) && bytes.Contains(line, []byte(`"pass":"apply"`))
}

// intents collects what was begun.
type intents struct {
	list []Intent
	open map[spot]int // index of the last one that has no result
}

func (c *intents) add(e engine.Event) {
	at := spot{e.Play, e.Host, e.Entry, e.Item}
	switch e.Kind { //nolint:exhaustive // the others say nothing of intents
	case engine.EventIntent:
		if c.open == nil {
			c.open = map[spot]int{}
		}
		c.open[at] = len(c.list)
		c.list = append(c.list, Intent{Time: e.Time, Play: e.Play, Host: e.Host, On: doer(e), Entry: e.Entry, Item: e.Item,
			Module: e.Module, Args: e.Args, Action: Action(e.Module, e.Args), Outcome: Unknown})
	case engine.EventEntryEnd, engine.EventRetry:
		n, ok := c.open[at]
		if !ok || e.Pass != "apply" {
			return
		}
		delete(c.open, at)
		i := &c.list[n]
		i.Outcome, i.Ended = Outcome(e.Status), e.Time
		if i.Outcome != Changed && i.Outcome != Ran && i.Outcome != Unchanged {
			i.Outcome = Failed
		}
		if e.Error != nil && e.Error.Kind == engine.KindLost {
			i.Outcome = Unknown
		}
	}
}

// IDs are the runs of a state folder, the newest first: the name of a run begins with its time.
func IDs(state string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(state, "runs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the history cannot be read: %w", err)
	}
	var ids []string
	for _, e := range slices.Backward(entries) { // ReadDir sorts by name
		if e.IsDir() {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}
