package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// smallDisk is a file on a disk with some room, of which the reserve takes a part as long as it is there.
type smallDisk struct {
	onDisk
	reserve string

	mu   sync.Mutex
	room int
}

func (d *smallDisk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	room := d.room
	if _, err := os.Stat(d.reserve); err != nil {
		room += reserveSize
	}
	n := min(len(p), max(room, 0))
	if _, err := d.onDisk.Write(p[:n]); err != nil {
		return 0, err
	}
	d.room -= n
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (d *smallDisk) Truncate(size int64) error {
	info, err := d.Stat()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.room += int(info.Size() - size)
	return d.onDisk.Truncate(size)
}

// full begins a journal on a disk with so much room.
func full(t *testing.T, state string, room int) *File {
	t.Helper()
	f, err := Create(state, Head{Run: "r1", Process: This("ops")})
	if err != nil {
		t.Fatal(err)
	}
	f.w.disk = &smallDisk{onDisk: f.disk.(onDisk), reserve: filepath.Join(f.dir, reserveFile), room: room}
	return f
}

// until appends intents, as a run does that stops at the first error, and then what ends it.
func until(t *testing.T, f *File) (begun int) {
	t.Helper()
	seq := 0
	next := func(e engine.Event) engine.Event {
		seq++
		e.V, e.Run, e.Seq, e.Time, e.Pass, e.Play, e.Host = 1, "r1", seq, time.Now(), "apply", "p", "h"
		return e
	}
	var err error
	for err == nil && seq < 1<<16 {
		if err = errors.Join(f.Append(next(engine.Event{Kind: engine.EventIntent, Entry: "p/step.x", Reason: strings.Repeat("x", 300)})), f.Sync()); err == nil {
			begun++
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "nothing further is begun") {
		t.Fatalf("after %d: %v", begun, err)
	}
	if err := f.Append(next(engine.Event{Kind: engine.EventHostEnd, Status: "failed"})); err == nil {
		t.Error("the second error is kept back")
	}
	_ = f.Append(next(engine.Event{Kind: engine.EventRunEnd, Status: "failed"})) // the error of before
	if err := f.Sync(); err == nil {
		t.Error("a further intent would be begun")
	}
	if err := f.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return begun
}

// A full disk stops the run before it acts: the intent that does not fit is an error. How it ended is written nevertheless.
func TestFullDisk(t *testing.T) {
	for _, room := range []int{0, 1, 499, 500, 501, 5000, 70000} {
		state := t.TempDir()
		begun := until(t, full(t, state, room))
		r, err := Verify(state, "r1")
		if err != nil || !r.Ended || r.Lost != 0 || r.Summary.Intents != begun+1 { // the last one could not be begun, and has its line
			t.Errorf("room %d: %d begun; %+v, %v", room, begun, r, err)
		}
	}
}

// TestFullFileSystem is TestFullDisk on a file system that really is full, where a test may mount one.
func TestFullFileSystem(t *testing.T) {
	state := t.TempDir()
	if err := mountSmall(state, "1m"); err != nil {
		t.Skipf("no file system of a size of its own: %v", err)
	}
	defer func() {
		if err := unmount(state); err != nil {
			t.Error(err)
		}
	}()
	f, err := Create(state, Head{Run: "r1", Process: This("ops")})
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(state, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("it is not full: %v", err)
	}
	if err := Spend(state, Spent{Plan: "sha256:ab", Run: "r1"}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a plan is marked as used without room for that: %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if by, err := SpentBy(state, "sha256:ab"); by != nil || err != nil {
		t.Errorf("a plan that could not be marked is used up: %v, %v", by, err)
	}
	begun := until(t, f)
	r, err := Verify(state, "r1")
	if err != nil || !r.Ended || begun < 100 {
		t.Errorf("%d begun; %+v, %v", begun, r, err)
	}
	if f, err := Create(state, Head{Run: "r2", Process: This("ops")}); err == nil {
		_ = f.Close()
		t.Error("a run begins without room to say how it ends")
	}
	if _, err := os.Stat(Dir(state, "r2")); err == nil {
		t.Error("a run that could not begin has left a folder")
	}
}
