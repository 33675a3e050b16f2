package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
	"github.com/dsplay/dsplay/engine/lab"
	"golang.org/x/sys/unix"
)

// The disk of the state folder fills up when the run is about to act: nothing is done, and the record says how it ended.
func TestFullDiskStopsARunBeforeItActs(t *testing.T) {
	home := t.TempDir()
	if err := syscall.Mount("tmpfs", home, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("no file system of a size of its own: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(home, 0); err != nil {
			t.Error(err)
		}
	})
	e := newSerialEstate(t, lab.Options{ESXi: 2, Guests: 4})
	t.Setenv("XDG_STATE_HOME", home)
	e.inject(lab.Fault{Name: "dsva-stuck", Target: "esx1"})
	c, out := e.begin("run", "playbooks/engine-offline.hcl", "--yes", "--var", "poll=100ms", "--var", "patience=8s")
	narrow(t, out)
	run, _ := killed(c, out, func(_ int, ev engine.Event) bool {
		if ev.Kind == engine.EventApply {
			fill(t, filepath.Join(home, "filler"))
		}
		return false
	})
	e.acted(map[string][]string{})
	r, err := journal.Verify(filepath.Join(home, "dsplay"), run)
	if err != nil || !r.Ended || *r.Summary.Exit != exitFailed || r.Summary.Status != "failed" {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := os.Remove(filepath.Join(home, "filler")); err != nil {
		t.Fatal(err)
	}
	e.ended(e.heal(), exitOK)
	e.healthy()
}

// narrow makes a pipe hold as little as it can, so that who writes events waits for who reads them: a run cannot act while the disk is
// being filled, because it looks at every host before, and says so in far more than two pages (one more is in the reader).
func narrow(t *testing.T, pipe io.Reader) {
	t.Helper()
	f, ok := pipe.(*os.File)
	if !ok {
		t.Fatalf("a %T is no pipe", pipe)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) { _, failed = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, os.Getpagesize()) })
	if err = errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
}

// fill writes until nothing fits any more.
func fill(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
}
