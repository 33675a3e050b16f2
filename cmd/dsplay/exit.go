package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/run"
)

// The exit codes, stable; docs/running.md and --help list them. The first that applies is taken.
const (
	exitOK          = 0
	exitUsage       = 1 // usage or load error: nothing was executed
	exitChanges     = 2 // --check: there are changes
	exitFailed      = 3 // a host failed
	exitUnreachable = 4 // every failure has an unreachable host as its cause
	exitStopped     = 5 // stopped by a threshold or a check
	exitRefused     = 6 // the plan was refused
	exitLocked      = 7 // another run holds a lock
	exitDeadline    = 8 // the run was not over by its deadline
	exitNoHosts     = 9
	exitBug         = 70
	exitSIGHUP      = 129
	exitSIGINT      = 130
	exitSIGTERM     = 143
)

const exitHelp = `
EXIT STATUS
  0  all ok, or nothing to do            5  stopped by a check or a threshold
  1  usage or load error; nothing ran    6  plan refused or not confirmed; nothing was changed
  2  --check: there are changes          7  another run has the playbook, or a host
  3  a host failed                       8  the deadline was over
  4  only unreachable hosts failed       9  no hosts matched
 70  a bug in dsplay              129, 130, 143  stopped by a signal`

// exitError carries an exit code up to main.
type exitError struct {
	code int
	err  error // nil: everything was said already
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// verdict is how a pass ended, as an exit code and in words.
func verdict(r run.Result) (code int, status, reason string) {
	failed, unreachable, left, changed, word := 0, 0, 0, 0, "changed"
	for _, h := range r.Hosts {
		if h.Changed > 0 {
			changed++
		}
		if h.Status == engine.HostOK {
			continue
		}
		failed++
		if h.Changed > 0 {
			word = "changed or perhaps changed" // what failed may have done a part
		}
		if h.Silent {
			unreachable++
		}
		if h.Left {
			left++
		}
	}
	sum := fmt.Sprintf("%s, %d %s, %d not ok (%s)", plural(len(r.Hosts), "host"), changed, word, failed, r.Took.Round(1e7))
	if r.Resolved > 0 {
		sum += "; " + plural(r.Resolved, "step") + " of the plan " + map[bool]string{true: "was", false: "were"}[r.Resolved == 1] + " not needed any more"
	}
	switch {
	case r.Stop != nil && r.Stop.Kind == run.StopSignal:
		return exitSIGINT, "stopped", strings.TrimSuffix(r.Stop.Reason, ".") + "; " + sum
	case left > 0:
		return exitLocked, "locked", plural(left, "host") + " left to another run; " + sum
	case r.Stop != nil && (r.Stop.Kind == run.StopCheck || r.Stop.Kind == run.StopThreshold):
		return exitStopped, "stopped", strings.TrimSuffix(r.Stop.Reason, ".") + "; " + sum
	case r.Stop != nil:
		return exitFailed, "failed", strings.TrimSuffix(r.Stop.Reason, ".") + "; " + sum
	case !r.AnyHost:
		return exitNoHosts, "no hosts", "no play had a host; look at the groups of the inventory, or say allow_empty = true in a play"
	case failed > 0 && failed == unreachable:
		return exitUnreachable, "unreachable", sum
	case failed > 0:
		return exitFailed, "failed", sum
	}
	return exitOK, "ok", sum
}

// codeOf is the exit code that an error asks for.
func codeOf(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	case errors.As(err, new(*run.Bug)):
		return exitBug
	}
	return exitUsage
}
