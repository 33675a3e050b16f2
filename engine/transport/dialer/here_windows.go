package dialer

import (
	"errors"
	"syscall"
)

// isNotHere tells whether bind refused an address that this machine does not have (WSAEADDRNOTAVAIL).
func isNotHere(err error) bool { return errors.Is(err, syscall.Errno(10049)) }
