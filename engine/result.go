package engine

import (
	"time"

	"github.com/zclconf/go-cty/cty"
)

// Status is how an entry ended on a host.
type Status string

// The statuses of entries. A probe ends ok or failed; "" means that it has not run.
const (
	StatusOK        Status = "ok"
	StatusChanged   Status = "changed"
	StatusUnchanged Status = "unchanged"
	StatusRan       Status = "ran" // an opaque command: the effect is not known
	StatusSkipped   Status = "skipped"
	StatusFailed    Status = "failed"
)

// Result is what an entry left on a host.
type Result struct {
	Status Status
	Value  cty.Value // of the module's result type; unknown: it has not run; null: it was skipped
	Err    error
}

// HostStatus is how a host ended, in a play and in a run.
type HostStatus string

// The statuses of hosts.
const (
	HostOK           HostStatus = "ok"
	HostFailed       HostStatus = "failed"
	HostUnreachable  HostStatus = "unreachable"
	HostAborted      HostStatus = "aborted"       // a threshold or a check stopped it
	HostNotAttempted HostStatus = "not_attempted" // the run ended before its turn
	HostDrifted      HostStatus = "drifted"
	HostOutOfPlan    HostStatus = "out_of_plan" // it needed something that the plan does not allow
)

// Settings are the arguments that the engine itself reads of an entry, evaluated for a host.
type Settings struct {
	On           string        // the host that does it
	Timeout      time.Duration // 0: the default
	Retry        Retry
	Sudo         *Sudo // nil: no sudo block; empty fields: what the inventory says of the host that does it
	IgnoreErrors bool
	// Idempotent: the step may be repeated although nobody knows whether it was done.
	Idempotent bool
}

// Retry repeats an entry.
type Retry struct {
	Attempts int // total executions; 0 and 1 mean one
	Delay    time.Duration
	Backoff  float64     // factor on Delay after each; 0 means 1
	On       []ErrorKind // nil: every kind that is safe to repeat
}

// Polling is how often and how long a goal is looked at.
type Polling struct{ Within, Every time.Duration }
