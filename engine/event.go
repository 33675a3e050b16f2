package engine

import (
	"fmt"
	"strings"
	"time"
)

// EventVersion is the version of Event's JSON. Fields are only added within a version.
const EventVersion = 1

// EventKind names what happened.
type EventKind string

// The kinds of events.
const (
	EventJournal    EventKind = "journal" // the head of a run's journal: who keeps it, for which plan
	EventResume     EventKind = "resume"  // another process goes on with the run
	EventRunStart   EventKind = "run_start"
	EventPlan       EventKind = "plan"  // the planning pass is over; Plan sums it up
	EventApply      EventKind = "apply" // the pass that acts begins; Plan binds it
	EventPlayStart  EventKind = "play_start"
	EventBatchStart EventKind = "batch_start"
	EventEntryStart EventKind = "entry_start"
	EventIntent     EventKind = "intent" // synced before something is changed
	EventEntryEnd   EventKind = "entry_end"
	EventRetry      EventKind = "retry"
	EventGoal       EventKind = "goal" // a goal was looked at: Title is what the playbook says to it; while it is waited for, Attempt counts the looks, and Until is the end
	EventAttempt    EventKind = "attempt"
	EventCheck      EventKind = "check"
	EventHostEnd    EventKind = "host_end" // a host left a play
	EventPlayEnd    EventKind = "play_end"
	EventDrift      EventKind = "drift"      // a decision would be another one than in the plan: Status is refused or dropped
	EventResolved   EventKind = "resolved"   // the plan says that it will run, and it was not needed any more
	EventPolicy     EventKind = "policy"     // what a rule (Item) of a policy (Title) says of the plan: passed or refused; without Item the policy as a whole: permitted or refused
	EventLeft       EventKind = "left"       // no policy permits the plan: Reason is its file, Title its id, Lines what a person does next
	EventSettled    EventKind = "settled"    // what became of a change that an interrupted run began: Status is done, not_done or unknown
	EventRecurrence EventKind = "recurrence" // a recover was needed on this host before
	EventSignal     EventKind = "signal"
	EventProgress   EventKind = "progress" // how far a long copy has come, in Reason; at most every few seconds
	EventRunEnd     EventKind = "run_end"
	EventNotify     EventKind = "notify" // after the end: somebody (Title) could not be told of the run, or the metrics not be written; Status failed
)

// Event is one thing that happened: the record from which every report is made.
// Whoever writes or shows it redacts it first.
type Event struct {
	V       int            `json:"v"`
	Run     string         `json:"run"`
	Seq     int            `json:"seq"`
	Time    time.Time      `json:"time"`
	Kind    EventKind      `json:"kind"`
	Pass    string         `json:"pass,omitempty"` // "plan" or "apply"
	Play    string         `json:"play,omitempty"`
	Host    string         `json:"host,omitempty"`
	On      string         `json:"on,omitempty"` // the host that did it, when it is another one
	Entry   string         `json:"entry,omitempty"`
	Module  string         `json:"module,omitempty"`
	Title   string         `json:"title,omitempty"`
	Item    string         `json:"item,omitempty"`
	Attempt int            `json:"attempt,omitempty"`
	Status  string         `json:"status,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	Error   *EventError    `json:"error,omitempty"`
	Took    time.Duration  `json:"took,omitempty"`  // nanoseconds
	Until   time.Time      `json:"until,omitzero"`  // how long a goal is waited for at the most
	Place   string         `json:"place,omitempty"` // file:line:col
	Args    []Arg          `json:"args,omitempty"`
	Changes []Change       `json:"changes,omitempty"`
	Lines   []string       `json:"commands,omitempty"` // exact command lines and requests
	Values  string         `json:"values,omitempty"`   // JSON of the result
	Waits   []string       `json:"waits,omitempty"`    // what has not run: steps of a host that was only planned, what the hosts of a play wait for, plays that a stop kept from beginning
	Hosts   int            `json:"hosts,omitempty"`
	Counts  map[string]int `json:"counts,omitempty"`
	Exit    *int           `json:"exit,omitempty"`
	Plan    string         `json:"plan,omitempty"` // id of the plan as it is applied
}

// EventError is an error in an event.
type EventError struct {
	Kind ErrorKind `json:"kind"`
	Host string    `json:"host,omitempty"` // the host that is to blame
	Text string    `json:"text"`
	Hint string    `json:"hint,omitempty"`
	// Unreachable: nothing was executed by this entry, or its connection broke.
	Unreachable bool `json:"unreachable,omitempty"`
}

// NewEventError makes the event's form of err; nil stays nil.
func NewEventError(err error) *EventError {
	if err == nil {
		return nil
	}
	return &EventError{Kind: KindOf(err), Host: HostOf(err), Text: err.Error(), Hint: HintOf(err), Unreachable: IsUnreachable(err)}
}

// Journal keeps events, in the order in which it gets them. An error of it stops the run before anything else is done.
// It is safe for use by several goroutines.
type Journal interface{ Append(Event) error }

// Syncer is a journal that lives on a disk. Sync returns when everything that was appended before has reached it. Who is about
// to act appends the intent, and then waits here without holding up the events of others: so several intents share one sync.
type Syncer interface{ Sync() error }

// EntryTitle is what the entry of an event calls itself: its title, or its module and name.
func (e Event) EntryTitle() string {
	name := e.Entry[strings.LastIndex(e.Entry, "/")+1:]
	switch {
	case e.Title != "":
		name = e.Title
	case e.Module != "":
		name = e.Module + " " + name[strings.LastIndex(name, ".")+1:]
	}
	if e.Item != "" {
		name += fmt.Sprintf("[%q]", e.Item)
	}
	return name
}
