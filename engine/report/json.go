package report

import (
	"io"

	"github.com/dsplay/dsplay/engine"
)

// JSON writes one event a line. It is an engine.Journal.
type JSON struct{ W io.Writer }

// Append implements engine.Journal.
func (j JSON) Append(e engine.Event) error {
	_, err := j.W.Write(append(e.AppendJSON(make([]byte, 0, 512)), '\n'))
	return err
}
