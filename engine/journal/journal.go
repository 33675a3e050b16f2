// Package journal knows how the record of a run reaches the disk and stays there, what it says afterwards, and whether
// somebody changed it.
package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Files in the folder of a run. Events is made first, and lives as long as the folder does.
const (
	Events      = "events.jsonl" // its events, a JSON line each
	Plan        = "plan.json"    // the plan as it is applied; missing: nothing was applied
	SummaryFile = "summary.json" // missing: the run was cut, or goes on
	reserveFile = "reserve"
)

// backlog is how many events may wait for the disk before the run waits, too.
const backlog = 8192

// File is the journal of one run. It implements engine.Journal and engine.Syncer. One goroutine writes: what is appended while
// it does is written together, and synced together.
type File struct {
	dir  string
	seq  int // of the head
	disk disk
	w    writer // of the goroutine that writes
	line []byte // of the same goroutine
	done chan struct{}

	mu      sync.Mutex
	work    *sync.Cond // for the goroutine that writes: the queue is not empty, more is wanted, or it is closing
	room    *sync.Cond // for those who append: the queue was taken
	kept    *sync.Cond // for those who wait for the disk
	queue   []engine.Event
	count   int // events appended
	want    int // of these have to reach the disk
	synced  int // of these have
	closing bool
	soon    *time.Timer // will demand a sync; nil: nothing needs one
	err     error
	tip     link // of the last line that was written
}

// disk is the file, or what a test puts in its place.
type disk interface {
	Write(p []byte) (int, error)
	Truncate(size int64) error
	Flush() error
	Close() error
}

type onDisk struct{ *os.File }

func (d onDisk) Flush() error { return flush(d.File) }

// Dir is the folder of a run.
func Dir(state, run string) string { return filepath.Join(state, "runs", run) }

// Create begins the journal of a new run below the state folder, with its head on the disk. All of it is for its owner only.
func Create(state string, h Head) (*File, error) {
	dir := Dir(state, h.Run)
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, unbegun(err)
	}
	if err := errors.Join(private(state), private(filepath.Dir(dir))); err != nil {
		return nil, unbegun(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, unbegun(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, Events), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, unbegun(err)
	}
	h.Kind = engine.EventJournal
	var out *File
	if err = claim(f); err == nil {
		out, err = begin(dir, onDisk{f}, writer{}, h)
	}
	if err == nil {
		err = errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
	}
	if err != nil {
		_ = f.Close() // err says more
		_ = os.RemoveAll(dir)
		return nil, unbegun(err)
	}
	return out, nil
}

// Continue opens the journal of a run that was cut, as Read found it, unless another process has it: what a power cut left behind the last whole line is put
// aside (RUN/torn), and a head says who goes on. Seq of the head is set.
func Continue(state string, r *Record, h Head) (*File, error) {
	dir := Dir(state, r.Head.Run)
	if err := errors.Join(private(state), private(filepath.Dir(dir)), private(dir)); err != nil {
		return nil, unbegun(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, Events), os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, unbegun(err)
	}
	h.Kind, h.Run, h.Seq, h.Lost = engine.EventResume, r.Head.Run, r.Seq+1, r.Lost
	var out *File
	if err = claim(f); err == nil {
		err = putAside(dir, f, r)
	}
	if err == nil { // it would tell of an end that is none any more; before the head, so that a crash leaves no wrong one
		if err = os.Remove(filepath.Join(dir, SummaryFile)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		out, err = begin(dir, onDisk{f}, writer{prev: r.hash, size: r.Size, sum: r.tally}, h)
	}
	if err != nil {
		_ = f.Close() // err says more
		return nil, unbegun(err)
	}
	return out, nil
}

// putAside copies what is behind the last whole line, and cuts it off.
func putAside(dir string, f *os.File, r *Record) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.Size() != r.Size+r.Lost:
		return errors.New("somebody went on with the run meanwhile")
	case r.Lost == 0:
		return nil
	}
	torn := make([]byte, r.Lost)
	if _, err := f.ReadAt(torn, r.Size); err != nil {
		return err
	}
	if err := WriteFile(dir, fmt.Sprintf("torn-%d", r.Seq+1), torn); err != nil {
		return err
	}
	return f.Truncate(r.Size)
}

func unbegun(err error) error { return fmt.Errorf("the journal cannot be begun: %w", err) }

func begin(dir string, d disk, w writer, h Head) (*File, error) {
	h.V, h.Format, h.Time = engine.EventVersion, Format, time.Now()
	line, err := h.line()
	if err != nil {
		return nil, err
	}
	w.disk = d
	w.sum.head(h)
	w.add(line, h.Seq)
	if err = w.out(); err == nil {
		err = w.sync()
	}
	if err == nil {
		err = keepReserve(dir)
	}
	if err != nil {
		return nil, err
	}
	f := &File{dir: dir, seq: h.Seq, disk: d, w: w, done: make(chan struct{})}
	f.work, f.room, f.kept = sync.NewCond(&f.mu), sync.NewCond(&f.mu), sync.NewCond(&f.mu)
	go f.write()
	return f, nil
}

// Path is where the events are.
func (f *File) Path() string { return filepath.Join(f.dir, Events) }

// Dir is the folder of the run.
func (f *File) Dir() string { return f.dir }

// Seq is the number of the head that was written: events follow it.
func (f *File) Seq() int { return f.seq }

// Append implements engine.Journal: the event will be written at once, and synced soon; see Sync. The error is that of an
// earlier event that could not be written; there is room kept for what ends the run then.
func (f *File) Append(e engine.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.queue) >= backlog && !f.closing {
		f.room.Wait()
	}
	if f.closing {
		return errors.New("journal: it is closed")
	}
	f.queue = append(f.queue, e)
	f.count++
	if f.soon == nil && acted(e) { // nobody waits for it, but a power cut should not make it unknown
		f.soon = time.AfterFunc(soon, f.demand)
	}
	if len(f.queue) == 1 { // else it has work
		f.work.Signal()
	}
	return f.err
}

// soon is when a result is synced that nothing else has brought to the disk by then. At once would delay the next intents.
const soon = 100 * time.Millisecond

// demand has everything synced so far.
func (f *File) demand() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.soon, f.want = nil, f.count
	f.work.Signal()
}

// acted tells whether an event says what became of an intent.
func acted(e engine.Event) bool {
	return e.Kind == engine.EventEntryEnd && e.Module != "" && e.Pass == "apply" &&
		(e.Status == string(engine.StatusChanged) || e.Status == string(engine.StatusRan))
}

// Sync implements engine.Syncer.
func (f *File) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	mine := f.count
	f.want = max(f.want, mine)
	f.work.Signal()
	for f.synced < mine && f.err == nil && !f.closing {
		f.kept.Wait()
	}
	if f.err == nil && f.synced < mine {
		return errors.New("journal: it is closed")
	}
	return f.err
}

// Tip waits for the disk, as Sync does, and gives the hash of the last line then.
func (f *File) Tip() (string, error) {
	if err := f.Sync(); err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tip.String(), nil
}

// write is the goroutine that writes.
func (f *File) write() {
	defer close(f.done)
	var batch []engine.Event
	for {
		f.mu.Lock()
		for len(f.queue) == 0 && f.want <= f.synced && !f.closing {
			f.work.Wait()
		}
		if len(f.queue) == 0 && f.closing { // Close syncs
			f.mu.Unlock()
			return
		}
		batch, f.queue = f.queue, batch[:0]
		count, want := f.count, f.want > f.synced
		if len(batch) >= backlog {
			f.room.Broadcast()
		}
		f.mu.Unlock()
		err := f.put(batch, want)
		clear(batch)

		f.mu.Lock()
		if f.err == nil {
			f.err = err
		}
		f.tip = f.w.prev
		if want {
			f.synced = count
		}
		if want || err != nil {
			f.kept.Broadcast()
		}
		f.mu.Unlock()
	}
}

// put writes events, and waits for the disk where that is wanted. After its first error the run ends, and what it has to say
// then gets the room that was kept for it.
func (f *File) put(batch []engine.Event, synced bool) error {
	for _, e := range batch {
		f.line = e.AppendJSON(f.line[:0])
		f.w.sum.add(e)
		f.w.add(f.line, e.Seq)
	}
	err := f.w.out()
	if err == nil && synced {
		err = f.w.sync()
	}
	if err == nil {
		return nil
	}
	giveReserve(f.dir)
	if f.w.out() == nil {
		_ = f.w.sync() // the run ends anyway
	}
	f.w.drop()
	return fmt.Errorf("the journal cannot be written (%w); nothing further is begun: make room on the disk of %s, look at what was done (dsplay runs show %s), then run the playbook again", err, f.dir, filepath.Base(f.dir))
}

// Close writes what is left, and the summary of a run that ended. Hash tells the last hash afterwards.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closing {
		f.mu.Unlock()
		return nil
	}
	f.closing = true
	if f.soon != nil {
		f.soon.Stop()
	}
	f.work.Broadcast()
	f.room.Broadcast()
	f.kept.Broadcast()
	f.mu.Unlock()
	<-f.done
	giveReserve(f.dir)
	err := f.w.sync()
	if s, ended := f.w.sum.end(); ended {
		s.Hash, s.Lines = f.w.prev.String(), f.w.seq
		err = errors.Join(err, writeSummary(f.dir, s))
	}
	return errors.Join(err, f.disk.Close())
}

// Hash is the hash of the last line, which covers all of them; call it after Close.
func (f *File) Hash() string { return f.w.prev.String() }
