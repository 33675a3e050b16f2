//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package lock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// open opens the file of a lock, or makes it. In a folder that everybody may write to others may have put anything there: no
// link is followed, and nothing but a plain file with one name is taken. The file is never opened with O_CREAT when it is
// there: the kernel refuses that for files of other accounts in such folders (fs.protected_regular).
func open(path string) (*os.File, error) {
	const safely = syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC
	for range 10 {
		file, err := os.OpenFile(path, os.O_RDWR|safely, 0)
		if errors.Is(err, fs.ErrPermission) { // to lock it, reading is enough
			file, err = os.OpenFile(path, os.O_RDONLY|safely, 0)
		}
		if errors.Is(err, fs.ErrNotExist) {
			file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|safely, 0o600)
			if errors.Is(err, fs.ErrExist) {
				continue // somebody was faster
			}
			if err == nil {
				err = file.Chmod(0o666) // others say who holds it in the same file
			}
		}
		if err != nil {
			return nil, err
		}
		return file, plain(file, path)
	}
	return nil, fmt.Errorf("%s comes and goes", path)
}

func plain(file *os.File, path string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); !info.Mode().IsRegular() || ok && s.Nlink > 1 {
		_ = file.Close()
		return fmt.Errorf("%s is no plain file with one name: somebody tampers with it; look who it belongs to, and remove it", path)
	}
	return nil
}

func take(file *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		}
		return err == nil, err
	}
}

// proper refuses a folder from which other accounts could remove locks.
func proper(_ string, info os.FileInfo) error {
	switch {
	case !info.IsDir():
		return errors.New("is no folder")
	case info.Mode().Perm()&0o002 != 0 && info.Mode()&os.ModeSticky == 0:
		return errors.New("can be emptied by everybody: chmod +t it")
	}
	return nil
}

// Place is where the locks of this machine are, whoever asks: /run/lock/dsplay where an administrator made it, or everybody can;
// else /var/tmp/dsplay-locks. A service with a /var/tmp of its own (PrivateTmp) needs the first.
func Place() string {
	const run = "/run/lock/dsplay"
	if info, err := os.Stat(run); err == nil && info.IsDir() {
		return run
	}
	if info, err := os.Stat("/run/lock"); err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&os.ModeSticky != 0 {
		return run
	}
	return "/var/tmp/dsplay-locks"
}
