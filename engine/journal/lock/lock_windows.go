package lock

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// open opens the file of a lock, or makes it; the file of another account can mostly only be read, which is enough.
func open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if errors.Is(err, os.ErrPermission) {
		return os.Open(path)
	}
	return file, err
}

// beyond is the byte that is locked: Windows lets nobody read what is locked, and people want to read who holds it.
const beyond = 1 << 30

func take(file *os.File) (bool, error) {
	at := &windows.Overlapped{Offset: beyond}
	err := windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

func proper(_ string, info os.FileInfo) error {
	if !info.IsDir() {
		return errors.New("is no folder")
	}
	return nil
}

// Place is where the locks of this machine are, whoever asks: %ProgramData%\dsplay-locks, in which every account may make files
// and remove its own only.
func Place() string {
	if dir := os.Getenv("ProgramData"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dsplay-locks")
	}
	return filepath.Join(`C:\ProgramData`, "dsplay-locks")
}
