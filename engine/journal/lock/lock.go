// Package lock knows how runs of one machine, whoever started them, keep out of each other's way: a lock is a file that the
// kernel locks for a process, and frees when the process ends, however it ends. In the file stands who holds it, for people.
package lock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/journal"
)

// Holder is who holds a lock, as the lock's file says it. Only the kernel's lock counts: whoever may write the file can write
// anything into it.
type Holder struct {
	Process journal.Process `json:"process"`
	Run     string          `json:"run"`
	Since   time.Time       `json:"since"`
	What    string          `json:"what"` // what is locked, in words: "host esx1"
}

// Busy says that somebody else holds a lock.
type Busy struct {
	What string  // what was wanted, in words
	By   *Holder // nil: the file does not tell
}

func (b *Busy) Error() string {
	if b.By == nil {
		return b.What + " is locked by another run; its record does not say by which"
	}
	text := fmt.Sprintf("%s is locked by run %s (%s) since %s", b.What, b.By.Run, b.By.Process, b.By.Since.Local().Format(time.DateTime))
	if b.By.What != b.What {
		text += ", there as " + b.By.What
	}
	return text
}

// Folder is where locks are.
type Folder struct{ path string }

// Open makes a folder of locks, where it is missing, so that every account of the machine can use it; an administrator may have
// made one for fewer. A folder from which others could remove a lock is refused, and so is one that other machines share.
func Open(path string) (*Folder, error) {
	err := os.Mkdir(path, 0o700)
	if err == nil {
		err = os.Chmod(path, 0o777|os.ModeSticky) // the umask takes bits from Mkdir's
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("the folder of locks: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the folder of locks: %w", err)
	}
	if err := proper(path, info); err != nil {
		return nil, fmt.Errorf("the folder of locks %s %w", path, err)
	}
	if network := Network(path); network != "" {
		return nil, fmt.Errorf("the folder of locks %s is on %s, which other machines share and lock in ways of their own: choose one on a disk of this machine", path, network)
	}
	return &Folder{path}, nil
}

// Lock is held until it is released, or the process ends.
type Lock struct{ file *os.File }

// Release frees the lock.
func (l *Lock) Release() {
	_ = l.file.Truncate(0) // nobody holds it: better no name than an old one
	_ = l.file.Close()     // which frees it
}

// Try takes the lock of a name, or says who has it: the error is a *Busy then.
func (f *Folder) Try(ctx context.Context, name string, me Holder) (*Lock, error) {
	for began := time.Now(); ; {
		l, err := f.try(name, me)
		var busy *Busy
		if !errors.As(err, &busy) || busy.By != nil || time.Since(began) > signing {
			return l, err
		}
		if err := engine.Wait(ctx, signing/10); err != nil {
			return nil, err
		}
	}
}

// signing is how long who takes a lock, or gives it back, gets to change what the file says: the kernel's lock and the text cannot
// change in one moment. Afterwards the file is taken for one that does not tell.
const signing = 200 * time.Millisecond

func (f *Folder) try(name string, me Holder) (*Lock, error) {
	sum := sha256.Sum256([]byte(name))
	path := filepath.Join(f.path, hex.EncodeToString(sum[:16])+".lock")
	for range 10 { // a file may be removed by a cleaner between opening and locking it
		file, err := open(path)
		if err != nil {
			return nil, fmt.Errorf("the lock of %s: %w", me.What, err)
		}
		free, err := take(file)
		if err != nil {
			_ = file.Close() // err says more
			return nil, fmt.Errorf("the lock of %s (%s): %w", me.What, path, err)
		}
		if !free {
			by := holder(file)
			_ = file.Close() // it was only read
			return nil, &Busy{me.What, by}
		}
		if same(file, path) {
			write(file, me)
			return &Lock{file}, nil
		}
		_ = file.Close() // it is nobody's any more
	}
	return nil, fmt.Errorf("the lock of %s: something removes %s all the time", me.What, path)
}

// poll is how often a lock that is not free is tried.
const poll = 250 * time.Millisecond

// Take is Try that waits until the lock is free, at most for wait (0: without end). The error is a *Busy when that time is
// over, and that of ctx when it ended before.
func (f *Folder) Take(ctx context.Context, name string, me Holder, wait time.Duration) (*Lock, error) {
	began := time.Now()
	for {
		l, err := f.Try(ctx, name, me)
		if !errors.As(err, new(*Busy)) {
			return l, err
		}
		pause := poll
		if wait > 0 {
			if pause = min(poll, wait-time.Since(began)); pause <= 0 {
				return nil, err
			}
		}
		if err := engine.Wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// same tells whether a file still is the one of its path.
func same(file *os.File, path string) bool {
	a, err := file.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}

// longest is how much of a file is read: it may be anybody's.
const longest = 4096

// holder is who holds a lock by its file; nil: it does not tell, or tells of a process that has ended.
func holder(file *os.File) *Holder {
	data := make([]byte, longest)
	n, _ := file.ReadAt(data, 0) // a short file is the rule
	var h Holder
	if json.Unmarshal(data[:n], &h) != nil || h.Run == "" {
		return nil
	}
	if lives, err := h.Process.Lives(); err == nil && !lives {
		return nil
	}
	return &h
}

// write says who holds the lock. In the file of another account that is not always possible, and the lock holds without it.
func write(file *os.File, me Holder) {
	data, err := json.Marshal(me)
	if err != nil {
		return
	}
	_ = file.Truncate(0)
	_, _ = file.WriteAt(append(data, '\n'), 0)
}
