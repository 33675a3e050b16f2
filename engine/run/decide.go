package run

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/dsplay/dsplay/engine"
)

// Spec is what Decide has to know of a playbook.
type Spec struct {
	Items    []engine.Item
	Planning bool // one slice per play, no batches
	Offline  bool // planning, and nothing is asked: a play may not know its hosts
}

// State is where a pass stands. It is plain data: a distributed engine can carry it in its workflow.
type State struct {
	Item     int
	Target   engine.Target
	Batches  [][]string // of the play that runs
	Batch    int        // the next one
	Failed   int        // hosts of this play that failed or did not answer
	Outcomes []engine.Outcome
	AnyHost  bool // some play had a host
	Stop     *Stop
}

// Stop is why a pass ended before its end.
type Stop struct {
	Kind   StopKind
	Item   string // the play or check that stopped it
	Reason string
}

// StopKind tells the reasons apart.
type StopKind string

// The reasons to stop.
const (
	StopCheck     StopKind = "check"
	StopThreshold StopKind = "threshold"
	StopSignal    StopKind = "signal"
	StopError     StopKind = "error" // an expression at file level failed
	StopUnknown   StopKind = "unknown"
)

// Command is what has to be done next; exactly one field is set.
type Command struct {
	Locals  *engine.Locals
	Check   *engine.Check
	Target  *engine.Play // evaluate the play's arguments
	Slice   *Slice       // run a batch
	EndPlay *EndPlay
	Finish  bool
}

// Slice is one batch of a play.
type Slice struct {
	Play     *engine.Play
	Hosts    []string
	Batch    int // counts from 1
	Batches  int
	Parallel int
	Budget   int // hosts that may fail before no further one is started; -1: any number
}

// EndPlay closes a play. Untouched hosts are in Outcomes too.
type EndPlay struct {
	Play     *engine.Play
	Outcomes []engine.Outcome
	Unknown  []string // not nil: its hosts are not known before these entries have run
}

// Happened is what the last command led to; the field of that command is set.
type Happened struct {
	Begin    bool
	Err      error            // Locals, Check, Target
	Judged   *engine.Judged   // Check
	Target   *engine.Target   // Target
	Outcomes []engine.Outcome // Slice
	Ended    bool             // EndPlay
	Signal   bool             // a signal or a deadline asked to stop; set beside the others
	Why      string           // of Signal
}

// Decide says what to do next: which item, which batch, when to stop. It has no clock, does no I/O and starts nothing.
func Decide(spec Spec, s State, h Happened) (State, Command) {
	if h.Signal && s.Stop == nil {
		s.Stop = &Stop{Kind: StopSignal, Reason: cmp.Or(h.Why, "a signal asked to stop")}
	}
	switch {
	case h.Begin:
		return enter(spec, s)
	case h.Err != nil:
		if s.Stop == nil {
			s.Stop = &Stop{Kind: StopError, Item: nameOf(spec.Items[s.Item]), Reason: h.Err.Error()}
		}
		return s, Command{Finish: true}
	case h.Judged != nil:
		return judged(spec, s, *h.Judged)
	case h.Target != nil:
		return targeted(spec, s, *h.Target)
	case h.Outcomes != nil:
		return sliced(spec, s, h.Outcomes)
	}
	s.Item++ // Locals, EndPlay
	return enter(spec, s)
}

func enter(spec Spec, s State) (State, Command) {
	if s.Stop != nil || s.Item >= len(spec.Items) {
		return s, Command{Finish: true}
	}
	item := spec.Items[s.Item]
	return s, Command{Locals: item.Locals, Check: item.Check, Target: item.Play}
}

func judged(spec Spec, s State, j engine.Judged) (State, Command) {
	check := spec.Items[s.Item].Check
	if j.Unknown && !spec.Planning && !check.Warning && s.Stop == nil {
		s.Stop = &Stop{Kind: StopCheck, Item: check.Name, Reason: fmt.Sprintf("check %q cannot be judged: it waits for %s", check.Name, strings.Join(j.Waits, ", "))}
	}
	if !j.OK && !j.Unknown && !check.Warning && s.Stop == nil {
		s.Stop = &Stop{Kind: StopCheck, Item: check.Name, Reason: j.Message}
	}
	s.Item++
	return enter(spec, s)
}

func targeted(spec Spec, s State, t engine.Target) (State, Command) {
	play := spec.Items[s.Item].Play
	if len(t.Waits) > 0 && spec.Offline {
		s.AnyHost = true
		return s, Command{EndPlay: &EndPlay{Play: play, Unknown: t.Waits}}
	}
	if len(t.Waits) > 0 && s.Stop == nil {
		s.Stop = &Stop{Kind: StopUnknown, Item: play.Name,
			Reason: fmt.Sprintf("%s: hosts of play %q are not known yet: they wait for %s", play.Range, play.Name, t.Waits[0])}
	}
	if s.Stop != nil {
		return s, Command{Finish: true}
	}
	s.Target, s.Batch, s.Failed, s.Outcomes = t, 0, 0, nil
	s.Batches = batches(t, spec.Planning)
	s.AnyHost = s.AnyHost || len(t.Hosts) > 0 || t.AllowEmpty
	return next(spec, s)
}

func sliced(spec Spec, s State, outcomes []engine.Outcome) (State, Command) {
	s.Outcomes = append(s.Outcomes[:len(s.Outcomes):len(s.Outcomes)], outcomes...)
	for _, o := range outcomes {
		if counts(o.Status) {
			s.Failed++
		}
	}
	if limit, ok := allowed(s.Target); ok && s.Failed > limit && s.Stop == nil {
		play := spec.Items[s.Item].Play
		s.Stop = &Stop{Kind: StopThreshold, Item: play.Name,
			Reason: fmt.Sprintf("play %q: %d of %d hosts failed or did not answer, %d allowed (max_failures)", play.Name, s.Failed, len(s.Target.Hosts), limit)}
	}
	return next(spec, s)
}

// counts tells whether a host counts for max_failures: one that was never begun, or was stopped, did not fail.
func counts(s engine.HostStatus) bool {
	return s != engine.HostOK && s != engine.HostAborted && s != engine.HostNotAttempted
}

// next runs the next batch of the play, or closes the play; what was not started is not_attempted.
func next(spec Spec, s State) (State, Command) {
	play := spec.Items[s.Item].Play
	if s.Stop == nil && s.Batch < len(s.Batches) {
		s.Batch++
		budget := -1
		if limit, ok := allowed(s.Target); ok {
			budget = limit - s.Failed
		}
		return s, Command{Slice: &Slice{Play: play, Hosts: s.Batches[s.Batch-1], Batch: s.Batch, Batches: len(s.Batches),
			Parallel: s.Target.Parallel, Budget: budget}}
	}
	for _, batch := range s.Batches[s.Batch:] {
		for _, host := range batch {
			s.Outcomes = append(s.Outcomes, notStarted(host, engine.HostNotAttempted))
		}
	}
	s.Batch = len(s.Batches)
	return s, Command{EndPlay: &EndPlay{Play: play, Outcomes: s.Outcomes}}
}

// errNotStarted marks a host of which no entry was begun.
var errNotStarted = errors.New("not attempted")

func notStarted(host string, status engine.HostStatus) engine.Outcome {
	msg := "the run was stopped before its turn"
	if status == engine.HostAborted {
		msg = "too many hosts had failed before (max_failures)"
	}
	return engine.Outcome{Host: host, Status: status, Err: &engine.Error{Kind: engine.KindModule, Host: host, Op: msg, Err: errNotStarted}}
}

// allowed is how many hosts may fail; false: any number. With batches the default is none.
func allowed(t engine.Target) (int, bool) {
	switch {
	case t.MaxFailures != nil:
		return t.MaxFailures.Of(len(t.Hosts)), true
	case len(t.Batch) > 0:
		return 0, true
	}
	return 0, false
}

// batches cuts the sorted hosts; the last size repeats.
func batches(t engine.Target, planning bool) [][]string {
	if len(t.Hosts) == 0 {
		return nil
	}
	if len(t.Batch) == 0 || planning {
		return [][]string{t.Hosts}
	}
	var out [][]string
	rest := t.Hosts
	for i := 0; len(rest) > 0; i++ {
		n := max(1, t.Batch[min(i, len(t.Batch)-1)].Of(len(t.Hosts)))
		n = min(n, len(rest))
		out = append(out, rest[:n])
		rest = rest[n:]
	}
	return out
}

// notBegun are the names of the plays that a stop kept from beginning.
func notBegun(spec Spec, s State) []string {
	var names []string
	for _, item := range spec.Items[min(s.Item, len(spec.Items)):] {
		if s.Stop != nil && item.Play != nil {
			names = append(names, item.Play.Name)
		}
	}
	return names
}

func nameOf(i engine.Item) string {
	switch {
	case i.Play != nil:
		return i.Play.Name
	case i.Check != nil:
		return i.Check.Name
	}
	return "locals"
}
