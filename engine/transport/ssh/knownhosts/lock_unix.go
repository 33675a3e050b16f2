//go:build !windows

package knownhosts

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the lock of a file for this open file, until it is closed; false: somebody else has it.
func lock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR):
		return false, nil
	}
	return false, err
}
