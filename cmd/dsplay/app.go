package main

import (
	"context"
	"io"
	"os"
	"slices"
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
	over     chan struct{} // closed when the deadline of the run is over

	sshConfig string // of every ssh connection whose block names none; "": none
}

// within gives the run a deadline; 0: none. When it is over the run stops as after a signal.
func (a *app) within(d time.Duration) {
	if d > 0 {
		time.AfterFunc(d, func() { close(a.over) })
	}
}

// overdue tells whether the run stops because of its deadline, and not of a signal.
func (a *app) overdue() bool {
	select {
	case <-a.over:
		return a.signal.Load() == 0
	default:
		return false
	}
}

// why says why the run is asked to stop.
func (a *app) why() string {
	if a.overdue() {
		return "the deadline of the run is over"
	}
	return "a signal asked to stop"
}

// heed waits for signals: the first asks to stop and begins the grace time, the second (or its end) kills. The end of the
// deadline is like the first.
func (a *app) heed(ctx context.Context, signals <-chan os.Signal, kill context.CancelFunc) {
	select {
	case s := <-signals:
		if n, ok := s.(syscall.Signal); ok {
			a.signal.Store(int32(n))
		}
		close(a.stop)
	case <-a.over:
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
	switch n := a.signal.Load(); {
	case n != 0 && code != exitOK && code != exitBug:
		return 128 + int(n)
	case a.overdue() && slices.Contains([]int{exitFailed, exitUnreachable, exitStopped, exitSIGINT, exitNoHosts}, code):
		return exitDeadline
	}
	return code
}
