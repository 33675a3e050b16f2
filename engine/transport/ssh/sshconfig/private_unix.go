//go:build unix

package sshconfig

import (
	"fmt"
	"os"
	"syscall"
)

// private refuses a file that somebody else could have written.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if info.Mode().Perm()&0o022 != 0 || ok && owner.Uid != 0 && int(owner.Uid) != os.Getuid() {
		return fmt.Errorf("%s: others may write it, or it belongs to somebody else; ssh would not read it either (chmod go-w)", path)
	}
	return nil
}
