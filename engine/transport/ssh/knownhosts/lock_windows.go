package knownhosts

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock takes the lock of a file for this handle, until it is closed; false: somebody else has it. The range is one byte
// far behind the end, because a locked range cannot be read on Windows.
func lock(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{OffsetHigh: 1 << 30})
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		return false, nil
	}
	return false, err
}
