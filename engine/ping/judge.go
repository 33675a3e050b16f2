package ping

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// From when on something is worth a warning.
const (
	soon    = 30 * 24 * time.Hour    // before a certificate ends
	slow    = 500 * time.Millisecond // for a command that does nothing, round trips not counted
	skewed  = time.Minute            // between the clocks
	plainly = "plain text"           // the name of a secret that is none: see engine.Plain
)

// trips is about how often a command goes to and fro.
const trips = 3

// judge finds what works and deserves a word all the same.
func (l *look) judge(stages []engine.Stage) {
	defer l.settings() // what the stages say of the user is better
	var trip time.Duration
	for _, s := range stages {
		switch s.Name {
		case engine.StageTCP:
			trip = s.Took
			if s.Err == nil && l.out.Via == "" {
				l.out.Address, _, _ = strings.Cut(s.Detail, ",") // behind it stand those that did not answer
			}
		case engine.StageLogin:
			l.out.User = s.Detail
		case stageRun:
			if own := s.Took - trips*trip; s.Err == nil && own > slow {
				l.warn(fmt.Sprintf("a command that does nothing takes %.1f s", own.Seconds()),
					"every command pays this: look at what the login shell's rc files, PAM and name service do (on Windows: virus scanner, profile)")
			}
		}
		for _, weak := range s.Weak {
			l.warn(weak, "renew or update it on the host; until then whoever sits between has it easier")
		}
		l.until(s)
		l.clocks(s)
	}
}

func (l *look) warn(text, hint string) {
	for _, w := range l.out.Warnings {
		if w.Text == text {
			return // a second connection to an API says the same
		}
	}
	l.out.Warnings = append(l.out.Warnings, Warning{text, hint})
}

func (l *look) until(s engine.Stage) {
	if s.Until.IsZero() || s.Err != nil {
		return
	}
	what := "certificate"
	if s.Name == engine.StageHostKey {
		what = "host certificate"
	}
	l.out.ValidUntil = s.Until.UTC().Format(time.RFC3339)
	left := s.Until.Sub(l.options.Now())
	day := s.Until.UTC().Format(time.DateOnly)
	switch {
	case left < 0:
		l.warn(fmt.Sprintf("the %s has expired on %s", what, day), "renew it on the host; it is accepted only because it is pinned, or nothing is verified")
	case left < soon:
		l.warn(fmt.Sprintf("the %s expires in %d days, on %s", what, int(left.Hours()/24), day), "renew it on the host in time; where the inventory pins it by fingerprint, change that with it")
	}
}

// clocks compares the other side's with ours. The stage's own time is the error.
func (l *look) clocks(s engine.Stage) {
	if s.Clock.IsZero() {
		return
	}
	here := s.Began.Add(s.Took / 2)
	if s.Name == engine.StageSession || s.Name == engine.StageLogin {
		here = s.Began.Add(s.Took)
	}
	ahead := s.Clock.Sub(here)
	seconds := ahead.Round(time.Second).Seconds()
	l.out.ClockAhead = &seconds
	if ahead.Abs() > skewed {
		side := "ahead of"
		if ahead < 0 {
			side = "behind"
		}
		l.warn(fmt.Sprintf("its clock is %s %s the one here", ahead.Abs().Round(time.Second), side),
			"set NTP right on one of the two: times in reports do not fit, Kerberos allows 5 minutes, and certificates seem not yet valid or expired")
	}
}

// settings lists those that weaken, and passwords that anybody can read.
func (l *look) settings() {
	settings := reflect.Indirect(reflect.ValueOf(l.host.Connection.Settings))
	if settings.Kind() != reflect.Struct {
		return
	}
	for _, f := range engine.Fields(settings.Interface()) {
		value := settings.Field(f.Index).Interface()
		if name, ok := value.(string); ok && f.Name == "user" && l.out.User == "" && l.out.Status == OK {
			l.out.User = name // a transport that logs in with every request has no stage for it
		}
		if f.Weakens != "" && fmt.Sprint(value) == f.Weakens {
			l.out.Weakenings = append(l.out.Weakenings, f.Name+" = "+f.Weakens)
		}
		if secret, ok := value.(engine.Secret); ok {
			l.readable("connection", f.Name, secret)
		}
	}
	if l.host.Sudo != nil {
		l.readable("sudo", "password", l.host.Sudo.Password)
	}
}

func (l *look) readable(block, arg string, s engine.Secret) {
	if s.Name == plainly {
		l.warn(fmt.Sprintf("%s of the %s block stands in the inventory as plain text", arg, block),
			fmt.Sprintf(`write %s = secret("env:NAME") or secret("file:PATH")`, arg))
	}
}
