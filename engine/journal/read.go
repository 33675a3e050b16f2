package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/dsplay/dsplay/engine"
)

// Record is what the journal of a run says, and how far it can be believed.
type Record struct {
	Head  Head      // its first line
	Last  Head      // of the process that wrote last
	Seq   int       // of the last line
	Time  time.Time // of the last line
	Hash  string    // of the last line
	Size  int64     // bytes of whole lines
	Lost  int64     // bytes behind them, which a power cut left; what they said had not been synced
	Ended bool      // it has an end, and nobody went on after it
	// Stands is Over when it has ended, and else tells whether a process writes it.
	Stands State
	// Bare says that it has ended and has no summary: it was cut in between, or somebody removed that. Only Verify looks.
	Bare bool
	// Summary is complete when the run ended, and else what can be said.
	Summary Summary

	hash  link
	tally tally
}

// Altered says that a journal is not as it was written.
type Altered struct {
	Run  string
	Line int // counted from 1
	Why  string
}

func (a *Altered) Error() string {
	return fmt.Sprintf("the journal of run %s was changed: line %d %s", a.Run, a.Line, a.Why)
}

// Read reads the journal of a run and verifies its chain; each gets every event, in order. An *Altered error says that a line was
// changed, taken out or put in. Lines that a power cut tore are left out, and counted in Lost: no line that is missing had been
// synced. That the end was cut off by a person can only be seen where the last hash is known from elsewhere.
func Read(state, run string, each func(engine.Event)) (*Record, error) {
	return readSome(state, run, each, nil)
}

// readSome is Read, which decodes only some lines; then the summary says nothing. nil: all.
func readSome(state, run string, each func(engine.Event), some func(line []byte) bool) (*Record, error) {
	if filepath.Base(run) != run || run == "." || run == ".." {
		return nil, fmt.Errorf("%q is no run: %w", run, fs.ErrNotExist)
	}
	f, err := os.Open(filepath.Join(Dir(state, run), Events))
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", run, err)
	}
	defer f.Close()
	r := &reader{in: bufio.NewReaderSize(f, 1<<16), run: run, each: each, some: some}
	if err := r.all(); err != nil {
		return nil, err
	}
	r.rec.Hash = r.rec.hash.String()
	r.rec.Summary, r.rec.Ended = r.rec.tally.end()
	r.rec.Summary.Hash, r.rec.Summary.Lines = r.rec.Hash, r.rec.Seq
	r.rec.Stands = stateOf(f, r.rec.Ended)
	return &r.rec, nil
}

type reader struct {
	in   *bufio.Reader
	run  string
	each func(engine.Event)
	some func(line []byte) bool
	line int
	rec  Record
}

func (r *reader) all() error {
	for {
		line, err := r.in.ReadBytes('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("run %s: %w", r.run, err)
		}
		r.line++
		body, said, whole := unseal(line)
		switch {
		case r.line == 1 && !whole && json.Valid(line):
			return r.altered("has no hash: a dsplay that wrote no chain made it, or the hash was taken out")
		case !whole || !utf8.Valid(line) || !json.Valid(line): // no person changes a line like this, and no dsplay writes one
			return r.torn(line)
		case next(r.rec.hash, body) != said:
			return r.altered("does not follow from the line before: one of the two was changed, or something between them")
		}
		if err := r.take(line, said); err != nil {
			return err
		}
	}
	if r.line == 0 {
		return r.altered("is missing: the file is empty")
	}
	return nil
}

func (r *reader) take(line []byte, hash link) error {
	if r.line == 1 || bytes.Contains(line, []byte(`"kind":"`+engine.EventResume+`"`)) {
		if err := r.head(line); err != nil {
			return err
		}
	} else if r.some == nil || r.some(line) {
		var e engine.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return r.altered("is no event: " + err.Error())
		}
		r.rec.Seq, r.rec.Time = e.Seq, e.Time
		r.rec.tally.add(e)
		if r.each != nil {
			r.each(e)
		}
	} else {
		r.rec.Seq++
	}
	r.rec.hash = hash
	r.rec.Size += int64(len(line))
	return nil
}

func (r *reader) head(line []byte) error {
	var h Head
	switch err := json.Unmarshal(line, &h); {
	case err != nil:
		return r.altered("is no head of a journal: " + err.Error())
	case h.Format > Format:
		return fmt.Errorf("run %s: its journal has format %d, made by dsplay %s; this dsplay reads %d", r.run, h.Format, h.Dsplay, Format)
	case h.Run != r.run:
		return r.altered(fmt.Sprintf("is of run %s: the folder was renamed, or the file is of another run", h.Run))
	case r.line == 1 && h.Kind != engine.EventJournal:
		return r.altered("is no head of a journal")
	}
	if r.line == 1 {
		r.rec.Head = h
	}
	r.rec.Last, r.rec.Seq, r.rec.Time = h, h.Seq, h.Time
	r.rec.tally.head(h)
	return nil
}

// torn takes what is behind the last good line for the work of a power cut, unless a line behind it says that the disk had
// already had what is damaged.
func (r *reader) torn(line []byte) error {
	if r.line == 1 {
		return r.altered("is not whole: nothing of this run can be believed")
	}
	damaged := r.rec.Seq + 1
	_, said, whole := unseal(line)
	r.rec.Lost += int64(len(line))
	for n := r.line + 1; ; n++ {
		line, err := r.in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("run %s: %w", r.run, err)
		}
		r.rec.Lost += int64(len(line))
		body, hash, ok := unseal(line)
		if ok && (!whole || next(said, body) == hash) && syncedOf(body) >= damaged {
			return r.altered(fmt.Sprintf("is damaged, and line %d says that it had been on the disk", n))
		}
		said, whole = hash, ok
	}
}

func (r *reader) altered(why string) error { return &Altered{r.run, max(r.line, 1), why} }
