package journal

import (
	"os"
	"syscall"
)

// flush brings what was written to the disk, with as much about the file as is needed to read it (fdatasync(2)).
func flush(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		for {
			if failed = syscall.Fdatasync(int(fd)); failed != syscall.EINTR {
				return
			}
		}
	}); err != nil {
		return err
	}
	return failed
}
