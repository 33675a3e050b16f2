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
