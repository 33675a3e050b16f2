package knownhosts

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/ssh"
)

// patience is how long another process may hold the lock, which it needs for a millisecond.
const patience = 10 * time.Second

// Add writes a line for name, hashed if so wanted, at the end of the file at path, which it makes when it is not
// there (0600, its directory 0700). When the file has a key of name meanwhile it writes nothing, and added is false: look
// again at what it says. It holds a lock on the file, so that several processes can add to it at once; either the whole
// line is written or nothing of it.
func (f *Files) Add(path, name string, key ssh.PublicKey, hashed bool) (added bool, err error) {
	if !writable(name) {
		return false, fmt.Errorf("%q cannot stand in a file of known hosts: it would be read as something else than the name of one host", name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return false, err
	}
	to, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, to.Close()) }() // which frees the lock
	info, err := to.Stat()
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s is no file that keeps what is written to it", path)
	}
	if err := wait(to); err != nil {
		return false, err
	}
	delete(f.files, path) // the time stamp of a change within the same tick would be the same
	now, err := f.load(path)
	if err != nil {
		return false, err
	}
	if now != nil && len((&Set{[]*file{now}}).Keys(name)) > 0 {
		return false, nil
	}
	if hashed {
		name = hash(name)
	}
	defer delete(f.files, path)
	return true, appendLine(to, name+" "+key.Type()+" "+base64.StdEncoding.EncodeToString(key.Marshal()))
}

// appendLine takes back what a full disk let through.
func appendLine(to *os.File, line string) error {
	info, err := to.Stat()
	if err != nil {
		return err
	}
	line += "\n"
	if size := info.Size(); size > 0 {
		last := make([]byte, 1)
		if _, err := to.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = "\n" + line
		}
	}
	if _, err := to.WriteString(line); err != nil {
		return errors.Join(err, to.Truncate(info.Size()))
	}
	return to.Sync()
}

func wait(f *os.File) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(patience); ; <-ticker.C {
		locked, err := lock(f)
		switch {
		case err != nil:
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		case locked:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("another process holds the lock of %s", f.Name())
		}
	}
}
