package engine

import (
	"context"
	"time"
)

// Occasion is why somebody is told of a run.
type Occasion string

// The occasions.
const (
	OnFailure  Occasion = "failure"         // a host did not end ok, something stopped the run, or it could not begin
	OnApproval Occasion = "approval_needed" // a plan was left for a person
	OnRecovery Occasion = "recovery"        // a recover reached its goal
	OnChange   Occasion = "change"          // something was changed, or perhaps changed
)

// Occasions are all of them, the gravest first.
func Occasions() []Occasion { return []Occasion{OnFailure, OnApproval, OnRecovery, OnChange} }

// MessageVersion is the version of Message's JSON. Fields are only added within a version.
const MessageVersion = 1

// Message is what people are told of one run. None of its texts holds a secret.
type Message struct {
	V         int        `json:"v"`
	Occasions []Occasion `json:"occasions"`
	Subject   string     `json:"subject"` // a line
	Text      string     `json:"text"`    // a page
	Test      bool       `json:"test"`    // nothing has happened: somebody tries whether messages arrive
	Machine   string     `json:"machine"` // that ran it
	Playbook  string     `json:"playbook"`
	Run       string     `json:"run"`     // "": it could not begin
	Started   string     `json:"started"` // RFC 3339, as Ended
	Ended     string     `json:"ended"`
	Exit      int        `json:"exit"`
	Status    string     `json:"status"`
	Reason    string     `json:"reason"`
	Healed    []string   `json:"healed"`  // hosts on which a recover reached its goal
	Changed   []string   `json:"changed"` // hosts that were acted on
	Failed    []string   `json:"failed"`  // hosts that did not end ok
	Plan      string     `json:"plan"`    // the file of a plan that was left for a person; "": none
	Next      []string   `json:"next"`    // command lines for a person
	Journal   string     `json:"journal"` // the folder of the record
	Hash      string     `json:"hash"`    // of the record, as long as it was then
}

// Notifier carries messages to somebody. Its exported fields with hcl tags are the arguments of its block.
type Notifier interface {
	Validator
	// Notify returns when the message has been handed over, or with why it could not be; it ends when ctx does.
	Notify(ctx context.Context, m Message) error
}

// Shaped is a notifier to which the author of its block may say what it sends.
type Shaped interface {
	Shape(body func(Message) ([]byte, error))
}

// Notification is a block that says who is told, how, and of what.
type Notification struct {
	Type, Name string
	On         []Occasion
	Timeout    time.Duration // for all that carrying one message takes
	Repeat     time.Duration // how long a message that says the same as the last one is not sent again; 0: it always is
	Via        Notifier
	Range      Range
}

func (n Notification) String() string { return n.Type + " " + n.Name }
