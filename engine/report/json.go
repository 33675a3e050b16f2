package report

import (
	"encoding/json"
	"io"

	"github.com/dsplay/dsplay/engine"
)

// JSON writes one event a line. It is an engine.Journal.
type JSON struct{ W io.Writer }

// Append implements engine.Journal.
func (j JSON) Append(e engine.Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = j.W.Write(append(b, '\n'))
	return err
}
