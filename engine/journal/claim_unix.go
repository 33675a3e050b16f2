//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// private refuses a folder in which other accounts could exchange records, or lay links for what is written: one that belongs to
// another account (but root), or that everybody may write. A group that may write it was meant to.
func private(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	switch {
	case known && int(owner.Uid) != os.Geteuid() && owner.Uid != 0:
		return fmt.Errorf("%s belongs to another account (uid %d), which could change what stands in it: chown it, or set XDG_STATE_HOME to another folder", dir, owner.Uid)
	case info.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("everybody may write to %s (mode %04o): chmod o-w it", dir, info.Mode().Perm())
	}
	return nil
}

// claim makes this process the only one that writes the file, until it ends, however it ends. A file system without locks (some
// NFS) leaves it to what the journal says of its process.
func claim(f *os.File) error {
	for range 1000 { // who only asks whether it is in use holds it for a moment
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil
		}
		if inUse(f) {
			break
		}
	}
	return errors.New("another process still writes it")
}

// inUse tells whether a process writes the file.
func inUse(f *os.File) bool {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // closing it would do, too
	}
	return errors.Is(err, syscall.EWOULDBLOCK)
}
