package journal

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Format is the version of the journal's lines: how they are sealed. Fields of events have a version of their own.
const Format = 1

// Head is the first line of a journal, and the first of every process that went on with it.
type Head struct {
	V       int              `json:"v"`
	Run     string           `json:"run"`
	Seq     int              `json:"seq"`
	Time    time.Time        `json:"time"`
	Kind    engine.EventKind `json:"kind"`    // journal or resume
	Format  int              `json:"journal"` // Format
	Dsplay  string           `json:"dsplay"`  // version of the program
	Plan    string           `json:"plan,omitempty"`
	Process Process          `json:"process"`
	Lost    int64            `json:"lost,omitempty"` // bytes behind the last whole line that were cut off: a power cut left them
}

func (h Head) line() ([]byte, error) {
	b, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return b, nil
}
