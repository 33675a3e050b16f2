//go:build unix

package journal

import (
	"errors"
	"os"
	"syscall"
)

// claim makes this process the only one that writes the file, until it ends, however it ends. A file system without locks (some
// NFS) leaves it to what the journal says of its process.
func claim(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("another process still writes it")
	}
	return nil
}

// inUse tells whether a process writes the file.
func inUse(f *os.File) bool {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // closing it would do, too
	}
	return errors.Is(err, syscall.EWOULDBLOCK)
}
