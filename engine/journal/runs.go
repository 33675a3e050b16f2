package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dsplay/dsplay/engine"
)

// State is where a run stands.
type State string

// The states.
const (
	Over    State = "ended"
	Running State = "running"
	Cut     State = "cut" // its process is gone, and it has no end
)

// stateOf is where the run stands whose events are in f.
func stateOf(f *os.File, ended bool) State {
	switch {
	case ended:
		return Over
	case inUse(f):
		return Running
	}
	return Cut
}

// Blank tells that a crash left a run before its first line: an empty folder, or an empty journal. Nothing was begun.
func Blank(state, id string) bool {
	files, err := os.ReadDir(Dir(state, id))
	if err != nil || len(files) != 1 {
		return err == nil && len(files) == 0
	}
	info, err := files[0].Info()
	return err == nil && files[0].Name() == Events && info.Size() == 0
}

// goesOn tells whether a process works on a run.
func goesOn(state, id string) bool {
	if _, err := os.Stat(filepath.Join(Dir(state, id), SummaryFile)); err == nil {
		return false
	}
	f, err := os.Open(filepath.Join(Dir(state, id), Events))
	if err != nil {
		return false
	}
	defer f.Close()
	return inUse(f)
}

// Brief says what can be said of a run at once: its summary; of one that goes on, how it began. Only one that was cut is read, because it
// may have ended before its summary was written.
func Brief(state, id string) (Summary, State, error) {
	s, err := ReadSummary(state, id)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return s, Over, err
	}
	f, err := os.Open(filepath.Join(Dir(state, id), Events))
	if err != nil && Blank(state, id) {
		return Summary{Run: id}, Cut, nil
	}
	if err != nil {
		return s, Cut, fmt.Errorf("run %s: %w", id, err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	var h Head
	if line, err := in.ReadBytes('\n'); err != nil || json.Unmarshal(line, &h) != nil || h.Kind != engine.EventJournal {
		return Summary{Run: id}, Cut, nil
	}
	var t tally
	t.head(h)
	var e engine.Event
	if line, err := in.ReadBytes('\n'); err == nil && json.Unmarshal(line, &e) == nil {
		t.add(e)
	}
	s, _ = t.end()
	if inUse(f) {
		return s, Running, nil
	}
	r, err := Read(state, id, nil)
	if err != nil {
		return s, Cut, err
	}
	return r.Summary, r.Stands, nil
}

// Verify reads a run from its first line to its last. Beside the chain it compares the end with the summary, which knows the
// last hash: a run that ended and has lost its end was changed. One that has its end and no summary (Bare) was not.
func Verify(state, id string) (*Record, error) {
	r, err := Read(state, id, nil)
	if err != nil {
		return nil, err
	}
	s, err := ReadSummary(state, id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.Bare = r.Ended
		return r, nil
	case err != nil:
		return nil, &Altered{id, r.Seq, "has a summary that cannot be read: " + err.Error()}
	}
	return r, s.agrees(r)
}

// Whole tells whether the end of a journal that was read is the one that the run's summary knows, where there is one. The error is an *Altered.
func Whole(state string, r *Record) error {
	s, err := ReadSummary(state, r.Head.Run)
	if err != nil { // without a summary nobody knows
		return nil //nolint:nilerr // what a crash left of it is no proof
	}
	return s.agrees(r)
}

// agrees compares the end of a journal with what the summary knows of it.
func (s Summary) agrees(r *Record) error {
	if s.Hash == r.Hash || r.Summary.Resumed != s.Resumed { // somebody goes on with it
		return nil
	}
	return &Altered{r.Head.Run, r.Seq, fmt.Sprintf("is the last one, with hash %s; the summary knows %s: something was cut off, or both were not written together", r.Hash, s.Hash)}
}

// Remove removes the folder of a run.
func Remove(state, id string) error {
	if filepath.Base(id) != id || id == "." || id == ".." {
		return fmt.Errorf("%q is no run", id)
	}
	return os.RemoveAll(Dir(state, id))
}
