package main

import (
	"context"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// grace is how long what runs may go on after the first signal before it is killed.
const grace = 30 * time.Second

// app is what the commands of one process share.
type app struct {
	stdin    *os.File
	out, err io.Writer
	secrets  engine.Secrets
	stop     chan struct{} // closed by the first signal
	signal   atomic.Int32  // the first signal, 0 if none

	sshConfig string // of every ssh connection whose block names none; "": none
}

// heed waits for signals: the first asks to stop and begins the grace time, the second (or its end) kills.
func (a *app) heed(ctx context.Context, signals <-chan os.Signal, kill context.CancelFunc) {
	select {
	case s := <-signals:
		if n, ok := s.(syscall.Signal); ok {
			a.signal.Store(int32(n))
		}
		close(a.stop)
	case <-ctx.Done():
		return
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-signals:
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	kill()
}

// exit is the exit code of a process that a signal may have asked to stop: what did not end well then ended by it.
func (a *app) exit(code int) int {
	if n := a.signal.Load(); n != 0 && code != exitOK && code != exitBug {
		return 128 + int(n)
	}
	return code
}
