package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// written is a journal as it lies on a disk: what was synced, and what was only written.
type written struct {
	tb     testing.TB
	state  string
	path   string
	data   []byte
	synced int // bytes
}

// write makes a journal whose last lines were not synced.
func write(tb testing.TB, unsynced int) *written {
	tb.Helper()
	w := &written{tb: tb, state: tb.TempDir()}
	f := start(tb, w.state, "r1")
	events := steps("r1", 3)
	put(tb, f, events...)
	if err := f.Sync(); err != nil {
		tb.Fatal(err)
	}
	w.path = f.Path()
	w.synced = len(w.read())
	for i := range unsynced {
		put(tb, f, engine.Event{V: 1, Run: "r1", Seq: len(events) + 1 + i, Time: time.Now(), Kind: engine.EventEntryStart, Pass: "apply", Play: "p", Host: fmt.Sprintf("h%d", i), Entry: "p/probe.x"})
	}
	if err := f.Close(); err != nil { // it has no end, as after a power cut
		tb.Fatal(err)
	}
	w.data = w.read()
	return w
}

func (w *written) read() []byte {
	w.tb.Helper()
	data, err := os.ReadFile(w.path)
	if err != nil {
		w.tb.Fatal(err)
	}
	return data
}

// opens wants a journal with these bytes to open, or to be refused as altered, and never to say what was not written: what it
// keeps are the first lines as they were. It returns how many bytes are kept; -1: it was refused.
func (w *written) opens(data []byte) (int, *journal.Record) {
	w.tb.Helper()
	if err := os.WriteFile(w.path, data, 0o600); err != nil {
		w.tb.Fatal(err)
	}
	r, err := journal.Read(w.state, "r1", nil)
	if err != nil {
		if !errors.As(err, new(*journal.Altered)) {
			w.tb.Fatalf("no sensible error: %v", err)
		}
		return -1, nil
	}
	if int(r.Size+r.Lost) != len(data) {
		w.tb.Fatalf("%d bytes kept and %d lost of %d", r.Size, r.Lost, len(data))
	}
	if !bytes.Equal(data[:r.Size], w.data[:r.Size]) {
		w.tb.Fatalf("it believes what was not written: %s", data[:r.Size])
	}
	return int(r.Size), r
}

func TestPowerCutAtEveryByte(t *testing.T) {
	w := write(t, 2)
	head := bytes.IndexByte(w.data, '\n') + 1
	t.Parallel()
	for cut := head; cut <= len(w.data); cut++ {
		if cut < len(w.data)-900 && cut%7 != 0 { // every byte of the last records; of those before them some
			continue
		}
		kept, r := w.opens(w.data[:cut])
		whole := bytes.LastIndexByte(w.data[:cut], '\n') + 1
		if kept != whole || int(r.Lost) != cut-whole {
			t.Fatalf("cut at %d: %d bytes kept, %d whole", cut, kept, whole)
		}
	}
	for cut := range head { // the head is on the disk before anything is done
		if kept, _ := w.opens(w.data[:cut]); kept != -1 {
			t.Fatalf("without a head, cut at %d: %d bytes kept", cut, kept)
		}
	}
}

// A disk writes what was not synced in any order: every set of blocks may be missing. What was synced is kept, always.
func TestPowerCutWithBlocksInAnyOrder(t *testing.T) {
	t.Parallel()
	w := write(t, 5)
	const blocks = 9
	size := (len(w.data) - w.synced + blocks - 1) / blocks
	lost := 0
	for missing := range 1 << blocks {
		for _, fill := range []byte{0, 0xff} {
			data := bytes.Clone(w.data)
			for b := range blocks {
				if missing&(1<<b) == 0 {
					continue
				}
				from := w.synced + b*size
				for i := from; i < min(from+size, len(data)); i++ {
					data[i] = fill
				}
			}
			kept, r := w.opens(data)
			if kept < w.synced {
				t.Fatalf("blocks %b missing: %d bytes kept, %d were synced", missing, kept, w.synced)
			}
			if r.Lost > 0 {
				lost++
			}
		}
	}
	if lost < 500 {
		t.Errorf("only %d cuts lost something", lost)
	}
}

// What is torn is put aside, and the chain goes on behind the last whole line.
func TestContinueAfterPowerCut(t *testing.T) {
	w := write(t, 2)
	_, r := w.opens(w.data[:len(w.data)-7])
	f, err := journal.Continue(w.state, r, journal.Head{Process: journal.This("ops")})
	if err != nil {
		t.Fatal(err)
	}
	put(t, f, engine.Event{V: 1, Run: "r1", Seq: f.Seq() + 1, Kind: engine.EventApply}, engine.Event{V: 1, Run: "r1", Seq: f.Seq() + 2, Kind: engine.EventRunEnd, Time: time.Now()})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r, err = journal.Verify(w.state, "r1")
	if err != nil || !r.Ended || r.Last.Lost == 0 || r.Lost != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	torn, err := filepath.Glob(filepath.Join(journal.Dir(w.state, "r1"), "torn-*"))
	if err != nil || len(torn) != 1 {
		t.Errorf("put aside are %v, %v", torn, err)
	}
}

// A byte, changed, anywhere: it is found, or the line counts as torn where nothing says that the disk had it.
func TestTamperedAnywhere(t *testing.T) {
	t.Parallel()
	w := write(t, 3)
	found := 0
	for i := 0; i < len(w.data); i += 3 {
		data := bytes.Clone(w.data)
		data[i] ^= 1
		kept, _ := w.opens(data)
		if kept == -1 {
			found++
		} else if kept > i || i < w.synced-600 { // the last sync is not told by a line behind it
			t.Fatalf("byte %d of %d changed (%q): %d bytes kept", i, w.synced, data[max(0, i-20):min(len(data), i+20)], kept)
		}
	}
	t.Logf("%d of %d found as changes, the others as torn ends", found, (len(w.data)+2)/3)
}

func TestTamperedLines(t *testing.T) {
	w := write(t, 3)
	lines := bytes.SplitAfter(w.data, []byte("\n"))
	lines = lines[:len(lines)-1]
	other := write(t, 3)
	foreign := bytes.SplitAfter(other.data, []byte("\n"))
	for i := range lines {
		for name, changed := range map[string][][]byte{
			"taken out": append(append([][]byte{}, lines[:i]...), lines[i+1:]...),
			"twice":     append(append(append([][]byte{}, lines[:i+1]...), lines[i]), lines[i+1:]...),
			"foreign":   append(append(append([][]byte{}, lines[:i]...), foreign[i]), lines[i+1:]...),
			"no hash":   append(append(append([][]byte{}, lines[:i]...), append(lines[i][:len(lines[i])-76:len(lines[i])-76], "}\n"...)), lines[i+1:]...),
		} {
			kept, _ := w.opens(bytes.Join(changed, nil))
			last := i >= len(lines)-3 && name == "no hash" || i == len(lines)-1 && name == "taken out" // the end was not synced
			if kept != -1 && !last {
				t.Errorf("line %d %s: %d bytes kept", i+1, name, kept)
			}
		}
	}
	if err := os.Rename(filepath.Dir(w.path), filepath.Join(filepath.Dir(filepath.Dir(w.path)), "r2")); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Read(w.state, "r2", nil); !errors.As(err, new(*journal.Altered)) {
		t.Errorf("a renamed run: %v", err)
	}
}

// Who cuts the end of a run off is found by its summary.
func TestEndCutOff(t *testing.T) {
	state := t.TempDir()
	f := start(t, state, "r1")
	put(t, f, append(steps("r1", 1), engine.Event{V: 1, Run: "r1", Seq: 6, Kind: engine.EventRunEnd, Time: time.Now()})...)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := journal.Verify(state, "r1"); err != nil || !r.Ended || r.Hash != f.Hash() {
		t.Fatalf("%+v, %v", r, err)
	}
	data, _ := os.ReadFile(f.Path())
	end := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	if err := os.WriteFile(f.Path(), data[:end], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Verify(state, "r1"); !errors.As(err, new(*journal.Altered)) {
		t.Errorf("without its end: %v", err)
	}
}
