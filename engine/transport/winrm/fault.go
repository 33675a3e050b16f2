package winrm

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dsplay/dsplay/engine"
)

// Fault is a SOAP fault: the host understood the request and refused it.
type Fault struct {
	Status  int    // of HTTP
	Code    uint32 // of WSManFault: a number of wsmerror.h or winerror.h; 0 when there is none
	Subcode string // "InvalidSelectors", "TimedOut", "QuotaLimit", "AccessDenied" …
	Reason  string
}

func (f *Fault) Error() string {
	reason := f.Reason
	if reason == "" {
		reason = f.Subcode
	}
	return fmt.Sprintf("the host answered: %s (fault %d)", reason, f.Code)
}

// Codes of WSManFault that decide what to do.
const (
	codeTimedOut      = 2150858793 // ERROR_WSMAN_OPERATION_TIMEDOUT: no news yet
	codeShellGone     = 2150858843 // ERROR_WINRS_SHELL_NOT_FOUND, seen after a reboot or a restart of the service
	codeAccessDenied  = 5          // ERROR_ACCESS_DENIED
	codeAborted       = 995        // ERROR_OPERATION_ABORTED
	codeBadCommandID  = 2150858752 // ERROR_WINRS_INVALID_COMMANDID: the command is not there
	codeBrokenPipe    = 109        // ERROR_BROKEN_PIPE
	codeNoData        = 232        // ERROR_NO_DATA: the pipe is being closed
	codeNotConnected  = 233        // ERROR_PIPE_NOT_CONNECTED
	codeTooLarge      = 2150858776 // the envelope is larger than MaxEnvelopeSizekb
	subcodeTimedOut   = "TimedOut"
	subcodeEncoding   = "EncodingLimit"
	subcodeQuotaLimit = "QuotaLimit"
)

func faultIs(err error, codes ...uint32) bool {
	var f *Fault
	return errors.As(err, &f) && slices.Contains(codes, f.Code)
}

// noNews tells that a request waited as long as it was to and nothing came. A part of stdin that was not taken in time is
// lost, and no news of that kind.
func noNews(err error) bool {
	var f *Fault
	return !errors.As(err, new(*lost)) && errors.As(err, &f) && (f.Code == codeTimedOut || f.Subcode == subcodeTimedOut)
}

// gone tells that the command is not there any more: it is certainly dead.
func gone(err error) bool { return faultIs(err, codeShellGone, codeBadCommandID) }

// stdinClosed tells that the process has ended or closed its stdin. The numbers are those of pipes; which of them
// a host answers with differs between versions of Windows.
func stdinClosed(err error) bool {
	return faultIs(err, codeBrokenPipe, codeNoData, codeNotConnected, codeAborted, codeBadCommandID)
}

// eventLog is where a host says more about a fault than its answer does.
const eventLog = "the host's event log Microsoft-Windows-WinRM/Operational says more"

// refusal is what a fault means where nothing was started.
func refusal(host, op string, f *Fault) *engine.Error {
	e := &engine.Error{Kind: engine.KindProtocol, Host: host, Op: op, Err: f, Hint: eventLog}
	switch {
	case f.Code == codeAccessDenied || f.Subcode == "AccessDenied":
		e.Kind = engine.KindAuth
		e.Hint = "the account may log in and not use remote shells: put it into Administrators or Remote Management Users; " +
			"a local administrator other than the built-in one needs LocalAccountTokenFilterPolicy = 1"
	case f.Subcode == subcodeQuotaLimit:
		e.Hint = "shells that nobody closed count until they time out; list them with winrm enumerate shell, " +
			"or restart the WinRM service on the host"
	case noNews(f):
		e.Kind, e.Hint = engine.KindTimeout, "the host is busy; operation_timeout says how long to wait"
	}
	return e
}
