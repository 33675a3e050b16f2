package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// ErrorKind names what went wrong, so that retry and rescue can choose by it.
type ErrorKind string

// Kinds of a connection that failed, and kinds of what ran over a connection that works.
const (
	KindDNS      ErrorKind = "dns"      // the name has no address
	KindRefused  ErrorKind = "refused"  // nobody listens, or there is no route
	KindTimeout  ErrorKind = "timeout"  // no answer within the deadline
	KindHostKey  ErrorKind = "hostkey"  // the host key is unknown, changed or revoked
	KindAuth     ErrorKind = "auth"     // the host refused the credentials
	KindTLS      ErrorKind = "tls"      // the certificate cannot be verified
	KindProtocol ErrorKind = "protocol" // the answer is not what the protocol allows
	KindLost     ErrorKind = "lost"     // the connection broke while something ran: its outcome is unknown

	KindExit   ErrorKind = "exit"   // a command ended with a code that is not fine
	KindCheck  ErrorKind = "check"  // a check did not hold, or a step left a difference
	KindModule ErrorKind = "module" // a module could not do its work
	KindBusy   ErrorKind = "busy"   // something else is at work there, so nothing was done: later it may go
	KindEval   ErrorKind = "eval"   // an expression could not be evaluated
)

// ErrorKinds are the names of all kinds, as a retry's on and the mock of an error take them.
func ErrorKinds() []string {
	kinds := []ErrorKind{KindDNS, KindRefused, KindTimeout, KindHostKey, KindAuth, KindTLS, KindProtocol, KindLost, KindExit, KindCheck, KindModule, KindBusy, KindEval}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return names
}

// Error is what failed, where, and what to try. Its text is one line for the person at 3 a.m.
type Error struct {
	Kind ErrorKind
	Host string // inventory name of the host that failed (not of the host for which it was asked)
	Op   string // what was being done: "connect to 198.51.100.7:22", "run /usr/sbin/service ds_agent restart"
	Msg  string // the cause in words; empty when Err says it
	Hint string // what to try; may be empty
	// Unreachable says that the host did not answer at all: nothing was executed by this call,
	// or (KindLost) the connection broke meanwhile and the outcome is unknown.
	Unreachable bool
	// Orphan says that a process may still run on the target: it was to be killed, or the connection to it broke, and nobody
	// could confirm its death. KindLost without it: what ran is certainly over, and only its outcome is not known.
	Orphan bool
	// Waits are the entries that have not run and on which an expression waits that must be known; nil: it is something else.
	Waits []string
	Err   error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	switch {
	case e.Msg != "" && e.Err != nil && adds(e.Err):
		fmt.Fprintf(&b, "%s: %s", e.Msg, cause(e.Err))
	case e.Msg != "":
		b.WriteString(e.Msg)
	case e.Err != nil:
		b.WriteString(cause(e.Err))
	default:
		b.WriteString(string(e.Kind))
	}
	if e.Orphan {
		b.WriteString(" (a process may still run on the target)")
	}
	return b.String()
}

// adds tells whether the text of err says more than the words before it. That a context has ended is for programs; so is
// what Put wraps.
func adds(err error) bool {
	text := err.Error()
	return text != "" && text != context.Canceled.Error() && text != context.DeadlineExceeded.Error()
}

// cause is the text of err. A dial that failed names its target, which Op has said: "connection refused" is left.
func cause(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Error() != err.Error() || op.Op != "dial" || op.Err == nil {
		return err.Error()
	}
	var sys *os.SyscallError
	if errors.As(op.Err, &sys) {
		return sys.Err.Error()
	}
	return op.Err.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err, KindModule when it has none, and "" for nil.
func KindOf(err error) ErrorKind {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Kind
	}
	return KindModule
}

// WaitsOf returns the entries that have not run and for which err says that something waits; nil: none.
func WaitsOf(err error) []string {
	var e *Error
	if errors.As(err, &e) {
		return e.Waits
	}
	return nil
}

// IsUnreachable tells whether err means that a host did not answer.
func IsUnreachable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Unreachable
}

// HostOf returns the name of the host that err blames, or "".
func HostOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Host
	}
	return ""
}

// Blame makes err name the host that failed where it names none, and returns it. It changes err itself: it is for
// the one who got the error, before others share it.
func Blame(err error, host string) error {
	var e *Error
	if errors.As(err, &e) && e.Host == "" {
		e.Host = host
	}
	return err
}

// HintOf returns what err proposes to try, or "".
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
