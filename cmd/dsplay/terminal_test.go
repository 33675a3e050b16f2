//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal makes a terminal: what is written to user is what somebody types.
func openTerminal(t *testing.T) (user, terminal *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0) // so that Close ends a Read
	if err != nil {
		t.Skipf("this machine has no terminals: %v", err)
	}
	t.Cleanup(func() { _ = user.Close() })
	raw, err := user.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number, unlocked int32
	for request, argument := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlocked} {
		var errno syscall.Errno
		err := raw.Control(func(fd uintptr) {
			_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(argument)))
		})
		if err != nil || errno != 0 {
			t.Fatal(err, errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine has no terminals: %v", err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return user, terminal
}

// While the question of run stands, the world moves: a yes to what was shown is no yes to what is.
func TestWorldThatChangesWhileRunAsks(t *testing.T) {
	e := newEstate(t, small)
	e.inject(ill("guest1-2")...)
	user, terminal := openTerminal(t)
	var stderr strings.Builder
	c := command(t, "run", "playbooks/engine-offline.hcl", "-i", filepath.Join(e.Dir(), "inventory.hcl"), "--var", "poll=100ms", "--var", "patience=8s")
	c.Stdin, c.Stderr = terminal, &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for asked := false; ; {
		b := make([]byte, 4096)
		n, err := out.Read(b)
		log.Write(b[:n])
		if !asked && strings.Contains(log.String(), "Only 'yes' is a yes") {
			asked = true
			e.inject(ill("guest3-1")...)
			if _, err := io.WriteString(user, "yes\n"); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	_ = c.Wait() // the code says how it ended
	e.ended(outcome{c.ProcessState.ExitCode(), log.String(), stderr.String()}, exitRefused, "Do this?", "drift: case_a · guest3-1", "nothing was executed")
	e.acted(map[string][]string{})
}
